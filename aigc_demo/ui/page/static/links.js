// Links to results, for the bars of all tabs: the address bar follows what is shown, back and
// forward show it again, and a dialog gives the link, its QR code, a card and the state as a file.
const dialog = element.querySelector("dialog");
const field = element.querySelector(".address");
const told = element.querySelector(".told");
const code = element.querySelector("img");
const file = element.querySelector("input[type=file]");
const LARGEST = 65_536; // characters of a state
const SOON = 1_000; // ms; what follows so soon is the same step of the history
let offered = null; // the bar whose link the dialog shows
let count = 0; // of what the server was asked
let asked = 0; // for the result that was asked for last
let step = { at: 0, bar: null };

const fits = (query) => query.length <= props.longest;
const address = (query) => {
  const page = props.base || location.origin + location.pathname;
  return `${page}?${query}&lang=${language()}`;
};

// What stays in the address bar whatever is shown: settings of Gradio, such as the theme, and what is hidden.
function lasting() {
  const kept = [...new URLSearchParams(location.search)].filter(
    ([name]) => name.startsWith("__") || name === "hide",
  );
  return new URLSearchParams(kept).toString();
}

// The address bar's own text.
const local = (query) => [`?${query}&lang=${language()}`, lasting()].filter(Boolean).join("&");

function enter(how, query) {
  try {
    history[how]({ ...history.state, aigc: query }, "", fits(query) ? local(query) : undefined);
  } catch {
    // a browser may refuse too many steps at once
  }
}

// A new link in a bar: a step of the history, unless it is what the visitor came by.
function follow(bar) {
  const { query, opened } = bar.link();
  const before = bar.shown;
  bar.shown = query;
  window.dispatchEvent(new CustomEvent("aigc:shown"));
  if (opened && opened !== bar.opened) {
    bar.opened = opened;
    if (opened === asked) enter("replaceState", query); // unless the visitor has gone on
    return;
  }
  if (!query || !before || query === before) return;
  // What was shown before the first step, so that there is a way back to it.
  if (!history.state?.aigc) history.replaceState({ ...history.state, aigc: before }, "");
  const soon = step.bar === bar && Date.now() - step.at < SOON;
  step = { at: Date.now(), bar };
  enter(soon ? "replaceState" : "pushState", query);
}

function open(bar, query) {
  asked = ++count;
  bar.open({ query, number: asked });
}

function label(bar) {
  bar.element.querySelector(".copy").textContent = word("copy");
  for (const button of bar.element.querySelectorAll("button[value]")) {
    button.textContent = word(button.value) || button.value.toUpperCase();
    if (button.value === "python") continue; // it is shown
    button.setAttribute("aria-label", filled(word("save"), { kind: button.textContent }));
  }
}

function adopt(bar) {
  bar.shown = bar.link().query;
  bar.follow = () => follow(bar);
  bar.watch("link", bar.follow);
  bar.watch("file", () => bar.props.file && hand(bar.props.file));
  bar.element.querySelector(".copy").addEventListener("click", () => offer(bar));
  for (const button of bar.element.querySelectorAll("button[value]")) {
    button.addEventListener("click", () => {
      bar.save({ query: bar.link().query, kind: button.value, number: ++count });
    });
  }
  label(bar);
}

// To another place of the page, in the same document, as if by its link.
window.aigc.page.go = (query, state = {}, again = false) => {
  const how = again ? "replaceState" : "pushState";
  history[how]({ ...state, aigc: query }, "", local(query));
  window.dispatchEvent(new PopStateEvent("popstate", { state: history.state }));
};

