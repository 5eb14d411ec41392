// The flow's laboratory: its controls and its clock. Everything runs here, without a request.
const plane = element.querySelector(".plane");
const other = element.querySelector(".gan");
const plot = element.querySelector(".plot");
const caption = element.querySelector(".caption");
const field = (name) => element.querySelector(`[name=${name}]`);
const key = (name) => element.querySelector(`[data-do=${name}]`);
const BUDGET = 8; // milliseconds of a frame for training
const PARTICLES = 128; // that are followed
const RUN = 2500; // milliseconds from noise to data
const LONGEST_RUN = 50; // milliseconds of a link's training between two pictures
const GAN_RATES = { good: LOSSES.saturating_not.rates, bad: [0.001, 0.01] };
const KEPT = ["data", "layers", "width", "rate", "rates", "ode", "kind", "guidance"];
const ANEW = ["layers", "width", "rate", "rates", "seed", "data", "beside"]; // what begins another training

let flow; // the network and its training
let game; // a GAN on the same points, or null
let cloud; // {real, mine: of the chosen class, noise, ganNoise, floor}
let scene; // what there is to see
const numbers = { distance: {}, covered: {} }; // of both, as they were last measured
let history; // of the numbers
let spent; // milliseconds of training, of each
let playing = false;
let running = 0; // when the points set out from noise; 0: they stand
let drawing = false;
let probe = null;
let colours = null;
let request = 0;
let frames = 0;
let training = null; // the flow of a link that is being trained

const empty = () => field("data").value === "own" && drawn.length === 0;
const number = (name) => Number(field(name).value);

function settings() {
  const seed = Math.min(Math.abs(Math.trunc(number("seed"))) || 0, 999_999_999_999_999); // as a link holds it
  const chosen = { data: field("data").value, drawn, seed };
  for (const name of ["layers", "width", "rate"]) chosen[name] = number(name);
  return chosen;
}

// What the distance is measured on and the plane shows: drawn once for a seed, apart from training.
function gather() {
  const { data, seed } = flow.settings;
  const random = seeded(3 * seed + 4);
  const noise = drawNormal(random, PARTICLES);
  const ganNoise = drawNoise(random, PARTICLES);
  const draw = (n) => (empty() ? new Float64Array(0) : drawData(data, random, n, drawn));
  const [real, again] = [draw(CLOUD), draw(8 * PARTICLES)];
  const [mine, more] = [real, again].map((points) => ofClass(data, points, number("kind")));
  const second = more.subarray(0, 2 * PARTICLES); // as many as are followed
  cloud = { real, mine, noise, ganNoise, floor: energyDistance(mine, second) };
}

function reset() {
  flow = new PlaneFlow(settings());
  game = field("beside").checked ? rival() : null;
  history = new History();
  spent = { flow: 0, gan: 0 };
  probe = null;
  gather();
  look(true);
}

// A GAN on the same points, of the size that its own laboratory opens with.
function rival() {
  const [rateD, rateG] = GAN_RATES[field("rates").value];
  const own = { loss: "saturating_not", layers: 2, width: 32, rateD, rateG, turns: 1 };
  return new Game({ ...flow.settings, ...own });
}

const timed = (who, action) => {
  const begun = performance.now();
  action();
  spent[who] += performance.now() - begun;
};

function advance() {
  timed("flow", () => flow.learn());
  if (game) timed("gan", () => game.advance("both"));
}

// Takes the scene anew, and, where it is wanted, the numbers.
function look(measured) {
  const [kind, guidance, steps] = [number("kind"), number("guidance"), number("ode")];
  scene = {
    data: cloud.mine.subarray(0, 2 * SHOWN),
    path: flow.path(cloud.noise, steps, kind, guidance),
    field: field("field").checked ? flow.velocity(ARROWS, number("time"), kind, guidance) : null,
    gan: game ? lookAtGAN() : null,
  };
  if (probe) scene.probe = flow.path(Float64Array.from(probe), steps, kind, guidance, Math.min(0.99, number("time")));
  if (!measured) return;
  const made = { flow: scene.path.at(-1), gan: game ? output(game.G, cloud.ganNoise) : null };
  for (const [name, real] of [["flow", cloud.mine], ["gan", cloud.real]]) {
    const there = made[name] && real.length;
    numbers.distance[name] = there ? energyDistance(real, made[name]) : NaN;
    numbers.covered[name] = there ? covered(real, made[name]) : NaN;
  }
  history.add({ step: flow.step, loss: flow.loss, flow: numbers.distance.flow, gan: numbers.distance.gan });
}

