// The latent plane: a point to drag about. While it moves, the browser decodes; when it rests, the
// server's exact picture and the judge's reading arrive. Without a decoder the server does it all.
const decoded = element.querySelector("canvas.decoded");
const real = element.querySelector("canvas.real");
const caption = element.querySelector(".caption");
const answer = new Image();
const sheet = new Image(); // the test digits
const NEAR = 12; // CSS pixels
let point = { x: 0, y: 0, ...props.value };
let held = false; // under a finger, a mouse button or a key
let moved = false; // since it was last decoded
let pointed = null; // where the mouse points, in CSS pixels of the plane
let visited = []; // test digits that the key N has been to
let asked = false; // for a frame
let fetching = false;

const place = (x, y) => `(${x.toFixed(2)}, ${y.toFixed(2)})`;
const text = (x, y) => `z = ${place(x, y)}`;
const answered = () => props.at && props.at.x === point.x && props.at.y === point.y;

function ask() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(frame);
}

function frame() {
  asked = false;
  if (!canvas.clientWidth) return;
  if (moved && layers) {
    decoded.getContext("2d").putImageData(picture(point.x, point.y), 0, 0);
    decoded.dataset.painted = text(point.x, point.y);
    caption.textContent = text(point.x, point.y);
  }
  moved = false;
  if (paintGround()) ask();
  paintPoint();
  paintReal();
}

function ring(x, y, radius, colour, width) {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.stroke();
}

function paintPoint() {
  const [x, y] = [across(point.x), down(point.y)];
  context.fillStyle = "#cc79a7";
  context.beginPath();
  context.arc(x, y, 9, 0, 2 * Math.PI);
  context.fill();
  ring(x, y, 9, "#fff", 3);
  ring(x, y, 9, "#000", 1);
}

// The test digit nearest to a place on the plane, or -1: within so many CSS pixels, and not one of
// some to be left out.
function nearest(x, y, limit, without = []) {
  let best = -1;
  points.forEach((digit, i) => {
    const far = Math.hypot(across(digit[0]) - x, down(digit[1]) - y);
    if (far >= limit || without.includes(i)) return;
    [best, limit] = [i, far];
  });
  return best;
}

// The test digit under the mouse, or else under the point: ringed here, its picture beside it.
function paintReal() {
  let index = pointed && !boxes.grid.checked ? nearest(pointed.x, pointed.y, NEAR) : -1;
  if (index < 0) index = nearest(across(point.x), down(point.y), NEAR);
  const digit = points[index];
  if (digit) {
    ring(across(digit[0]), down(digit[1]), 11, "#000", 4);
    ring(across(digit[0]), down(digit[1]), 11, "#fff", 2);
  }
  const told = digit ? filled(word("real"), { digit: digit[2], z: place(...digit) }) : word("no_real");
  canvas.setAttribute("aria-valuetext", text(point.x, point.y) + (digit ? ` · ${told}` : ""));
  const wanted = [index, sheet.naturalWidth, told].join();
  if (real.dataset.painted === wanted) return;
  real.dataset.painted = wanted;
  real.classList.toggle("empty", !digit);
  real.setAttribute("aria-label", told);
  element.querySelector(".about").textContent = told;
  const ink = real.getContext("2d");
  ink.clearRect(0, 0, SIDE, SIDE);
  if (!digit || !sheet.naturalWidth) return;
  const columns = sheet.naturalWidth / SIDE;
  const [x, y] = [(index % columns) * SIDE, Math.floor(index / columns) * SIDE];
  ink.drawImage(sheet, x, y, SIDE, SIDE, 0, 0, SIDE, SIDE);
}

// Moves the point, within what is seen.
function move(x, y) {
  const near = (value, centre) => Math.max(centre - view.half, Math.min(centre + view.half, value));
  point = { x: Number(near(x, view.x).toFixed(3)), y: Number(near(y, view.y).toFixed(3)) };
  held = moved = true;
  caption.setAttribute("aria-busy", "true"); // a reader waits for the sentence of the judge
  if (!layers) send();
  ask();
}

function send() {
  props.value = point;
  trigger("move");
}

// The point rests: now the exact picture, unless it is here.
function settle() {
  if (!held) return;
  held = false;
  caption.removeAttribute("aria-busy");
  if (answered()) show();
  else send();
}

