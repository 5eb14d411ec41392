// The list of chapters, and which one is read. It stands among the bars (links.js): so the address
// bar, the history and Copy link follow the chapter.
const folded = element.querySelector("details");
const summary = element.querySelector("summary");
const list = element.querySelector("ol");
const told = element.querySelector(".caption");
const narrow = window.matchMedia("(max-width: 640px)");
const root = window.gradio_config.root;
const back = node("button", "back-to-chapter");
let contents = []; // [{name, en: {title, minutes}, zh: ...}]
let marks = { read: {}, last: props.names[0] }; // what this browser remembers
let shown = ""; // the chapter
let opened; // the number of the link that opened it
let count = 0;

function remember(change) {
  Object.assign(marks, change);
  try {
    localStorage.setItem("aigc_course", JSON.stringify(marks));
  } catch {
    // private windows may forbid it
  }
}

try {
  const kept = JSON.parse(localStorage.getItem("aigc_course"));
  const known = (name) => props.names.includes(name);
  if (known(kept?.last)) marks.last = kept.last;
  for (const name of Object.keys(kept?.read || {}).filter(known)) marks.read[name] = true;
} catch {
  marks = { read: {}, last: props.names[0] };
}

const about = (name) => contents.find((one) => one.name === name)?.[language()] || { title: name };

function paint() {
  list.replaceChildren(
    ...contents.map(({ name }) => {
      const { title, minutes } = about(name);
      const item = node("li", "");
      const button = node("button", "", title);
      const note = marks.read[name] ? `✓ ${word("done")}` : filled(word("minutes"), { minutes });
      button.append(node("span", "note", note));
      if (name === shown) button.setAttribute("aria-current", "page");
      button.addEventListener("click", () => visit(name));
      item.append(button);
      return item;
    }),
  );
  const read = Object.keys(marks.read).length;
  summary.textContent = narrow.matches && shown ? about(shown).title : word("chapters");
  told.textContent = filled(word("progress"), { count: read, all: props.names.length });
  back.textContent = filled(word("back"), { title: about(shown).title });
}

async function fetched(path) {
  const answer = await fetch(`${root}/learn/${path}.json`);
  if (!answer.ok) throw new Error(path);
  return answer.json();
}

// Shows a chapter; a later call wins. place: how far down the reader was.
async function show(name, place = 0) {
  const mine = ++count;
  try {
    if (!contents.length) contents = await fetched("contents");
    const chapter = await fetched(`${name}.${language()}`);
    if (mine !== count) return;
    const text = chapter.text.replaceAll(/\]\((pictures|curves)\//g, `](${root}/$1/`);
    window.aigc.page.chapter = { ...chapter, name, text: `## ${chapter.title}\n\n${text}` };
  } catch {
    if (mine === count) told.textContent = word("failed");
    return;
  }
  shown = name;
  remember({ last: name });
  folded.open = !narrow.matches;
  paint();
  trigger("read");
  window.dispatchEvent(new CustomEvent("aigc:chapter"));
  bar.follow?.();
  settle(mine, place);
}

// Scrolls once the text is there; formulas and pictures may come a moment later.
function settle(mine, place, tries = 40) {
  if (mine !== count) return;
  const reached = document.documentElement.scrollHeight - window.innerHeight >= place;
  if (reached || !tries) window.scrollTo(0, place);
  else setTimeout(() => settle(mine, place, tries - 1), 50);
}

// A strip of many digits becomes rows of them.
const COLUMNS = 12;
document.addEventListener(
  "load",
  ({ target }) => {
    const count = target.naturalWidth / SIDE;
    if (!target.matches?.("#chapter img") || target.naturalHeight !== SIDE || count <= COLUMNS) return;
    const rows = node("canvas", "");
    rows.width = COLUMNS * SIDE;
    rows.height = Math.ceil(count / COLUMNS) * SIDE;
    const brush = rows.getContext("2d");
    for (let row = 0; row * COLUMNS < count; row += 1) {
      brush.drawImage(target, -row * rows.width, row * SIDE);
    }
    target.src = rows.toDataURL();
  },
  true,
);

// Terms are marked a moment after the text is there; those of the glossary itself are not.
let soon = 0;
function look() {
  const place = document.querySelector("#chapter");
  const title = place?.querySelector("h2");
  if (!title || title.dataset.terms || shown === "glossary") return;
  if (title.textContent.trim() !== window.aigc.page.chapter?.title) return;
  title.dataset.terms = "marked";
  window.aigc.page.explain(place);
}
new MutationObserver(() => {
  clearTimeout(soon);
  soon = setTimeout(look, 200);
}).observe(element.closest("#learn"), { childList: true, subtree: true });

const top = () => element.closest("#learn").getBoundingClientRect().top + window.scrollY;

function visit(name) {
  back.hidden = true;
  opened = undefined;
  show(name, Math.min(window.scrollY, top()));
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("#chapter a[href]");
  const asked = link && new URL(link.href, location.href);
  if (!asked || asked.host !== location.host || !asked.searchParams.get("tab")) return;
  event.preventDefault();
  const here = bar.link().query;
  history.replaceState({ ...history.state, aigc: here, place: window.scrollY }, "");
  back.dataset.place = window.scrollY;
  back.hidden = asked.searchParams.get("tab") === bar.tab;
  window.aigc.page.go(asked.search.slice(1));
  if (!back.hidden) window.scrollTo(0, 0);
});
back.addEventListener("click", () => {
  back.hidden = true;
  window.aigc.page.go(bar.link().query, { place: Number(back.dataset.place) });
});
back.type = "button";
back.hidden = true;
document.body.append(back);

const bar = {
  element,
  props,
  watch: () => {}, // what it shows is known here alone
  tab: "learn.chapter",
  link: () => ({ query: shown && `tab=learn.chapter&chapter=${shown}`, opened }),
  open: ({ query, number }) => {
    const asked = new URLSearchParams(query).get("chapter");
    opened = number;
    back.hidden = true;
    show(props.names.includes(asked) ? asked : marks.last, history.state?.place || 0);
  },
};

window.addEventListener("aigc:read", () => {
  remember({ read: { ...marks.read, [shown]: true } });
  paint();
});
window.addEventListener("aigc:turn", ({ detail }) => visit(detail));
window.addEventListener("aigc:language", () => shown && show(shown, window.scrollY));
window.aigc.page.bars = [...(window.aigc.page.bars || []), bar];
window.dispatchEvent(new CustomEvent("aigc:bar"));
if (!count) show(marks.last, window.scrollY);
