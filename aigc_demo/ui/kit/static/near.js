// Opens what is folded below when a reader gets there: what it needs is fetched only then.
const observer = new IntersectionObserver(
  (seen) => {
    if (!seen.some((one) => one.isIntersecting)) return;
    observer.disconnect();
    document.querySelector(`#${props.below} > button.label-wrap:not(.open)`)?.click();
  },
  { rootMargin: "0px 0px -64px" },
);
observer.observe(element);