const lookAtGAN = () => lookAt(game, { real: cloud.real, noise: cloud.ganNoise });

function tell() {
  const at = probe && `x = (${fixed(probe[0])}, ${fixed(probe[1])})`;
  const v = probe && flow.velocity(Float64Array.from(probe), number("time"), number("kind"), number("guidance"));
  let said = word(playing || training ? "training" : "idle");
  if (probe) said = `${at} · v = (${fixed(v[0])}, ${fixed(v[1])})`;
  if (empty()) said = word("empty");
  else if (drawing) said = word("drawing");
  if (caption.textContent !== said) caption.textContent = said;
}

function report() {
  for (const [name, steps] of [["flow", flow.step], ["gan", game?.step]]) {
    const values = [steps, fixed(numbers.distance[name], 3), share(numbers.covered[name]), fixed(spent[name] / 1000, 1)];
    element.querySelectorAll(`.of-${name} td`).forEach((cell, i) => {
      cell.textContent = values[i];
    });
  }
  const state = `${word("step")} ${flow.step} · ${word("distance")} ${fixed(numbers.distance.flow, 3)}`;
  plane.setAttribute("aria-valuenow", (probe || [0, 0])[0].toFixed(2));
  plane.setAttribute("aria-valuetext", probe ? `${caption.textContent} · ${state}` : state);
  plot.setAttribute("aria-label", `${word("plot")} ${word("loss")} ${fixed(flow.loss, 3)} · ${state}`);
  other.setAttribute("aria-label", `${word("gan")} · ${word("distance")} ${fixed(numbers.distance.gan, 3)}`);
  window.aigc.page.mean?.(element, filled(word("chance"), { blind: fixed(blind(), 2), now: fixed(flow.loss, 2) }));
}

const share = (value) => (Number.isFinite(value) ? `${Math.round(100 * value)}%` : "–");

// The loss of a velocity that is the same everywhere: the variance of data and of noise.
function blind() {
  const n = cloud.real.length / 2 || 1;
  const mean = [0, 1].map((axis) => cloud.real.reduce((sum, x, i) => sum + (i % 2 === axis ? x : 0), 0) / n);
  const spread = cloud.real.reduce((sum, x, i) => sum + (x - mean[i % 2]) ** 2, 0) / n;
  return spread + 2 * SIGMA * SIGMA;
}

function paint() {
  if (!plane.clientWidth) return;
  if (!colours || frames % 30 === 0) colours = palette();
  const show = { lines: field("lines").checked, field: field("field").checked };
  drawFlow(plane, scene, number("time"), show, colours);
  if (game) drawPlane(other, scene.gan, { heat: true, mesh: false, arrows: false }, null, colours);
  element.querySelector("output").textContent = `t = ${fixed(number("time"))}`;
  plane.dataset.step = flow.step;
  if (!request || frames % 6 === 0) {
    const words = { losses: word("losses"), distance: word("distance_plot") };
    drawCurves(plot, history, flowCurves(cloud.floor, Boolean(game), words, colours), word("step"), colours);
    report();
  }
  frames += 1;
  plane.dataset.frames = frames;
  plane.dataset.painted = "yes";
}

function refresh() {
  look(true);
  tell();
  paint();
}

function tick(now) {
  if (!(playing || running) || !inSight || !plane.isConnected) {
    request = 0;
    return;
  }
  request = requestAnimationFrame(tick);
  if (running) {
    const time = Math.min(1, (now - running) / RUN);
    field("time").value = Math.max(0, time);
    if (time === 1) {
      running = 0;
      look(true);
      tell();
    }
  }
  if (playing) {
    const until = performance.now() + BUDGET;
    do advance();
    while (performance.now() < until);
  }
  const second = frames % 2 === 0; // the paths are followed anew at every second frame
  if (playing ? second : field("field").checked) look(frames % 6 === 0);
  paint();
  if (!running && !playing) keep();
}

