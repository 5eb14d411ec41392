// A model as a row of parts; the chosen one shows what it made of this digit, channel by channel.
const flow = element.querySelector(".flow");
const canvas = element.querySelector("canvas");
const context = canvas.getContext("2d");
const reading = element.querySelector(".reading");
const sheet = new Image();
const GAP = 2;
let chosen = 0;
let channel = -1;
let scale = 1;
let columns = 1;

const part = () => (props.parts || [])[chosen];

function build() {
  flow.replaceChildren();
  let group = null;
  for (const [place, one] of (props.parts || []).entries()) {
    if (!group || group.dataset.player !== one.player) {
      group = node("div", `group ${one.player}`);
      group.dataset.player = one.player;
      group.append(node("span", "player", word((props.names || {})[one.player] || one.player)));
      flow.append(group);
    }
    const button = node("button", "part");
    button.setAttribute("aria-pressed", String(place === chosen));
    button.append(node("b", "", one.title), node("span", "", one.shape));
    button.addEventListener("click", () => choose(place));
    group.append(button);
  }
}

// The largest whole scale at which all maps of the part fit into a field 320 pixels high.
function arrange(one) {
  const room = element.clientWidth || 300;
  for (scale = Math.min(10, Math.floor(room / one.width) || 1); scale >= 1; scale -= 1) {
    columns = Math.max(1, Math.min(one.count, Math.floor(room / (one.width * scale + GAP))));
    const rows = Math.ceil(one.count / columns);
    if (rows * (one.height * scale + GAP) <= 320) break;
  }
  scale = Math.max(1, scale);
}

function place(index) {
  const one = part();
  const x = (index % columns) * (one.width * scale + GAP);
  return [x, Math.floor(index / columns) * (one.height * scale + GAP)];
}

function paint() {
  const one = part();
  if (!one || !sheet.complete || !sheet.naturalWidth) return;
  arrange(one);
  canvas.width = columns * (one.width * scale + GAP);
  canvas.height = Math.ceil(one.count / columns) * (one.height * scale + GAP);
  context.imageSmoothingEnabled = false;
  for (let i = 0; i < one.count; i++) {
    const [x, y] = place(i);
    const [w, h] = [one.width, one.height];
    context.drawImage(sheet, i * w, 0, w, h, x, y, w * scale, h * scale);
  }
  if (channel >= 0) {
    const [x, y] = place(channel);
    context.strokeStyle = "#56b4e9";
    context.lineWidth = 2;
    context.strokeRect(x, y, one.width * scale, one.height * scale);
  }
  canvas.dataset.painted = `${chosen}:${one.sheet.length}`;
  tell(one);
}

function tell(one) {
  const [low, high] = channel < 0 ? one.range : one.ranges[channel];
  const known = { k: channel + 1, count: one.count, low, high };
  reading.textContent = filled(word(channel < 0 ? "all_maps" : "one_map"), known);
  canvas.setAttribute("aria-valuetext", `${one.title}, ${one.shape}: ${reading.textContent}`);
}

function load() {
  const count = (props.parts || []).length;
  chosen = Math.min(props.value || 0, Math.max(0, count - 1));
  build();
  channel = -1;
  if (count) sheet.src = part().sheet;
}

function choose(index) {
  props.value = index;
  load();
  trigger("pick");
}

function select(index) {
  channel = Math.max(0, Math.min(part().count - 1, index));
  paint();
}

canvas.addEventListener("pointerdown", (event) => {
  const box = canvas.getBoundingClientRect();
  const one = part();
  if (!one) return;
  const stretch = canvas.width / box.width;
  const column = Math.floor(((event.clientX - box.left) * stretch) / (one.width * scale + GAP));
  const row = Math.floor(((event.clientY - box.top) * stretch) / (one.height * scale + GAP));
  select(row * columns + Math.min(column, columns - 1));
});
canvas.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
  if (step === undefined || !part()) return;
  event.preventDefault();
  select(channel + step);
});

sheet.addEventListener("load", paint);
load();
watch(["parts", "value"], load);
window.addEventListener("aigc:language", () => {
  build();
  if (part()) tell(part());
});
new ResizeObserver(paint).observe(element);
