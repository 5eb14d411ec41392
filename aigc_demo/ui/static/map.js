// The latent plane: test digits where the encoder puts them, and a point to drag about.
const canvas = element.querySelector("canvas.plane");
const context = canvas.getContext("2d");
const decoded = element.querySelector("canvas.decoded");
const ink = decoded.getContext("2d");
const picture = new Image();
const reach = props.reach;
let point = { x: 0, y: 0, ...(props.value || {}) };
let dragging = false;

function paint() {
  const size = canvas.clientWidth;
  if (!size) return;
  const dots = window.devicePixelRatio || 1;
  canvas.width = canvas.height = Math.round(size * dots);
  context.setTransform(dots, 0, 0, dots, 0, 0);
  const across = (x) => ((x + reach) / (2 * reach)) * size;
  const down = (y) => ((reach - y) / (2 * reach)) * size;
  const style = getComputedStyle(element);
  const line = style.getPropertyValue("--border-color-primary") || "#999";
  context.strokeStyle = line;
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(across(0), 0);
  context.lineTo(across(0), size);
  context.moveTo(0, down(0));
  context.lineTo(size, down(0));
  context.stroke();
  context.font = "bold 10px sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (const [x, y, label] of props.points || []) {
    context.fillStyle = props.colours[label];
    context.fillText(String(label), across(x), down(y));
  }
  context.lineWidth = 3;
  context.strokeStyle = "#fff";
  context.fillStyle = "#cc79a7";
  context.beginPath();
  context.arc(across(point.x), down(point.y), 9, 0, 2 * Math.PI);
  context.fill();
  context.stroke();
  context.lineWidth = 1;
  context.strokeStyle = "#000";
  context.stroke();
  canvas.setAttribute("aria-valuetext", `z = (${point.x.toFixed(2)}, ${point.y.toFixed(2)})`);
}

const inside = (value) => Math.max(-reach, Math.min(reach, value));

function move(x, y, kind) {
  point = { x: Number(inside(x).toFixed(3)), y: Number(inside(y).toFixed(3)) };
  paint();
  props.value = point;
  trigger(kind, point);
}

function follow(event, kind) {
  const box = canvas.getBoundingClientRect();
  const x = ((event.clientX - box.left) / box.width) * 2 - 1;
  move(x * reach, (1 - ((event.clientY - box.top) / box.height) * 2) * reach, kind);
}

canvas.addEventListener("pointerdown", (event) => {
  dragging = true;
  canvas.setPointerCapture(event.pointerId);
  follow(event, "move");
});
canvas.addEventListener("pointermove", (event) => dragging && follow(event, "move"));
canvas.addEventListener("pointerup", (event) => {
  if (dragging) follow(event, "move");
  dragging = false;
});
canvas.addEventListener("pointercancel", () => {
  dragging = false;
});
canvas.addEventListener("keydown", (event) => {
  const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  const way = ways[event.key];
  if (!way) return;
  event.preventDefault();
  move(point.x + (way[0] * reach) / 25, point.y + (way[1] * reach) / 25, "move");
});

picture.onload = () => {
  ink.drawImage(picture, 0, 0);
  decoded.dataset.painted = props.strip.length;
};
function show() {
  if (props.strip) picture.src = props.strip;
}
show();
watch("strip", show);
new ResizeObserver(paint).observe(canvas);
