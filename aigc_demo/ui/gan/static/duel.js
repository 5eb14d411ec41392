// The last click in slow motion: five phases a step, played once, then to go through by hand.
const acts = element.querySelector(".acts");
const told = element.querySelector(".told");
const PHASE = 600; // milliseconds
let moments = []; // [step, phase], of every step that the click took
let at = 0;
let running = 0; // an animation frame, or 0

function paint(grown = 1) {
  const shown = props.shown;
  if (!shown) return;
  if (moments.length) draw(...moments[at], grown);
  else if (shown.before) draw(shown, 2, grown); // else the pictures of its steps are on their way
}

// What the moment says, in words and to assistive technology.
function tell() {
  const shown = props.shown;
  if (!shown) return;
  const [step, phase] = moments[at] || [];
  const text = (step ? step.texts[phase] : shown.text)[language()];
  told.textContent = text;
  canvas.setAttribute("aria-valuetext", text);
  canvas.setAttribute("aria-valuemax", Math.max(1, moments.length));
  canvas.setAttribute("aria-valuenow", at + 1);
  canvas.dataset.at = at;
  acts.querySelectorAll("[data-at]").forEach((button) => {
    button.setAttribute("aria-pressed", Number(button.dataset.at) === at);
  });
}

function stop() {
  cancelAnimationFrame(running);
  running = 0;
}

function go(index) {
  stop();
  at = Math.max(0, Math.min(moments.length - 1, index));
  tell();
  paint();
}

// Every phase unfolds, then the next begins; the last one stays.
function play() {
  stop();
  const begun = performance.now();
  at = 0;
  tell();
  const frame = (now) => {
    if (!canvas.isConnected) return;
    const past = Math.max(0, now - begun);
    const next = Math.min(moments.length - 1, Math.floor(past / PHASE));
    if (next !== at) {
      at = next;
      tell();
    }
    paint(Math.min(1, (past - at * PHASE) / (PHASE * 0.7)));
    running = past < moments.length * PHASE ? requestAnimationFrame(frame) : 0;
  };
  running = requestAnimationFrame(frame);
}

function button(key, index) {
  const made = document.createElement("button");
  made.type = "button";
  made.dataset.word = key;
  if (index >= 0) made.dataset.at = index;
  made.addEventListener("click", () => (index >= 0 ? go(index) : play()));
  return made;
}

// The buttons of the phases: a row a step, led by its player; then one to play it again.
function lay(steps) {
  acts.replaceChildren();
  steps.forEach((step, row) => {
    const act = document.createElement("div");
    act.className = `act ${step.player}`;
    act.setAttribute("role", "group");
    act.dataset.word = "phases";
    act.dataset.as = "label";
    const player = document.createElement("b");
    player.textContent = step.player;
    act.append(player, ...PHASES.map((key, phase) => button(key, row * PHASES.length + phase)));
    acts.append(act);
  });
  if (steps.length && !calm.matches) acts.append(button("replay", -1));
  speak();
}

async function show() {
  const shown = props.shown;
  if (!shown) return;
  stop();
  const steps = shown.steps;
  const sheets = [shown, ...steps].flatMap((s) => [s.noise, s.reals, s.fakes, ...(s.pictures || [])]);
  await decode(sheets);
  if (shown !== props.shown) return; // a later click came in between
  moments = steps.flatMap((step) => PHASES.map((_, phase) => [step, phase]));
  lay(steps);
  if (shown.play && !calm.matches) play();
  else go(moments.length - 1);
  canvas.dataset.painted = Number(canvas.dataset.painted || 0) + 1;
}

canvas.addEventListener("keydown", (event) => {
  const ways = { ArrowLeft: at - 1, ArrowDown: at - 1, ArrowRight: at + 1, ArrowUp: at + 1 };
  const target = { ...ways, Home: 0, End: moments.length - 1 }[event.key];
  if (target === undefined || !moments.length) return;
  event.preventDefault();
  go(target);
});
let touched = null;
canvas.addEventListener("pointerdown", (event) => {
  touched = event.clientX;
});
canvas.addEventListener("pointerup", (event) => {
  const way = touched === null ? 0 : event.clientX - touched;
  touched = null;
  if (Math.abs(way) > 40 && moments.length) go(way < 0 ? at + 1 : at - 1);
});

show();
watch("shown", show);
window.addEventListener("aigc:language", () => {
  tell();
  if (!running) paint();
});
new ResizeObserver(() => running || paint()).observe(element);