// What a value such as a loss would be by chance and at best: told behind a "?" of its widget.
window.aigc.page.mean = (place, text) => {
  let made = place.querySelector(".meaning");
  if (!made) {
    made = node("div", "meaning");
    const button = node("button", "", "?");
    const meaning = node("span", "");
    meaning.hidden = true;
    button.setAttribute("aria-expanded", "false");
    button.addEventListener("click", () => {
      meaning.hidden = !meaning.hidden;
      button.setAttribute("aria-expanded", String(!meaning.hidden));
    });
    made.append(button, meaning);
    (place.querySelector(".widget") || place).append(made);
  }
  made.hidden = !text;
  made.firstChild.setAttribute("aria-label", word("meaning"));
  made.lastChild.textContent = text;
};

// New bars, and the one that a link waits for.
function look() {
  for (const bar of window.aigc.page.bars || []) {
    if (!("shown" in bar)) adopt(bar);
    const pending = window.aigc.page.pending;
    if (pending?.tab !== bar.tab) continue;
    const named = new URLSearchParams(pending.query).get("model") || "";
    const fetch = window.aigc.page.weights?.[bar.tab.split(".")[0]];
    if (named.includes("/") && !fetch) continue; // it is about to be there
    window.aigc.page.pending = null;
    if (named.includes("/")) openOther(bar, pending.query, named, fetch);
    else open(bar, pending.query);
  }
}

// A result of weights from the Hub: they are fetched first (others.js).
function openOther(bar, query, named, fetch) {
  const mine = (asked = ++count);
  bar.props.value = { query, number: mine }; // so that no first text is written meanwhile
  fetch(named, (name) => {
    if (asked !== mine) return; // the visitor has gone on
    const whole = new URLSearchParams(query);
    whole.set("model", name);
    open(bar, name === named ? query : whole.toString());
  });
}

function download(name, url) {
  const link = document.createElement("a");
  link.download = name;
  link.href = url;
  link.click();
}

function hand({ name, kind, data, command, python }) {
  if (kind === "python") showCode(command, python);
  else download(name, `data:${kind};base64,${data}`);
}

// What makes a result again on one's own machine; there may be no command for it.
const own = element.querySelector("dialog.own");
function showCode(...texts) {
  own.querySelectorAll("pre").forEach((place, which) => {
    place.parentNode.hidden = !texts[which];
    place.textContent = texts[which];
    place.nextSibling.textContent = word("copy_code");
  });
  own.showModal();
}

own.addEventListener("click", async ({ target }) => {
  if (target === own || target.dataset.word) return own.close();
  if (!target.previousSibling || target.tagName !== "BUTTON") return;
  getSelection().selectAllChildren(target.previousSibling);
  try {
    await navigator.clipboard.writeText(target.previousSibling.textContent);
  } catch {
    document.execCommand("copy"); // where the page may not use the clipboard by itself
  }
  target.textContent = word("code_copied");
});

async function offer(bar) {
  offered = bar;
  const { query } = bar.link();
  const url = query && fits(query) ? address(query) : "";
  dialog.classList.toggle("none", !url);
  dialog.classList.remove("unread");
  dialog.showModal();
  code.hidden = true;
  field.value = url;
  if (!url) {
    told.textContent = word(query ? "too_long" : bar.link().why || "no_link");
    return;
  }
  const stays = () => offered === bar && field.value === url; // no other link was asked for meanwhile
  const done = await copied(url);
  if (!stays()) return;
  told.textContent = word(done ? "copied" : "copy_it");
  try {
    const picture = await server.qr_code(url);
    if (!stays()) return;
    code.hidden = !picture;
    if (picture) code.src = picture;
  } catch {
    // the link itself is there
  }
}

// The code of a bar's link, as a picture; nothing where there is no link that fits.
window.aigc.page.code = async (bar) => {
  const { query } = bar.link();
  return query && fits(query) ? server.qr_code(address(query)) : "";
};

async function copied(url) {
  field.focus();
  field.select();
  try {
    await navigator.clipboard.writeText(url);
    return true;
  } catch {
    return document.execCommand("copy"); // where the page may not use the clipboard by itself
  }
}

function saveCard() {
  if (!code.hidden) download(`aigc-${offered.tab.replace(".", "-")}.png`, card(offered, code));
}

