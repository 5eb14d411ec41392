// The moments of a training: what the model made, where it was on its curves, what was going on.
const picture = element.querySelector("img");
const text = element.querySelector("pre");
const curves = element.querySelector(".curves");
const button = element.querySelector("button");
const slider = element.querySelector("input");
const told = element.querySelector(".caption");
const PAUSE = 900; // ms a moment while it plays
const HEIGHT = 84; // px of a curve
let at = 0;
let playing = 0;

const kept = () => props.history || { moments: [], curves: {} };
const number = (value) => Math.round(value).toLocaleString("en");
const time = (seconds) =>
  seconds < 100 ? `${seconds} s` : `${number(seconds / 60)} ${word("minutes")}`;

// What is going on: the latest phase that has begun.
function phase(step) {
  const begun = Object.keys(kept().phases || {})
    .map(Number)
    .filter((first) => first <= step);
  return begun.length ? kept().phases[Math.max(...begun)][language()] : "";
}

function tell() {
  const { moments, unit } = kept();
  const one = moments[at];
  button.textContent = word(playing ? "pause" : "play");
  if (!one) return;
  const values = { step: number(one.step), seen: number(one.seen), time: time(one.seconds) };
  values.unit = word(unit);
  told.textContent = `${filled(word("told"), values)} ${phase(one.step)}`;
  slider.setAttribute("aria-valuetext", told.textContent);
}

// Early steps matter most: the axis is logarithmic.
const across = (step, width) => {
  const { moments, curves: lines } = kept();
  const last = Math.max(moments.at(-1).step, ...Object.values(lines).map((line) => line.at(-1)?.[0] || 1));
  return (Math.log1p(step) / Math.log1p(last)) * (width - 8) + 4;
};

function paintCurve(brush, [name, line], top, width, step) {
  const values = line.map(([, value]) => value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const down = (value) => top + 20 + (1 - (value - low) / (high - low || 1)) * (HEIGHT - 28);
  brush.strokeStyle = colour("loss");
  brush.lineWidth = 1.5;
  brush.beginPath();
  for (const [place, value] of line) brush.lineTo(across(place, width), down(value));
  brush.stroke();
  const here = line.findLast(([place]) => place <= step) || line[0];
  brush.fillStyle = colour("body-text-color");
  brush.font = "13px sans-serif";
  brush.fillText(`${word(name) || name}  ${here[1].toFixed(3)}`, 4, top + 12);
  brush.fillStyle = colour("data");
  brush.beginPath();
  brush.arc(across(Math.max(step, line[0][0]), width), down(here[1]), 4, 0, 7);
  brush.fill();
}

function paint() {
  const { moments, curves: lines } = kept();
  const one = moments[at];
  element.querySelector(".both").hidden = !one;
  element.querySelector(".row").hidden = !one;
  if (!one) return;
  picture.hidden = !one.picture;
  text.hidden = Boolean(one.picture);
  if (one.picture && picture.src !== one.picture) picture.src = one.picture;
  text.textContent = one.text;
  const drawn = Object.entries(lines).filter(([, line]) => line.length > 1);
  curves.style.height = `${HEIGHT * drawn.length}px`;
  if (!curves.clientWidth) return;
  const { context, width, height } = sharpen(curves);
  context.strokeStyle = colour("data");
  context.globalAlpha = 0.5;
  context.beginPath();
  context.moveTo(across(one.step, width), 0);
  context.lineTo(across(one.step, width), height);
  context.stroke();
  context.globalAlpha = 1;
  drawn.forEach((curve, row) => paintCurve(context, curve, row * HEIGHT, width, one.step));
  curves.dataset.painted = at;
}

function show(place) {
  at = Math.max(0, Math.min(kept().moments.length - 1, place));
  slider.value = at;
  tell();
  paint();
}

// The link follows when the visitor stays at a moment.
function keep() {
  props.value = at;
  if (ownBar()?.link().query) ownBar().put("moment", at);
  trigger("pick");
}

function stop() {
  clearInterval(playing);
  playing = 0;
  tell();
}

function play() {
  if (at === kept().moments.length - 1) show(0);
  playing = setInterval(() => {
    if (!element.offsetParent || at === kept().moments.length - 1) {
      stop();
      keep();
    } else show(at + 1);
  }, PAUSE);
  tell();
}

function load() {
  stop();
  slider.max = Math.max(0, kept().moments.length - 1);
  show(props.value || 0);
}

button.addEventListener("click", () => (playing ? stop() : play()));
slider.addEventListener("input", () => {
  stop();
  show(Number(slider.value));
});
slider.addEventListener("change", keep);
watch("history", () => {
  load();
  setTimeout(keep); // the server answers with the moment as it was when it was asked
});
watch("value", () => props.value !== at && show(props.value || 0));
window.addEventListener("aigc:language", () => {
  tell();
  paint();
});
new ResizeObserver(paint).observe(element);
load();
