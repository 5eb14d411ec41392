// The bar below a result: Copy link, and the files it is saved as. links.js does the work for all.
// A bar that is updated before its tab opens comes without its properties: the first are in the HTML.
const { tab, link: first } = element.querySelector(".bar").dataset;
const bar = {
  element,
  props,
  watch,
  tab,
  live: null, // where a browser computes a result itself: what gives its link
  link: () => {
    const given = props.link || { query: first };
    return given.opened === bar.opened ? { ...given, ...bar.live?.() } : given;
  },
  open: (asked) => {
    props.value = asked;
    trigger("open");
  },
  // The link after a change of one parameter that needed no server; written as links.py does.
  put: (name, value) => {
    const pairs = bar.link().query.split("&");
    const place = pairs.findIndex((pair) => pair.startsWith(`${name}=`));
    const pair = `${name}=${encodeURIComponent(value).replaceAll("%2C", ",")}`;
    if (pairs[place] === pair) return;
    pairs.splice(place < 0 ? pairs.length : place, 1, pair);
    props.link = { query: pairs.join("&") };
    bar.follow?.();
  },
  save: (asked) => {
    props.value = asked;
    trigger("save");
  },
};
const noted = ([seen]) => {
  if (seen.isIntersecting) (window.aigc.page.sighted ||= {})[tab] = performance.now();
};
new IntersectionObserver(noted, { rootMargin: "100000px" }).observe(element); // wherever it stands
window.aigc.page.bars = [...(window.aigc.page.bars || []), bar];
window.dispatchEvent(new CustomEvent("aigc:bar"));
