// The game of the laboratory as a link holds it: what it began with, and its moves. The same moves
// give the same numbers; another browser's Math.exp may differ in the last digit.
const LONGEST_RUN = 50; // milliseconds of moves between two pictures
const CHOSEN = ["data", "loss", "layers", "width", "rateD", "rateG", "turns", "seed"];
const CHANGING = { rateD: "D", rateG: "G", turns: "T" };

let began; // the settings of the game's first moment
let moves; // [kind, how often or what]
let known; // points of the visitor's own that the last move had
let replayed = null; // the game of a link whose moves are being made

function begin() {
  began = Object.fromEntries(CHOSEN.map((name) => [name, String(settings()[name])]));
  moves = [];
  known = 0;
  replayed = null; // what a link asked for ends with a new game
  forgot = false;
}

// What the visitor does is more than the link asked for: its other moves are left.
function leave() {
  if (replayed) game.settings.drawn = drawn;
  replayed = null;
}

// A move that is about to be made.
function note(kind) {
  leave();
  if (game.settings.data === "own" && known !== drawn.length / 2) {
    known = drawn.length / 2;
    moves.push(["p", known]);
  }
  if (moves.at(-1)?.[0] === kind) moves.at(-1)[1] += 1;
  else moves.push([kind, 1]);
}

// A rate, or D's turns, from here on.
function noteChange(name) {
  leave();
  const kind = CHANGING[name];
  if (moves.at(-1)?.[0] === kind) moves.pop();
  moves.push([kind, field(name).value]);
}

// The link to the game as it now stands.
function link() {
  const steps = moves.reduce((sum, [kind, n]) => ("dgbth".includes(kind) ? sum + n : sum), 0);
  if (steps > props.most || forgot) return { query: "", why: "too_many" };
  const state = { tab: props.bar, ...began, moves: moves.flat().join("") };
  if (began.data === "own") state.points = writePoints();
  return { query: new URLSearchParams(state).toString() };
}

// Puts the link into the bar, and with it into the address.
function keep() {
  if (replayed === game) return;
  const bar = ownBar();
  if (!bar) return;
  bar.live = link;
  bar.follow?.();
}

function makeMove(kind, value) {
  if (kind === "D") field("rateD").value = value;
  if (kind === "G") field("rateG").value = value;
  if (kind === "T") field("turns").value = value;
  if ("DGT".includes(kind)) Object.assign(game.settings, settings());
  if (kind === "p") known = Number(value);
  if ("DGTp".includes(kind)) moves.push([kind, kind === "p" ? known : value]);
  if (game.settings.data === "own") game.settings.drawn = drawn.slice(0, 2 * known);
}

// Plays a link's game again, with pictures of it on the way.
async function replay(run) {
  replayed = game;
  halt();
  drawn.length = 0;
  drawn.push(...readPoints(run.points));
  for (const name of CHOSEN) field(name).value = run[name];
  reset();
  const started = game;
  replayed = started;
  draw(false);
  paint();
  let until = performance.now() + LONGEST_RUN;
  for (const [, kind, value] of run.moves.matchAll(/([a-zA-Z])([\d.]+)/g)) {
    if (!"dgbth".includes(kind)) {
      makeMove(kind, value);
      continue;
    }
    for (let left = Number(value); left > 0; left--) {
      if (game.settings.data === "own" && !game.settings.drawn.length) break;
      if (moves.at(-1)?.[0] === kind) moves.at(-1)[1] += 1;
      else moves.push([kind, 1]);
      step(kind);
      if (performance.now() < until) continue;
      refresh();
      await new Promise((resolve) => setTimeout(resolve));
      if (replayed !== started) return; // the visitor has gone on
      until = performance.now() + LONGEST_RUN;
    }
  }
  leave();
  refresh();
  keep();
}

// One move of a kind; the losses of a run are summed as they are while it is played.
function step(kind) {
  if (kind === "t") repeat(game.settings.turns, () => game.learnD());
  else if (kind === "h") {
    game.learnG();
    game.step += 1;
  } else train({ d: "D", g: "G", b: "both" }[kind]);
}