function saveState() {
  const { query } = offered.link();
  if (!query) return;
  const state = { aigc: 1, ...Object.fromEntries(new URLSearchParams(query)), lang: language() };
  const text = `${JSON.stringify(state, null, 2)}\n`;
  const tab = offered.tab.replace(".", "-");
  download(`aigc-${tab}.json`, `data:application/json,${encodeURIComponent(text)}`);
}

// A state file: what a link would hold, without its limit of length.
async function read(chosen) {
  let state = {};
  try {
    state = JSON.parse(chosen.size <= LARGEST ? await chosen.text() : "");
  } catch {
    // no JSON
  }
  if (state?.aigc !== 1 || !state.tab) {
    if (!dialog.open) dialog.showModal();
    offered = null;
    dialog.classList.add("none", "unread");
    told.textContent = word("unreadable");
    return;
  }
  delete state.aigc;
  delete state.lang; // the visitor's stays
  dialog.close();
  history.pushState(null, "", `${location.pathname}?${lasting()}`);
  window.aigc.page.asked = new URLSearchParams(state).toString();
  trigger("route");
}

const dropped = (event) => {
  const chosen = [...(event.dataTransfer?.files || [])].find(({ name }) => /\.json$/i.test(name));
  if (!chosen) return;
  event.preventDefault();
  read(chosen);
};

element.querySelector("[data-word=save_card]").addEventListener("click", saveCard);
element.querySelector("[data-word=save_state]").addEventListener("click", saveState);
element.querySelector("[data-word=open_state]").addEventListener("click", () => file.click());
element.querySelector("[data-word=close]").addEventListener("click", () => dialog.close());
dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
field.addEventListener("focus", () => field.select());
file.addEventListener("change", () => {
  if (file.files.length) read(file.files[0]);
  file.value = "";
});
window.addEventListener("dragover", (event) => {
  if ([...(event.dataTransfer?.types || [])].includes("Files")) event.preventDefault();
});
window.addEventListener("drop", dropped);
window.addEventListener("popstate", () => trigger("route"));
window.addEventListener("aigc:bar", look);
window.addEventListener("aigc:language", () => {
  for (const bar of window.aigc.page.bars || []) label(bar);
  const query = new URLSearchParams(location.search);
  if (!query.get("tab")) return;
  query.set("lang", language());
  history.replaceState(history.state, "", `?${query}`);
});
look();

// On a narrow screen the result stands above its controls: what is asked for there comes into sight.
document.addEventListener("click", (event) => {
  const button = event.target.closest("button.primary");
  const result = button?.closest(":has(> .result)")?.querySelector(":scope > .result");
  if (!result || window.innerWidth > 640 || result.getBoundingClientRect().top >= 0) return;
  result.scrollIntoView({ behavior: calm.matches ? "auto" : "smooth", block: "start" });
});

// There the tabs stand in a row that scrolls: the chosen one comes to its middle, whoever chose it.
function showChosen() {
  for (const tab of document.querySelectorAll(".tab-container [role=tab][aria-selected=true]")) {
    const row = tab.parentElement;
    if (row.scrollWidth <= row.clientWidth) continue;
    const [inner, outer] = [tab, row].map((node) => node.getBoundingClientRect());
    row.scrollLeft += inner.left - outer.left - (outer.width - inner.width) / 2;
  }
}
new MutationObserver(showChosen).observe(document.body, { subtree: true, attributeFilter: ["aria-selected"] });
window.addEventListener("aigc:bar", showChosen);

// Escape leads from a view inside a model back to the first, which shows the whole of it.
const OWN_ESCAPE = "dialog, input:not([type=radio]), textarea, select, [role=listbox]";
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.target.closest(OWN_ESCAPE)) return;
  const views = [...document.querySelectorAll(".views")].find((choice) => choice.offsetParent);
  views?.querySelector("input").click();
});
