// The laboratory's controls and its clock. Everything runs here: playing sends no request.
const plane = element.querySelector(".plane");
const plot = element.querySelector(".plot");
const caption = element.querySelector(".caption");
const key = (name) => element.querySelector(`[data-do=${name}]`);
const BUDGET = 8; // milliseconds of a frame for training

let playing = false;
let slow = false;
let drawing = false;
let probe = null;
let colours = null;
let request = 0;
let last = 0;
let frames = 0;

// D at the probe, as words.
function reading() {
  const at = Float64Array.from(probe);
  const trace = forward(game.D, at);
  const [slopeX, slopeY] = backward(game.D, trace, Float64Array.of(1));
  const score = trace.at(-1)[0];
  const likely = ["minimax", "saturating_not"].includes(game.settings.loss);
  const value = likely ? `D(x) = ${fixed(sigmoid(score))}` : `D(x) = ${fixed(score)}`;
  const place = `x = (${fixed(probe[0])}, ${fixed(probe[1])})`;
  return `${word("probe")} ${place} · ${value} · ${word("slope")} (${fixed(slopeX)}, ${fixed(slopeY)})`;
}

function tell() {
  let words = probe ? reading() : word(playing ? "training" : "idle");
  if (empty()) words = word("empty");
  else if (drawing) words = word("drawing");
  else if (phase >= 0) words = `${phase + 1}/${PHASES.length} ${word(`phase_${PHASES[phase].name}`)}`;
  if (caption.textContent !== words) caption.textContent = words;
}

// The numbers, for the eye and for the ear.
function report() {
  const put = (name, text) => {
    element.querySelector(`.numbers .${name}`).textContent = text;
  };
  put("step", String(game.step));
  put("loss-d", fixed(game.lossD, 3));
  put("loss-g", fixed(game.lossG, 3));
  put("distance", fixed(game.distance, 3));
  plane.setAttribute("aria-valuenow", (probe || [0, 0])[0].toFixed(2));
  const state = `${word("step")} ${game.step} · ${word("distance")} ${fixed(game.distance, 3)}`;
  plane.setAttribute("aria-valuetext", probe ? `${reading()} · ${state}` : state);
  const { forD, forG } = LOSSES[game.settings.loss];
  const even = game.settings.loss === "squares" ? 0.5 : 0; // the score of a D that cannot tell
  const chance = { d: fixed(forD(even, even)[0], 3), g: fixed(forG(even, even)[0], 3) };
  const paid = { nowD: fixed(game.lossD, 3), nowG: fixed(game.lossG, 3) };
  window.aigc.page.mean(element, filled(word("chance"), { ...chance, ...paid }));
  const losses = `${word("loss_d")} ${fixed(game.lossD, 3)} · ${word("loss_g")} ${fixed(game.lossG, 3)}`;
  plot.setAttribute("aria-label", `${word("plot")} ${losses} · ${state}`);
}

// Both losses, and below the distance between the clouds; dotted, that of two clouds of real points.
function curves() {
  const losses = [
    ["lossD", colours.discriminator, [], "D"],
    ["lossG", colours.generator, [5, 3], "G"],
  ];
  const distance = [["distance", colours["body-text-color"], [], ""]];
  return [
    { lines: losses, title: word("losses") },
    { lines: distance, title: word("distance_plot"), level: cloud.floor },
  ];
}

// Draws the plane, and on every third frame of a run the curves and the numbers too.
function paint() {
  if (!plane.clientWidth) return;
  if (!colours || frames % 30 === 0) colours = palette();
  drawPlane(plane, ...moment(), probe, colours);
  plane.dataset.step = game.step;
  if (!request || frames % 3 === 0) {
    drawCurves(plot, history, curves(), word("step"), colours);
    report();
  }
  frames += 1;
  plane.dataset.frames = frames;
  plane.dataset.painted = "yes";
}

function refresh() {
  observe();
  tell();
  paint();
}

function tick(now) {
  if (!playing || !inSight || !plane.isConnected) {
    request = 0;
    return;
  }
  request = requestAnimationFrame(tick);
  const passed = Math.min(100, now - last);
  last = now;
  if (slow) creep(passed);
  else {
    const until = performance.now() + BUDGET;
    let left = Number(field("pace").value);
    do advance("both");
    while (--left > 0 && performance.now() < until);
    observe();
    if (probe && frames % 15 === 0) tell();
  }
  paint();
}

// Sets the clock going where it should be; it stops by itself.
function wake() {
  if (request || !playing || !inSight) return;
  last = performance.now();
  request = requestAnimationFrame(tick);
}

// The buttons as things stand.
function show() {
  key("play").dataset.word = playing ? "pause" : "play";
  key("slow").setAttribute("aria-pressed", slow);
  key("draw").setAttribute("aria-pressed", drawing);
  key("draw").dataset.word = drawing ? "done" : "draw";
  element.querySelector(".own").hidden = field("data").value !== "own";
  for (const name of ["play", "D", "G", "both"]) key(name).disabled = empty();
  plane.classList.toggle("drawing", drawing);
  speak();
  plane.setAttribute("aria-label", word("plane"));
  tell();
  wake();
}

function play(on) {
  playing = on && !empty();
  if (!playing) halt();
  show();
}

// Stops the clock, with curves and numbers as they now stand.
function halt() {
  playing = false;
  cancelAnimationFrame(request);
  request = 0;
  paint();
  keep();
}

// Steps that a press of a button makes; a cycle of slow motion under way is left first.
function single(who) {
  halt();
  phase = -1;
  advance(who);
  refresh();
  show();
  keep();
}

function restart(playsOn) {
  if (!playsOn || empty()) halt();
  reset();
  show();
  paint();
  keep();
}

function draw(on) {
  drawing = on;
  show();
}

const ACTIONS = {
  play: () => play(!playing),
  D: () => single("D"),
  G: () => single("G"),
  both: () => single("both"),
  slow() {
    slow = !slow;
    if (!slow) phase = -1;
    play(slow || playing);
    refresh();
  },
  reset: () => restart(false),
  draw: () => draw(!drawing),
  clear() {
    drawn.length = 0;
    restart(false);
    draw(true);
  },
};
for (const [name, action] of Object.entries(ACTIONS)) key(name).addEventListener("click", action);

// Rates and turns as they train well with a loss; a new loss brings its own.
function suggest() {
  const { rates, turns } = LOSSES[field("loss").value];
  [field("rateD").value, field("rateG").value] = rates.map(String);
  field("turns").value = String(turns);
}

element.addEventListener("change", ({ target: { name } }) => {
  if (name in CHANGING) {
    Object.assign(game.settings, settings());
    noteChange(name);
    keep();
  }
  if (["heat", "mesh", "arrows"].includes(name)) paint();
  if (name === "loss") suggest();
  if (["loss", "layers", "width", "seed"].includes(name)) restart(true);
  if (name !== "data") return;
  restart(true);
  draw(empty());
});

holdPen(plane, {
  drawing: () => drawing,
  draw(points) {
    leave();
    extend(points);
    gather();
    refresh();
  },
  done() {
    show();
    keep();
  },
});
holdProbe(plane, {
  drawing: () => drawing,
  probe: () => probe,
  put(place) {
    probe = place;
    tell();
    paint();
  },
  add(place) {
    leave();
    extend([place]);
    gather();
    refresh();
    show();
  },
  play: () => play(!playing),
});

suggest();
reset();
show();
attend(plane, { replay, wake, paint, show });
