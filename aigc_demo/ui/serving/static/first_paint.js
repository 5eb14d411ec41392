// Paints the first digits before Gradio is there, from what the page was sent with. Not for a link
// that opens something else.
(() => {
  const language = (__LANGUAGE__)(); // for all that is made from now on
  const query = new URLSearchParams(location.search);
  const parts = window.gradio_config?.components || [];
  const digits = parts.find(({ props }) => props.elem_id === "gan-digits")?.props;
  if (!digits?.props.strip || query.has("tab") || history.state?.aigc) return;

  const first = document.createElement("div");
  first.id = "first-paint";
  first.inert = true;
  first.ariaHidden = "true";
  const theme = query.get("__theme") || "";
  const night = matchMedia("(prefers-color-scheme: dark)").matches;
  first.classList.toggle("dark", theme === "dark" || (night && theme !== "light"));
  first.innerHTML = `<div><h1></h1><p></p>${digits.html_template}</div>`;
  const hero = __HERO__[language].split("\n");
  first.querySelector("h1").textContent = hero[0].replace("# ", "");
  first.querySelector("p").textContent = hero[1];

  function paint(element, props, trigger, server, watch) {
    __TILES__
  }
  const nothing = () => {};
  new MutationObserver((_, waiting) => {
    if (!document.body) return;
    waiting.disconnect();
    document.body.prepend(first);
    const props = { ...digits.props, choosing: false };
    paint(first.querySelector(".widget"), props, nothing, {}, nothing);
  }).observe(document.documentElement, { childList: true });

  const arriving = new MutationObserver(leave);
  function leave() {
    if (!document.querySelector("#gan-digits canvas[data-painted]")) return;
    arriving.disconnect();
    first.remove();
  }
  const painted = { subtree: true, attributes: true, attributeFilter: ["data-painted"] };
  arriving.observe(document.documentElement, painted);
  setTimeout(() => first.remove(), 20000); // should the page never come, what is wrong is seen
})();
