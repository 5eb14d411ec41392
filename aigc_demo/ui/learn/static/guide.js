// The guide: a panel that leads through a tour or a lesson. A step opens a result as a link does,
// lights up a part of the page, and asks for a deed, a choice or a sentence. What was done is kept
// in this browser.
const opener = element.querySelector(".open-guide");
const root = window.gradio_config.root;
const narrow = window.matchMedia("(max-width: 640px)");
const panel = node("section", "guide-panel");
const KEPT = "aigc_guides";
const WAIT = 10_000; // ms until a part of the page is taken not to be there
const GROWN = [600, 1_500, 3_000]; // ms after which what stands above a part may have grown
const LOOK = 500; // ms between two looks at what is shown
const plain = (one) => one && typeof one === "object" && !Array.isArray(one);
const kept = { at: {}, done: {}, offered: false, name: "", ...stored() };
let list = []; // of all guides
let guide = null; // the one that is on
let at = 0; // its step
let lit = null;
let aside = false; // the panel stands at the other side than it would
let shown = 0; // steps, by number
let began = {}; // when the step was, and whether its place was shown since
let asking = 0; // the number of the check that was asked last

function stored() {
  try {
    const found = JSON.parse(localStorage.getItem(KEPT));
    return plain(found) && plain(found.at) && plain(found.done) ? found : {};
  } catch {
    return {};
  }
}

function keep() {
  try {
    localStorage.setItem(KEPT, JSON.stringify(kept));
  } catch {
    // private windows may forbid it
  }
}

const said = (texts) => texts?.[language()] || "";
const isLesson = (one) => one.name.startsWith("lessons/");
const step = () => guide.steps[at];
const done = () => ((kept.done[guide.name] ||= {})[at] ||= {});
// The bar of the result in sight; a teacher may have hidden it itself.
const shownBar = () =>
  (window.aigc.page.bars || []).find((bar) => bar.element.closest(".tabitem")?.offsetParent);

// Whether what a query asks for is what is shown.
function shows(query) {
  const bar = shownBar();
  const there = new URLSearchParams(bar?.link().query);
  return Boolean(bar) && [...new URLSearchParams(query)].every(([key, value]) => there.get(key) === value);
}

async function fetched(path) {
  const answer = await fetch(`${root}/learn/${path}.json?${props.version}`);
  if (!answer.ok) throw new Error(path);
  return answer.json();
}

function button(name, text, press) {
  const made = node("button", name, text);
  made.addEventListener("click", press);
  return made;
}

function paragraphs(text) {
  return text.split(/\n\s*\n/).map((one) => node("p", "", one.replaceAll(/\s*\n\s*/g, " ")));
}

// The head of the panel: a title, where one is, and the way out.
function headed(title, place) {
  const head = node("header", "");
  const heading = node("h2", "", title);
  heading.tabIndex = -1;
  const out = button("out", "×", leave);
  out.setAttribute("aria-label", word("leave"));
  const move = button("move", "⇄", () => {
    aside = !aside;
    stand();
  });
  move.setAttribute("aria-label", word("move"));
  head.append(heading, node("span", "place", place), move, out);
  panel.setAttribute("aria-label", title);
  return head;
}

function show(...inside) {
  panel.replaceChildren(...inside);
  panel.hidden = false;
}

function leave() {
  panel.hidden = true;
  document.body.style.paddingBottom = "";
  darken();
  guide = null;
  window.aigc.page.hide();
  window.dispatchEvent(new CustomEvent("aigc:left"));
  opener.focus();
}

// All tours and lessons, fetched once.
async function listed() {
  if (!list.length) list = await fetched("guides");
  return list;
}

