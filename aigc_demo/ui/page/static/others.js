// Weights from the Hub: asked for by name, then a choice wherever a model of this tab is chosen.
// window.aigc.page.others: bundled models of a field -> the [label, name] that stand after its own.
const details = element.querySelector("details");
const form = element.querySelector("form");
const field = form.querySelector("input");
const cancel = form.querySelector(".cancel");
const bar = element.querySelector("progress");
const caption = element.querySelector(".caption");
const list = element.querySelector("ul");
const MB = 1e6;
const here = new Map(); // name -> what is known of it
let number = 0; // of what was asked last
let shown = { stage: "idle" };
let then = null; // what a link waits for

const megabytes = (bytes) => (bytes / MB).toFixed(1);

function say() {
  const { stage, come, total, texts, label } = shown;
  if (stage === "failed") return texts[language()];
  if (stage === "here") return filled(word("here"), { name: label });
  if (stage !== "coming") return "";
  if (!total) return word("looking");
  if (come === total) return word("loading");
  return filled(word("coming"), { come: megabytes(come), total: megabytes(total) });
}

function paint() {
  const busy = shown.stage === "coming";
  cancel.hidden = bar.hidden = !busy;
  form.querySelector("[type=submit]").disabled = busy;
  if (shown.total) [bar.max, bar.value] = [shown.total, shown.come];
  else bar.removeAttribute("value");
  const text = say();
  if (caption.textContent !== text) caption.textContent = text;
  caption.classList.toggle("failed", shown.stage === "failed");
  list.replaceChildren(...[...here.values()].map(line));
}

// One of the models that came: its name, family, and commit with the link to it; of a user's own
// what its card says.
function line({ name, family, url, title: heading, licence, trained: mine }) {
  const item = document.createElement("li");
  const [repo, commit] = name.split("@");
  const link = document.createElement("a");
  Object.assign(link, { href: url, target: "_blank", rel: "noopener", textContent: commit });
  const title = document.createElement("b");
  title.textContent = url ? repo : titled({ trained: mine, label: repo.replace(/^own\//, "") });
  const card = [heading !== title.textContent && heading, licence && filled(word("licence"), { licence })];
  const told = [word(family), ...card.filter(Boolean)].map((text) => ` · ${text}`);
  item.append(title, ...told, ...(url ? [" · ", link] : []));
  return item;
}

function ask(source, linked = false) {
  shown = { stage: "coming", come: 0, total: 0 };
  number += 1;
  props.value = { source, linked, number };
  trigger("ask");
  paint();
}

function follow() {
  if (props.state?.number !== number || shown.stage === "idle") return;
  shown = props.state;
  if (shown.stage === "coming" && then) details.open = true;
  if (shown.stage === "here") offer(shown);
  if (shown.stage === "here" || shown.stage === "failed") {
    const next = then;
    then = null;
    if (shown.stage === "here") next?.(shown.name);
  }
  paint();
}

// The bundled models of a field, as a key.
const names = (choices) => choices.map(([, name]) => name).join(" ");

// What a list calls a model; of one that was trained on this page, the beginning of its name.
function titled({ label, trained }) {
  return trained ? filled(word("mine"), { code: label.slice(5, 9) }) : label;
}

// Adds the model to every field that lists models of its kind.
function offer(model) {
  here.set(model.name, model);
  const others = (window.aigc.page.others ||= {});
  window.aigc.page.plain = [...(window.aigc.page.plain || []), ...(model.plain ? [model.name] : [])];
  const known = (window.aigc.page.about ||= {});
  known[model.name] = model;
  const choice = [titled(model), model.name];
  for (const { en } of props.choices) {
    const own = names(en);
    const listed = (others[own] ||= []);
    const fits = own === "poems" ? model.verse : own !== "gan" || !model.plain; // by class
    if (fits && !listed.some(([, name]) => name === model.name)) listed.push(choice);
  }
  const updates = props.choices.map((bundled) => {
    const own = bundled[language()];
    const more = others[names(own)];
    return { __type__: "update", choices: [...own, ...more], ...(more.length && { visible: true }) };
  });
  props.value = { updates };
  trigger("offer");
}

function stop() {
  shown = { stage: "idle" };
  then = null;
  trigger("cancel");
  paint();
}

for (const name of props.suggestions) {
  const button = document.createElement("button");
  Object.assign(button, { type: "button", textContent: name.endsWith("/") ? `${name}…` : name });
  button.addEventListener("click", () => {
    field.value = name;
    field.focus();
  });
  element.querySelector(".suggested").append(button);
}
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const source = field.value.trim();
  if (!source) field.focus();
  else if (shown.stage !== "coming") ask(source);
});
cancel.addEventListener("click", stop);
watch("state", follow);
// What was trained on this page (train/run.js), before this tab was opened and since.
const trained = () => (window.aigc.page.trained || []).filter(({ tab }) => tab === props.tab);
window.addEventListener("aigc:trained", () => {
  for (const model of trained()) if (!here.has(model.name)) offer(model);
  paint();
});
// A user's own models are choices from the start, once the page stands.
const own = [...(props.own || []), ...trained()];
for (const model of own) here.set(model.name, model);
if (own.length) setTimeout(() => own.forEach(offer), 500);
window.addEventListener("aigc:language", paint);
paint();

// For links (links.js): fetches what a link names, then goes on with the name of its commit.
window.aigc.page.weights = window.aigc.page.weights || {};
window.aigc.page.weights[props.tab] = (source, next) => {
  if (here.has(source)) return next(source);
  then = next;
  ask(source, true);
};
window.dispatchEvent(new CustomEvent("aigc:bar"));