function look(zoom) {
  view.half = reach / zoom;
  centre();
  for (const button of element.querySelectorAll(".zoom button")) {
    button.setAttribute("aria-pressed", String(Number(button.value) === zoom));
  }
}

// Brings the point to the middle of the view, as far as the plane reaches.
function centre() {
  const room = reach - view.half;
  view.x = Math.max(-room, Math.min(room, point.x));
  view.y = Math.max(-room, Math.min(room, point.y));
  ask();
}

function under(event) {
  const box = canvas.getBoundingClientRect();
  return { x: event.clientX - box.left, y: event.clientY - box.top };
}

function follow(event) {
  const { x, y } = under(event);
  visited = [];
  const along = (pixels) => (pixels / canvas.clientWidth - 0.5) * 2 * view.half;
  move(view.x + along(x), view.y - along(y));
}

canvas.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  fetchParts();
  canvas.setPointerCapture(event.pointerId);
  pointed = null;
  follow(event);
});
canvas.addEventListener("pointermove", (event) => {
  if (event.buttons) return void (held && follow(event));
  pointed = under(event);
  ask();
});
canvas.addEventListener("pointerleave", () => {
  pointed = null;
  ask();
});
for (const name of ["pointerup", "pointercancel", "keyup", "blur"]) {
  canvas.addEventListener(name, settle);
}

// Goes somewhere by the keyboard; the view comes along when the point would leave it.
function go(x, y) {
  const inside = (value) => Math.max(-reach, Math.min(reach, value));
  point = { x: inside(x), y: inside(y) };
  const away = Math.max(Math.abs(point.x - view.x), Math.abs(point.y - view.y));
  if (away > view.half) centre();
  move(point.x, point.y);
}

canvas.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  const way = ways[event.key];
  if (!way && event.key.toLowerCase() !== "n") return;
  event.preventDefault();
  fetchParts();
  pointed = null;
  if (way) {
    visited = [];
    go(point.x + (way[0] * view.half) / 25, point.y + (way[1] * view.half) / 25);
    return;
  }
  const here = nearest(across(point.x), down(point.y), 1);
  const outside = points.flatMap(([x, y], i) => (Math.max(Math.abs(x), Math.abs(y)) > reach ? [i] : []));
  visited = [...visited, here].slice(-50);
  const next = nearest(across(point.x), down(point.y), Infinity, [...visited, ...outside]);
  if (next >= 0) go(points[next][0], points[next][1]);
});

for (const box of Object.values(boxes)) box.addEventListener("change", ask);
for (const button of element.querySelectorAll(".zoom button")) {
  button.addEventListener("click", () => look(Number(button.value)));
}

// The server's picture is shown where the point still is; a later one is on its way otherwise.
answer.addEventListener("load", () => {
  if (layers && (held || !answered())) return;
  decoded.getContext("2d").drawImage(answer, 0, 0);
  decoded.dataset.painted = text(point.x, point.y);
});
function show() {
  if (layers && (held || !answered())) return;
  speak();
  if (props.strip) answer.src = addressOf(props.strip);
}

// Test digits and decoder, once, when the map is first seen; again if the network failed.
async function fetchParts() {
  if (fetching) return;
  fetching = true;
  try {
    const [, decoder] = await Promise.all([fetchDigits(), server.map_decoder()]);
    if (decoder) layers = readDecoder(decoder);
    boxes.grid.disabled = !layers;
    boxes.grid.parentElement.hidden = !layers;
    canvas.dataset.ready = layers ? "browser" : "server";
  } catch {
    fetching = false;
  }
}

async function fetchDigits() {
  const digits = points.length ? null : await server.map_digits();
  if (!digits) return;
  points = digits.points;
  sheet.src = digits.sheet;
  boxes.density.disabled = false;
  ask();
}

// A link moves the point: the server says where to, and its picture comes along.
function jump() {
  if (held) return;
  point = { ...props.value };
  centre();
  show();
}

sheet.addEventListener("load", ask);
show();
watch("value", jump);
watch(["strip", "texts"], show);
window.addEventListener("aigc:language", ask);
new ResizeObserver(ask).observe(canvas);
fetchParts();
