// A game of rounds with digits: which of two is real, or who drew one. What was picked is in the link.
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
  return canvas;
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

// The pictures of a round and what can be answered; an answer that was given is marked.
function board(here, given) {
  const answers = props.kind === "real" ? here.shown.map(() => word("this")) : props.kinds.map(word);
  const pictures = here.shown.map((index) => picture(index, large()));
  const buttons = answers.map((text, place) => {
    const button = node("button", "", text);
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

// What is said of the answer that was given last.
function verdict() {
  if (!picks) return word(`${props.kind}_first`);
  const here = game().rounds[picks.length - 1];
  const right = isRight(picks.length - 1);
  const parts = [word(right ? "right" : "wrong")];
  if (props.kind === "who") parts.push(filled(word("was"), { who: word(props.kinds[here.right]) }));
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
    item.append(...one.shown.map((index) => picture(index, SMALL)));
    const answer = props.kind === "who" ? word(props.kinds[one.right]) : "";
    item.append(node("span", "", `${isRight(place) ? "✓" : "✗"} ${answer}`));
    return item;
  });
}

function paint() {
  const { rounds } = game();
  if (!rounds.length || !sheet.complete || !sheet.naturalWidth) return;
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
}

sheet.addEventListener("load", paint);
watch("game", load);
window.addEventListener("aigc:language", paint);
load();
