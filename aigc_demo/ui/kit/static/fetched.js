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
        else failed(new Error(path));
      });
      document.head.append(script);
    });
  return (this.scripts[path] ||= ask(5));
}
