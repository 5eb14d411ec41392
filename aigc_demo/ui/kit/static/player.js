// Frames from one sheet, played there and back; a slider holds any of them still.
const canvas = element.querySelector("canvas");
const context = canvas.getContext("2d");
const slider = element.querySelector("input");
const button = element.querySelector("button");
const speed = element.querySelector("select");
const sheet = new Image();
let playing = !calm.matches;
let forth = 1;
let clock = 0;

function paint() {
  if (!sheet.complete || !sheet.naturalWidth) return;
  const scale = wholeScale(1);
  canvas.style.width = canvas.style.height = `${SIDE * scale}px`;
  context.drawImage(sheet, slider.value * SIDE, 0, SIDE, SIDE, 0, 0, SIDE, SIDE);
  canvas.dataset.frame = slider.value;
}

function show() {
  button.dataset.word = playing ? "pause" : "play";
  speak();
}

function tick() {
  if (!canvas.isConnected) return clearInterval(clock);
  if (!playing || !element.clientWidth) return undefined;
  const last = props.count - 1;
  let next = Number(slider.value) + forth;
  if (next < 0 || next > last) {
    forth = -forth;
    next = Number(slider.value) + forth;
  }
  slider.value = next;
  return paint();
}

function run() {
  clearInterval(clock);
  clock = setInterval(tick, 70 / Number(speed.value));
}

function load() {
  if (!props.strip) return;
  slider.max = props.count - 1;
  slider.value = 0;
  forth = 1;
  sheet.src = addressOf(props.strip);
}

button.addEventListener("click", () => {
  playing = !playing;
  show();
});
slider.addEventListener("input", () => {
  playing = false;
  show();
  paint();
});
sheet.addEventListener("load", paint);
load();
show();
watch("strip", load);
new ResizeObserver(paint).observe(element);
speed.addEventListener("change", run);
run();
