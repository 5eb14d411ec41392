// The laboratory's state and its clock: playing, slow motion, and what there is to see of either.
const field = (name) => element.querySelector(`[name=${name}]`);

// Slow motion: what each phase lasts, and what happens in the game as it begins.
const PHASES = [
  { name: "noise", lasts: 1200 },
  { name: "fakes", lasts: 1600 },
  { name: "judged", lasts: 1800 },
  { name: "learn_d", lasts: 1600, begin: () => noted("t") },
  { name: "gradient", lasts: 1800 },
  { name: "learn_g", lasts: 1600, begin: () => noted("h") },
];

let game; // the networks and their training
let cloud; // what the distance is measured on
let history; // of the numbers
let tally; // of the losses since the history's last moment
let scene; // what there is to see
let before; // what there was before the phase of slow motion
let phase = -1; // of slow motion; -1: none under way
let elapsed = 0; // milliseconds of the phase

const repeat = (times, action) => Array.from({ length: times }, action);
const empty = () => field("data").value === "own" && drawn.length === 0;

function settings() {
  const number = (name) => Number(field(name).value);
  const seed = Math.min(Math.abs(Math.trunc(number("seed"))) || 0, 999_999_999_999_999); // as a link holds it
  const [data, loss] = [field("data").value, field("loss").value];
  const chosen = { data, loss, drawn, seed };
  for (const name of ["layers", "width", "rateD", "rateG", "turns"]) chosen[name] = number(name);
  return chosen;
}

// What the distance is measured on and the plane shows: drawn once for a seed, apart from training.
function gather() {
  const random = seeded(3 * game.settings.seed + 4);
  const noise = drawNoise(random, CLOUD);
  const draw = () =>
    empty() ? new Float64Array(0) : drawData(game.settings.data, random, CLOUD, drawn);
  const [real, other] = [draw(), draw()];
  const within = meanDistance(real, real);
  cloud = { real, noise, within, floor: energyDistance(real, other, within) };
}

function reset() {
  game = new Game(settings());
  begin();
  history = new History();
  tally = { steps: 0, lossD: 0, lossG: 0 };
  phase = -1;
  gather();
  observe();
}

// Takes the numbers and the scene anew, after the game or its data moved.
function observe() {
  const distance = energyDistance(cloud.real, output(game.G, cloud.noise), cloud.within);
  scene = lookAt(game, cloud);
  const steps = tally.steps || 1;
  history.add({
    step: game.step,
    lossD: tally.steps ? tally.lossD / steps : game.lossD,
    lossG: tally.steps ? tally.lossG / steps : game.lossG,
    distance,
  });
  tally = { steps: 0, lossD: 0, lossG: 0 };
  game.distance = distance;
}

function advance(who) {
  note({ D: "d", G: "g", both: "b" }[who]);
  train(who);
}

function train(who) {
  game.advance(who);
  tally.steps += 1;
  tally.lossD += game.lossD;
  tally.lossG += game.lossG;
}

// A player's turns in slow motion.
function noted(kind) {
  note(kind);
  if (kind === "t") repeat(game.settings.turns, () => game.learnD());
  else game.learnG();
}

// Slow motion by so many milliseconds.
function creep(passed) {
  elapsed += passed;
  if (phase >= 0 && elapsed < PHASES[phase].lasts) return;
  if (PHASES[phase]?.name === "learn_g") game.step += 1;
  phase = (phase + 1) % PHASES.length;
  elapsed = 0;
  before = scene;
  PHASES[phase].begin?.();
  observe();
  tell();
}

// Between two scenes: t runs from 0 to 1.
function blend(before, after, t) {
  const names = ["heat", "mesh", "fake"];
  return { ...after, ...Object.fromEntries(names.map((k) => [k, between(before[k], after[k], t)])) };
}

// The scene to draw now, and its layers: in slow motion, one thing after the other.
function moment() {
  const layers = { grown: 1 };
  for (const name of ["heat", "mesh", "arrows"]) layers[name] = field(name).checked;
  if (phase < 0) return [scene, layers];
  const { name, lasts } = PHASES[phase];
  const t = calm.matches ? 1 : Math.min(1, (1.5 * elapsed) / lasts);
  const soft = t * t * (3 - 2 * t);
  const grows = name === "gradient";
  const now = { ...layers, arrows: grows, grown: soft, noise: name === "noise", judged: name === "judged" };
  if (name === "fakes") return [{ ...scene, fake: between(scene.noise, scene.fake, soft) }, now];
  if (name.startsWith("learn")) return [blend(before, scene, soft), now];
  return [scene, { ...now, mesh: now.mesh && name !== "noise" }];
}
