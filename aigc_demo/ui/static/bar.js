// The bar below a result: Copy link, and the files it is saved as. links.js does the work for all.
// A bar that is updated before its tab opens comes without its properties: the first are in the HTML.
const { tab, link: first } = element.querySelector(".bar").dataset;
const bar = {
  element,
  props,
  watch,
  tab,
  link: () => props.link || { query: first },
  open: (asked) => {
    props.value = asked;
    trigger("open");
  },
  // The link after a change that needed no server.
  put: (changes) => {
    const query = new URLSearchParams(bar.link().query);
    const before = query.toString();
    for (const [name, value] of Object.entries(changes)) query.set(name, value);
    if (query.toString() === before) return;
    props.link = { query: query.toString() };
    bar.follow?.();
  },
  save: (asked) => {
    props.value = asked;
    trigger("save");
  },
};
window.aigcBars = [...(window.aigcBars || []), bar];
window.dispatchEvent(new CustomEvent("aigc:bar"));
