// The game of the next character: one bets on it, and loses bits by how little one staked on what
// came, as the models do. What was bet is in the link.
const passage = element.querySelector(".passage");
const bet = element.querySelector(".bet");
const told = element.querySelector(".told");
let bets = [];
let sure = 50;

const game = () => props.game || { come: "", rounds: [], before: "" };
const seen = (character) => ({ " ": "␣", "\n": "⏎" })[character] || character;
const code = ({ character, stake }) => {
  const level = stake ? game().sure.indexOf(stake) + 1 : 0;
  return `${String(character.codePointAt(0)).padStart(3, "0")}${level}`;
};
const read = (text) =>
  (text.match(/\d{4}/g) || []).map((one) => ({
    character: String.fromCodePoint(Number(one.slice(0, 3))),
    stake: game().sure[Number(one[3]) - 1] || 0,
  }));

// What a bet gives to what came: its stake, or an equal part of what it left to all others.
function bits({ character, stake }, come) {
  const { size } = game();
  const share = stake / 100 || 1 / size;
  return -Math.log2(character === come ? share : (1 - share) / (size - 1));
}

// A link has room for a character of the first thousand; no other one comes.
function place(typed, stake) {
  const character = typed.codePointAt(0) < 1000 ? typed : "¿";
  bets.push({ character, stake });
  ownBar()?.put("bets", bets.map(code).join(""));
  paint();
  bet.querySelector("input")?.focus({ preventScroll: true });
}

function asked() {
  const { sure: stakes } = game();
  const field = node("input", "");
  field.maxLength = 1;
  field.autocapitalize = "off";
  field.autocomplete = "off";
  field.spellcheck = false;
  field.setAttribute("aria-label", word("character"));
  const spaces = [" ", "\n"].map((character) => {
    const button = node("button", "", `${seen(character)} ${word(character === " " ? "space" : "line")}`);
    button.addEventListener("click", () => place(character, sure));
    return button;
  });
  const levels = node("div", "levels");
  levels.setAttribute("role", "group");
  levels.setAttribute("aria-label", word("sure"));
  for (const stake of stakes) {
    const button = node("button", "", `${stake} %`);
    button.setAttribute("aria-pressed", String(stake === sure));
    button.addEventListener("click", () => {
      sure = stake;
      for (const other of levels.children) other.setAttribute("aria-pressed", String(other === button));
      field.focus({ preventScroll: true });
    });
    levels.append(button);
  }
  const give = node("button", "give", word("bet"));
  const go = () => field.value && place(field.value, sure);
  give.addEventListener("click", go);
  field.addEventListener("keydown", ({ key }) => key === "Enter" && go());
  const none = node("button", "", word("no_idea"));
  none.addEventListener("click", () => place(field.value || "?", 0));
  const first = node("div", "row");
  first.append(field, ...spaces);
  const last = node("div", "row");
  last.append(give, none);
  return [node("label", "", word("how_sure")), levels, first, last];
}

// The losses of all three, for what was guessed so far.
function losses() {
  const { come, rounds } = game();
  const lost = bets.map((one, at) => bits(one, come[at]));
  const sum = (values) => values.reduce((all, one) => all + one, 0);
  const rows = [
    ["you", lost],
    ["transformer", rounds.slice(0, bets.length).map((one) => one.transformer.bits)],
    ["ngram", rounds.slice(0, bets.length).map((one) => one.ngram.bits)],
  ];
  const most = Math.max(8, ...rows.map(([, values]) => sum(values)));
  const list = node("ol", "lost");
  for (const [name, values] of rows) {
    const item = node("li", "");
    const track = node("span", "track");
    const fill = node("i", "");
    fill.style.width = `${(100 * sum(values)) / most}%`;
    track.append(fill);
    item.append(node("span", "", word(name)), track, node("b", "", sum(values).toFixed(1)));
    list.append(item);
  }
  return list;
}

function last() {
  const { come, rounds } = game();
  const at = bets.length - 1;
  const expected = (of) => rounds[at][of].best.map(([name, share]) => `${seen(name)} ${share} %`).join(", ");
  const mine = { come: seen(come[at]), bits: bits(bets[at], come[at]).toFixed(1) };
  const said = filled(word(bets[at].character === come[at] ? "guessed" : "missed"), mine);
  return [
    node("p", "", said),
    node("p", "quiet", `${word("transformer")}: ${expected("transformer")} (${rounds[at].transformer.bits})`),
    node("p", "quiet", `${word("ngram")}: ${expected("ngram")} (${rounds[at].ngram.bits})`),
  ];
}

function paint() {
  const { before, come } = game();
  if (!come) return;
  const over = bets.length >= come.length;
  passage.replaceChildren(before);
  bets.forEach((one, at) => {
    const character = come[at];
    const right = one.character === character;
    const text = character === "\n" ? "⏎\n" : character;
    passage.append(node("mark", right ? "right" : "wrong", text));
  });
  if (!over) passage.append(node("span", "next", "?"));
  bet.replaceChildren(...(over ? [node("h3", "", word("over"))] : asked()));
  const parts = bets.length ? [...last(), losses()] : [node("p", "", word("guess_first"))];
  if (over) parts.push(node("p", "", word("guess_end")));
  told.replaceChildren(...parts);
  element.dataset.painted = `${bets.length}`;
}

function load() {
  bets = game().come ? read(game().bets || "").slice(0, game().come.length) : [];
  paint();
}

watch("game", load);
window.addEventListener("aigc:language", paint);
load();