// The choice of tours and lessons.
async function choose() {
  try {
    await listed();
  } catch {
    show(headed(word("guide"), ""), node("p", "", word("failed")));
    return;
  }
  const parts = [];
  for (const kind of ["tours", "lessons"]) {
    const entries = node("ul", "");
    for (const one of list.filter(({ name }) => name.startsWith(`${kind}/`))) {
      const item = node("li", "");
      const entry = button("", said(one.title), () => start(one.name));
      const place = kept.at[one.name] || 0;
      let note = filled(word("minutes"), one);
      if (place >= one.steps) note = `✓ ${word("finished")}`;
      else if (place) note = filled(word("left_at"), { at: place + 1, all: one.steps });
      entry.append(node("span", "note", note));
      item.append(entry);
      entries.append(item);
    }
    parts.push(node("h3", "", word(kind)), entries);
  }
  guide = null;
  darken();
  show(headed(word("guide"), ""), ...parts);
  stand();
  panel.querySelector("h2").focus();
}

// Starts a guide where the visitor left it; one that was finished, from the beginning.
async function start(guideName) {
  opener.classList.remove("new");
  name();
  try {
    guide = await fetched(guideName);
  } catch {
    guide = null;
    show(headed(word("guide"), ""), node("p", "", word("failed")));
    return;
  }
  if (!plain(kept.done[guideName])) kept.done[guideName] = { began: Date.now() };
  const before = Number.isInteger(kept.at[guideName]) ? Math.max(0, kept.at[guideName]) : 0;
  window.aigc.page.hide(guide.hide);
  at = -1; // no step of this guide was left
  turn(before < guide.steps.length ? before : 0);
}

function turn(place) {
  if (at !== place && guide.steps[at]) done().shown = shownBar()?.link().query;
  at = place;
  kept.at[guide.name] = at;
  keep();
  if (at >= guide.steps.length) finish();
  else paint(true);
}

// What was shown when the step was left, if it is of the place that the step opens.
function lastShown(here) {
  const left = done().shown;
  const tab = (query) => new URLSearchParams(query).get("tab");
  return left && (!here.open || tab(left) === tab(here.open)) ? left : "";
}

// A step. fresh: it is opened, not painted anew in the other language.
function paint(fresh) {
  const here = step();
  const all = guide.steps.length;
  const body = node("div", "body");
  body.append(...paragraphs(said(here.say)));
  if (here.do) body.append(deed(here));
  if (here.ask) body.append(choice(here));
  if (here.write) body.append(written(here));
  const ways = node("div", "ways");
  const back = button("", word("back"), () => turn(at - 1));
  back.disabled = at === 0;
  const next = button("next", word(at + 1 < all ? "next" : "finish"), () => turn(at + 1));
  ways.append(back, next);
  const place = filled(word("place"), { at: at + 1, all });
  show(headed(said(guide.title), place), body, ways);
  window.aigc.page.explain(body);
  settle();
  if (!fresh) return;
  panel.querySelector("h2").focus({ preventScroll: true });
  const query = lastShown(here) || here.open;
  if (query && !shows(query)) window.aigc.page.go(query, {}, at > 0);
  loud = false;
  began = { at: Date.now(), isThere: false, query };
  light(++shown, here);
  look();
}

// What is to be done: ticked as soon as the page shows it.
function deed(here) {
  const made = node("div", "deed");
  const line = node("p", "", said(here.do));
  const told = node("p", "told");
  told.setAttribute("role", "status");
  made.append(line);
  const row = node("div", "row");
  row.append(button("check", word("check"), () => ask(true)));
  if (here.hint) {
    row.append(
      button("hint", word("hint"), () => {
        done().hinted = true;
        const ticked = done().state === "done" ? `✓ ${word("done")} ` : "";
        told.textContent = ticked + said(here.hint);
      }),
    );
  }
  made.append(told, row);
  return made;
}

// The mark of a deed that was done, and what is told of it.
function settle(found) {
  const made = panel.querySelector(".deed");
  if (!made) return;
  const state = done().state === "done";
  made.classList.toggle("done", state);
  const told = made.querySelector(".told");
  if (state) told.textContent = `✓ ${word("done")}`;
  else if (found) told.textContent = `${word("not_yet")} ${found}`;
}

