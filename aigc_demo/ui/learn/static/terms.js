// Terms of the glossary: the first of each in a chapter, a guide or a lesson is marked, and tells what
// it means when it is pointed at, focused or tapped.
const told = node("div", "");
const LEAST = { en: 3, zh: 2 }; // characters of a term that is looked for
const NOT_IN = "a, button, textarea, code, pre, h2, h3, .katex, .mermaid, .term, th";
const known = {}; // by language: [[term, meaning]], the longest first
let open; // the term that is told

told.id = "term-told";
told.setAttribute("role", "tooltip");
told.hidden = true;
document.body.append(told);

async function glossary() {
  const asked = language();
  if (!known[asked]) {
    const answer = await fetch(`${window.gradio_config.root}/learn/terms.${asked}.json`);
    if (!answer.ok) return [];
    const found = Object.entries(await answer.json()).filter(([term]) => term.length >= LEAST[asked]);
    known[asked] = found.toSorted(([one], [other]) => other.length - one.length);
  }
  return known[asked];
}

// Where a term stands in a text: as a word, in English also with an ending.
function placeOf(term, text) {
  if (language() === "zh") return [text.indexOf(term), term.length];
  const safe = term.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const found = new RegExp(`(?<![\\p{L}-])${safe}(?:s|es)?(?![\\p{L}-])`, "iu").exec(text);
  return found ? [found.index, found[0].length] : [-1, 0];
}

function conceal() {
  told.hidden = true;
  open?.removeAttribute("aria-describedby");
  open = undefined;
}

function tell(mark, meaning) {
  conceal();
  open = mark;
  told.textContent = meaning;
  told.hidden = false;
  mark.setAttribute("aria-describedby", told.id);
  const { left, bottom, top } = mark.getBoundingClientRect();
  const room = document.documentElement.clientWidth - told.offsetWidth - 8;
  const below = bottom + 6 + told.offsetHeight < window.innerHeight;
  told.style.left = `${Math.max(8, Math.min(left, room))}px`;
  told.style.top = `${below ? bottom + 6 : top - 6 - told.offsetHeight}px`;
}

function marked(text, meaning) {
  const mark = node("span", "term", text);
  mark.tabIndex = 0;
  mark.addEventListener("mouseenter", () => tell(mark, meaning));
  mark.addEventListener("focus", () => tell(mark, meaning));
  mark.addEventListener("click", () => tell(mark, meaning));
  mark.addEventListener("mouseleave", conceal);
  mark.addEventListener("blur", conceal);
  return mark;
}

function mark(place, entries) {
  const walker = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) {
    if (!walker.currentNode.parentElement.closest(NOT_IN)) texts.push(walker.currentNode);
  }
  for (const [term, meaning] of entries) {
    for (let i = 0; i < texts.length; i += 1) {
      const [at, length] = placeOf(term, texts[i].data);
      if (at >= 0) {
        const rest = texts[i].splitText(at);
        const after = rest.splitText(length);
        rest.replaceWith(marked(rest.data, meaning));
        texts.splice(i + 1, 0, after);
        break;
      }
    }
  }
}

// Marks the terms in a place of the page, once its text is there; nothing is marked twice.
window.aigc.page.explain = async (place, tries = 10) => {
  conceal();
  if (!place || place.querySelector(".term")) return;
  if (place.textContent.trim()) {
    const terms = await glossary();
    if (!place.querySelector(".term")) mark(place, terms);
  } else if (tries) setTimeout(() => window.aigc.page.explain(place, tries - 1), 300);
};
window.addEventListener("scroll", conceal, { passive: true });
window.addEventListener("keydown", ({ key }) => key === "Escape" && conceal());
