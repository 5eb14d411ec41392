// The bar below a result: Copy link, and the files it is saved as. links.js does the work for all.
const bar = {
  element,
  props,
  watch,
  open: (asked) => {
    props.value = asked;
    trigger("open");
  },
  save: (asked) => {
    props.value = asked;
    trigger("save");
  },
};
window.aigcBars = [...(window.aigcBars || []), bar];
window.dispatchEvent(new CustomEvent("aigc:bar"));