// Each new result is held against the deed, once the step's own place was shown. Of those that hold
// the last one goes into the report.
let looked = "";
function look() {
  const here = guide && !panel.hidden && step();
  if (!here?.check) return;
  began.isThere ||= !began.query || shows(began.query) || Date.now() - began.at > WAIT;
  const query = shownBar()?.link().query;
  if (began.isThere && query && looked !== `${shown} ${query}`) ask(false);
}
setInterval(look, LOOK); // a tab that is chosen has its result already
window.addEventListener("aigc:shown", look);

// Asks whether the step's check holds for what is shown. aloud: say so too where it does not.
let loud = false;
function ask(aloud) {
  const query = shownBar()?.link().query;
  loud ||= aloud; // until the answer is there
  if (!query) {
    if (aloud) settle(word("elsewhere"));
    return;
  }
  asking += 1;
  looked = `${shown} ${query}`;
  done().asked = query;
  props.value = { guide: guide.name, step: at, query, number: asking };
  trigger("check");
}

function checked() {
  const answer = props.checked;
  if (!guide || answer?.number !== asking) return;
  const mine = done();
  if (answer.holds) Object.assign(mine, { state: "done", link: mine.asked, time: Date.now() });
  keep();
  settle(!answer.holds && loud ? said(answer.found) || word("elsewhere") : "");
  loud = false;
}

function choice(here) {
  const made = node("fieldset", "choice");
  const why = node("p", "told");
  why.setAttribute("role", "status");
  made.append(node("legend", "", said(here.ask)));
  const mark = (place) => {
    made.querySelectorAll("button").forEach((one, other) => {
      one.setAttribute("aria-pressed", String(other === place));
      one.classList.toggle("right", other === place && place + 1 === here.right);
      one.classList.toggle("wrong", other === place && place + 1 !== here.right);
    });
    const right = place + 1 === here.right;
    why.textContent = `${word(right ? "right" : "wrong")} ${right ? said(here.why) : ""}`;
    why.scrollIntoView({ block: "nearest" });
  };
  here.answers.forEach((answer, place) => {
    const press = () => {
      const mine = done();
      mine.first ??= place + 1;
      mine.answer = place + 1;
      if (place + 1 === here.right) Object.assign(mine, { state: "done", time: Date.now() });
      keep();
      mark(place);
    };
    const one = button("", said(answer), press);
    one.setAttribute("aria-pressed", "false");
    made.append(one);
  });
  made.append(why);
  if (done().answer) mark(done().answer - 1);
  return made;
}

function written(here) {
  const made = node("label", "written", said(here.write));
  const field = node("textarea", "");
  field.rows = 3;
  field.maxLength = 1_000;
  field.value = done().text || "";
  field.addEventListener("input", () => {
    const mine = done();
    mine.text = field.value;
    mine.state = field.value.trim() ? "done" : undefined;
    mine.time = Date.now();
    keep();
  });
  made.append(field);
  return made;
}

// The last card: of a lesson, with the report.
function finish() {
  darken();
  const body = node("div", "body");
  const asked = guide.steps.filter((one) => one.do || one.ask || one.write).length;
  const steps = Object.values(kept.done[guide.name] || {});
  const solved = steps.filter((one) => one?.state === "done").length;
  body.append(node("p", "", filled(word("solved"), { solved, asked })));
  if (isLesson(guide)) {
    const name = node("label", "written", word("your_name"));
    const field = node("input", "");
    field.maxLength = 80;
    field.value = kept.name;
    field.addEventListener("input", () => {
      kept.name = field.value;
      keep();
    });
    name.append(field);
    body.append(
      node("p", "", word("report_is")),
      name,
      button("report", word("report"), () => saveReport(guide, kept.done[guide.name], String(kept.name))),
    );
  }
  const ways = node("div", "ways");
  ways.append(
    button("", word("back"), () => turn(guide.steps.length - 1)),
    button("", word("again"), () => {
      delete kept.done[guide.name];
      start(guide.name);
    }),
    button("next", word("others"), choose),
  );
  show(headed(said(guide.title), word("finished")), body, ways);
  stand();
  panel.querySelector("h2").focus({ preventScroll: true });
}

