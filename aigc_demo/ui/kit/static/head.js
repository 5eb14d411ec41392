// What the page's head holds beside the scripts of widgets: methods of window.aigc.
// Fetches a script that is not in the head, once; what fails is asked for again.
fetched(path) {
  this.scripts ||= {};
  const ask = (tries) =>
    new Promise((done, failed) => {
      const script = document.createElement("script");
      script.src = `${window.gradio_config.root}/${path}`;
      script.addEventListener("load", done);
      script.addEventListener("error", () => {
        script.remove();
        if (tries) setTimeout(() => ask(tries - 1).then(done, failed), 2_000);
        else {
          delete this.scripts[path]; // whoever wants it next asks again
          failed(new Error(path));
        }
      });
      document.head.append(script);
    });
  return (this.scripts[path] ||= ask(5));
},
// Opens an accordion, by its id, when a reader gets there: what it needs is fetched only then.
near(element, props) {
  const observer = new IntersectionObserver(
    (seen) => {
      if (!seen.some((one) => one.isIntersecting)) return;
      const button = document.querySelector(`#${props.below} > button.label-wrap`);
      if (!button) { // the page is being made: look again
        observer.unobserve(element);
        return void setTimeout(() => observer.observe(element), 100);
      }
      observer.disconnect();
      if (!button.classList.contains("open")) button.click();
      // Whoever was about to click it does not close it again.
      const late = (event) => event.isTrusted && event.stopImmediatePropagation();
      button.addEventListener("click", late, { capture: true });
      setTimeout(() => button.removeEventListener("click", late, { capture: true }), 700);
    },
    { rootMargin: "0px 0px -64px" },
  );
  observer.observe(element);
}