// Sets the clock going where it should be; it stops by itself.
function wake() {
  if (!request && (playing || running) && inSight) request = requestAnimationFrame(tick);
}

// The buttons as things stand.
function show() {
  key("play").dataset.word = playing ? "pause" : "play";
  key("draw").setAttribute("aria-pressed", drawing);
  key("draw").dataset.word = drawing ? "done" : "draw";
  element.querySelector(".own").hidden = field("data").value !== "own";
  other.hidden = element.querySelector(".of-gan").hidden = !game;
  element.querySelector(".planes").classList.toggle("two", Boolean(game));
  for (const name of ["play", "once", "run"]) key(name).disabled = empty();
  plane.classList.toggle("drawing", drawing);
  speak();
  plane.setAttribute("aria-label", word("plane"));
  tell();
  wake();
}

// Stops the clock, with curves and numbers as they now stand.
function halt() {
  training = null;
  playing = false;
  running = 0;
  cancelAnimationFrame(request);
  request = 0;
  refresh();
}

function restart(playsOn) {
  const on = playsOn && playing && !empty();
  if (!on) halt();
  reset();
  show();
  paint();
  keep();
}

const ACTIONS = {
  play() {
    const on = !playing && !empty();
    if (!on) halt();
    playing = on;
    training = null;
    if (!on) keep();
    show();
  },
  once() {
    halt();
    advance();
    refresh();
    show();
    keep();
  },
  reset: () => restart(false),
  run() {
    running = performance.now();
    show();
  },
  draw() {
    drawing = !drawing;
    show();
  },
  clear() {
    drawn.length = 0;
    forgot = false;
    drawing = true;
    restart(false);
  },
};
for (const [name, action] of Object.entries(ACTIONS)) key(name).addEventListener("click", action);

element.addEventListener("change", ({ target: { name } }) => {
  if (name === "data") drawing = empty();
  if (ANEW.includes(name)) return restart(true);
  if (name === "kind") gather();
  if (["kind", "guidance", "ode"].includes(name)) history = new History();
  refresh();
  keep();
});
field("time").addEventListener("input", () => {
  running = 0;
  if (probe || field("field").checked) look(false); // the paths themselves stay
  tell();
  paint();
});

holdPen(plane, {
  drawing: () => drawing,
  draw(points) {
    extend(points);
    gather();
    refresh();
  },
  done: () => restart(true),
});
holdProbe(plane, {
  drawing: () => drawing,
  probe: () => probe,
  put(place) {
    probe = place;
    refresh();
  },
  add(place) {
    extend([place]);
    restart(true);
  },
  play: ACTIONS.play,
});

// The link to the flow as it now stands: the settings, and how many steps it was trained. In the
// server's order, so that a link that is opened stays as it is while its steps are taken.
function link() {
  if (flow.step > props.most || forgot) return { query: "", why: "too_many" };
  const state = { tab: props.bar };
  for (const name of KEPT) state[name] = field(name).value;
  state.beside = field("beside").checked ? "1" : "0";
  state.seed = String(flow.settings.seed);
  state.time = field("time").value;
  state.trained = String(flow.step);
  if (state.data === "own") state.points = writePoints();
  return { query: new URLSearchParams(state).toString() };
}

// Puts the link into the bar, and with it into the address.
function keep() {
  const bar = ownBar();
  if (!bar || training) return;
  bar.live = link;
  bar.follow?.();
}

// Trains as a link says, with pictures of it on the way.
async function replay(run) {
  halt();
  drawn.length = 0;
  drawn.push(...readPoints(run.points));
  for (const name of [...KEPT, "seed", "time"]) field(name).value = run[name];
  field("beside").checked = run.beside === "1";
  drawing = false;
  reset();
  const mine = flow;
  training = mine;
  show();
  let until = performance.now() + LONGEST_RUN;
  while (flow.step < Number(run.trained) && !empty()) {
    advance();
    if (performance.now() < until) continue;
    refresh();
    await new Promise((resolve) => setTimeout(resolve));
    if (training !== mine || flow !== mine) return; // the visitor has gone on
    until = performance.now() + LONGEST_RUN;
  }
  training = null;
  refresh();
  show();
  keep();
}

reset();
show();
attend(plane, { replay, wake, paint, show });