function partOf(name) {
  const found = document.querySelectorAll(props.parts[name] || `[id="${name}"]`);
  return [...found].find((one) => one.offsetParent && one.getClientRects().length);
}

function darken() {
  lit?.classList.remove("lit");
  lit = null;
}

// Lights up a part of the page as soon as it is there, in sight and not under the panel.
function light(mine, here, waited = 0) {
  if (mine !== shown) return;
  if (!waited) darken();
  const isThere = !here.open || shownBar()?.tab === new URLSearchParams(here.open).get("tab");
  const found = here.light && isThere && partOf(here.light);
  if (found) {
    lit = found;
    lit.classList.add("lit");
    reveal();
    for (const wait of GROWN) setTimeout(() => lit === found && reveal(), wait);
  } else if (here.light && waited < WAIT) {
    setTimeout(() => guide && light(mine, here, waited + 100), 100);
  }
  if (!found) stand();
}

const MARGIN = 16; // px around the panel, and around what is lit
function reveal() {
  if (!lit) return;
  stand();
  const { top, height, left, right } = lit.getBoundingClientRect();
  const box = panel.getBoundingClientRect();
  const isOver = left < box.right && right > box.left; // the panel, if it stood as low
  const room = isOver ? box.top : window.innerHeight;
  const spare = Math.max(MARGIN, (room - height) / 2);
  if (top < MARGIN || top + height > room - MARGIN) {
    const behavior = calm.matches ? "auto" : "smooth";
    window.scrollTo({ top: window.scrollY + top - spare, behavior });
  }
}

// In the corner where it covers the least of what is lit; on a phone it is a sheet from below.
function stand() {
  document.body.style.paddingBottom = narrow.matches ? `${panel.offsetHeight + MARGIN}px` : "";
  const box = lit?.getBoundingClientRect();
  const wide = document.documentElement.clientWidth;
  const covers = (right) => {
    if (!box) return right ? 0 : 1;
    const left = right ? wide - panel.offsetWidth - MARGIN : MARGIN;
    const across = Math.min(box.right, left + panel.offsetWidth) - Math.max(box.left, left);
    return Math.max(0, across) + (right ? 0 : 0.5);
  };
  const isLeft = covers(false) < covers(true);
  panel.classList.toggle("at-left", !narrow.matches && isLeft !== aside);
}

function name() {
  opener.textContent = word(opener.classList.contains("new") && !narrow.matches ? "offer" : "guide");
}

opener.classList.toggle("new", !kept.offered);
opener.addEventListener("click", () => {
  if (opener.classList.contains("new")) start("tours/page");
  else choose();
});
panel.hidden = true;
element.closest(".contain").append(panel); // where the styles of narrow screens reach
panel.addEventListener("keydown", (event) => {
  const typing = event.target.closest("textarea, input");
  if (event.key === "Escape") {
    event.stopPropagation();
    leave();
  } else if (guide && !typing && (event.key === "ArrowRight" || event.key === "ArrowLeft")) {
    const next = at + (event.key === "ArrowRight" ? 1 : -1);
    if (next >= 0 && next <= guide.steps.length) turn(next);
  }
});
window.addEventListener("resize", () => !panel.hidden && stand());
window.addEventListener("aigc:language", () => {
  name();
  if (panel.hidden) return;
  if (!guide) choose();
  else if (at >= guide.steps.length) finish();
  else paint(false);
});
window.addEventListener("aigc:guide", ({ detail }) => start(detail));
watch("checked", checked);
window.aigc.page.guides = { kept, list: listed };
name();
kept.offered = true; // a first visitor is, once
keep();
const asked = new URLSearchParams(location.search);
if (asked.get("tab") === "learn.lesson" && asked.get("lesson")) start(`lessons/${asked.get("lesson")}`);
