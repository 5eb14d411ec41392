// A game of rounds: which of two digits is real, who drew one, what is wrong with a broken model. What
// was picked is in the link.
const round = element.querySelector(".round");
const score = element.querySelector(".score");
const told = element.querySelector(".told");
const sheet = new Image();
const SMALL = 2; // of what was played; of a round:
const large = () => (element.clientWidth < 370 ? 5 : 6);
let picks = "";
let shown = false; // the answer to the last pick

const game = () => props.game || { rounds: [] };
const at = () => picks.length - Number(shown);
const isRight = (place) => Number(picks[place]) === game().rounds[place].right;

function picture(index, scale) {
  const canvas = node("canvas", "pixels");
  canvas.width = SIDE;
  canvas.height = SIDE;
  canvas.style.width = `${SIDE * scale}px`;
  canvas.getContext("2d").drawImage(sheet, index * SIDE, 0, SIDE, SIDE, 0, 0, SIDE, SIDE);
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", word("digit"));
  return plate(canvas);
}

function pick(answer) {
  picks += answer;
  shown = true;
  ownBar()?.put("picks", picks);
  paint();
  round.querySelector(".next")?.focus();
}

function next() {
  shown = false;
  paint();
  round.querySelector("button")?.focus();
}

// A curve of a training: early steps matter most, so its axis is logarithmic.
function curve([name, rows]) {
  const [steps, values] = [rows.map(([step]) => Math.log1p(step)), rows.map(([, value]) => value)];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const across = (place) => 200 * ((steps[place] - steps[0]) / (steps.at(-1) - steps[0] || 1));
  const down = (value) => 38 - 36 * ((value - low) / (high - low || 1));
  const points = values.map((value, place) => `${across(place)},${down(value)}`).join(" ");
  const line = svg("polyline", { points, "vector-effect": "non-scaling-stroke" });
  const made = node("div", "curve");
  const ends = [values[0], values.at(-1)].map((value) => value.toFixed(2)).join(" → ");
  const drawn = svg("svg", { viewBox: "0 0 200 40", preserveAspectRatio: "none", "aria-hidden": true }, line);
  made.append(node("span", "", `${word(`curve_${name}`) || name}  ${ends}`), drawn);
  return made;
}

// A model of the game of the broken ones: what it made, and its curves.
function model(side, place) {
  const made = node("figure", "model");
  made.append(node("figcaption", "", word(place ? "healthy" : "ill")));
  if (side.text) made.append(node("pre", "", side.text));
  else {
    const image = node("img", "pixels");
    image.src = side.picture;
    image.alt = word("digits");
    made.append(image);
  }
  made.append(...Object.entries(side.curves).map(curve));
  const inside = node("img", "pixels inside");
  inside.src = side.inside;
  inside.alt = word(`inside_${side.kind}`);
  made.append(node("p", "", inside.alt), inside);
  return made;
}

// What a round shows and what can be answered; an answer that was given is marked.
function board(here, given) {
  const pictures = here.sides ? here.sides.map(model) : here.shown.map((index) => picture(index, large()));
  const offers = here.offers || [...(props.kind === "real" ? here.shown : props.kinds).keys()];
  const buttons = offers.map((place) => {
    const button = node("button", "", word(props.kind === "real" ? "this" : props.kinds[place]));
    button.disabled = given >= 0;
    if (given >= 0 && place === here.right) button.classList.add("right");
    if (given === place && place !== here.right) button.classList.add("wrong");
    button.addEventListener("click", () => pick(place));
    return button;
  });
  const made = node("div", `board ${props.kind}`);
  if (props.kind === "real") {
    pictures.forEach((one, place) => {
      const side = node("div", "side");
      side.append(one, buttons[place]);
      made.append(side);
    });
  } else {
    const choices = node("div", "choices");
    choices.append(...buttons);
    made.append(...pictures, choices);
  }
  return made;
}

function points() {
  const rounds = game().rounds.slice(0, picks.length);
  const mine = rounds.filter((_, place) => isRight(place)).length;
  const rival = rounds.filter((one) => one.rival === one.right).length;
  return { mine, rival, played: rounds.length };
}

// What was wrong, and the number that gives it away, beside that of the healthy model.
function diagnosis(here, answer) {
  const [mine, healthy] = here.numbers;
  const told = filled(word(`${props.kinds[here.right]}_told`), { mine, healthy });
  return `${filled(word("was"), { who: answer })} ${told}`;
}

// What is said of the answer that was given last.
function verdict() {
  if (!picks) return word(`${props.kind}_first`);
  const here = game().rounds[picks.length - 1];
  const right = isRight(picks.length - 1);
  const parts = [word(right ? "right" : "wrong")];
  const answer = word(props.kinds[here.right]);
  if (props.kind === "who") parts.push(filled(word("was"), { who: answer }));
  else if (props.kind === "fault") parts.push(diagnosis(here, answer));
  else {
    const scores = { left: here.scores[0].toFixed(2), right: here.scores[1].toFixed(2) };
    parts.push(filled(word(here.rival === here.right ? "rival_right" : "rival_wrong"), scores));
  }
  parts.push(filled(word(`${props.kind}_points`), points()));
  return parts.join(" ");
}

function past() {
  return game().rounds.slice(0, picks.length).map((one, place) => {
    const item = node("li", isRight(place) ? "right" : "wrong");
    item.append(...(one.shown || []).map((index) => picture(index, SMALL)));
    const answer = props.kind === "real" ? "" : word(props.kinds[one.right]);
    item.append(node("span", "", `${isRight(place) ? "✓" : "✗"} ${answer}`));
    return item;
  });
}

function paint() {
  const { rounds } = game();
  if (!rounds.length || (game().strip && !(sheet.complete && sheet.naturalWidth))) return;
  const over = picks.length >= rounds.length;
  const parts = [];
  if (!over || shown) {
    const place = filled(word("round"), { at: at() + 1, all: rounds.length });
    parts.push(node("h3", "", place), board(rounds[at()], shown ? Number(picks.at(-1)) : -1));
  } else parts.push(node("h3", "", word("over")));
  if (shown) {
    const button = node("button", "next", word(over ? "end" : "next"));
    button.addEventListener("click", next);
    parts.push(button);
  }
  round.replaceChildren(...parts);
  told.textContent = over && !shown ? `${verdict()} ${word(`${props.kind}_end`)}` : verdict();
  score.replaceChildren(...past());
  element.dataset.painted = `${picks.length}`;
}

function load() {
  picks = game().picks || "";
  shown = false;
  if (game().strip) sheet.src = game().strip;
  else paint();
}

sheet.addEventListener("load", paint);
watch("game", load);
window.addEventListener("aigc:language", paint);
load();
