// A square to draw a digit on with mouse, finger, pen or keys, or to fill from a photograph.
// ui/kit/drawings.py tells what Python receives.
const PHOTO = 224; // pixels of the longer side of a photograph
const DRAWN = 4 * SIDE;
const WAYS = 30; // that can be undone
const canvas = element.querySelector(".sheet canvas");
const context = canvas.getContext("2d", { willReadFrequently: true });
const sheet = element.querySelector(".sheet"); // says what it is for while it is blank
const seen = element.querySelector("canvas.seen");
const view = element.querySelector(".view-of");
const scale = canvas.width / SIDE;
const file = element.querySelector("input[type=file]");
const small = document.createElement("canvas");
const button = (name) => element.querySelector(`[data-word=${name}]`);
const ink = sheet.classList.contains("gap") ? colour("discriminator") : "#fff";
const undo = button("undo");
const rubber = button("eraser");
const asDrawn = element.querySelector("input[type=checkbox]");
const past = []; // what the pad showed before each stroke
let last = null;
let erasing = false;
let turned = false; // whether the eraser is there as the other end of the pen
let mine = ""; // the value that this pad has made or shown

function wipe() {
  context.fillStyle = "#000";
  context.fillRect(0, 0, canvas.width, canvas.height);
  sheet.classList.add("blank");
}

function place(event) {
  const box = canvas.getBoundingClientRect();
  const x = ((event.clientX - box.left) / box.width) * canvas.width;
  return [x, ((event.clientY - box.top) / box.height) * canvas.height];
}

function line(from, to) {
  sheet.classList.remove("blank");
  context.strokeStyle = erasing ? "#000" : ink;
  context.lineWidth = (erasing ? 4.8 : 2.4) * scale;
  context.lineCap = context.lineJoin = "round";
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(...to);
  context.stroke();
}

function greys(source, width, height, paper = "#000") {
  [small.width, small.height] = [width, height];
  const target = small.getContext("2d", { willReadFrequently: true });
  target.imageSmoothingQuality = "high";
  target.fillStyle = paper;
  target.fillRect(0, 0, width, height);
  target.drawImage(source, 0, 0, width, height);
  const { data } = target.getImageData(0, 0, width, height);
  const levels = new Uint8Array(width * height);
  for (let i = 0; i < levels.length; i++)
    levels[i] = Math.round((data[4 * i] + data[4 * i + 1] + data[4 * i + 2]) / 3);
  return levels;
}

function base64(levels) {
  let bytes = "";
  for (const level of levels) bytes += String.fromCharCode(level);
  return btoa(bytes);
}

function remember() {
  past.push(context.getImageData(0, 0, canvas.width, canvas.height));
  if (past.length > WAYS) past.shift();
  undo.disabled = false;
}

// What stands on the pad goes to the server, or, when nothing does, nothing.
function send() {
  const drawn = greys(canvas, DRAWN, DRAWN);
  const blank = !drawn.some((level) => level > 80);
  sheet.classList.toggle("blank", blank);
  if (blank) {
    if (props.value) forget(); // and not again: the server may hear it after the next stroke
    return;
  }
  props.value = mine = asDrawn.checked
    ? `raw:${base64(greys(canvas, SIDE, SIDE))}`
    : base64(drawn);
  trigger("stroke");
}

// The pad is blank: the result of what was drawn goes too.
function forget() {
  props.value = mine = "";
  props.strip = "";
  trigger("cleared");
}

canvas.addEventListener("pointerdown", (event) => {
  event.preventDefault();
  canvas.focus({ preventScroll: true });
  canvas.setPointerCapture(event.pointerId);
  remember();
  if (event.buttons & 32 && !erasing) {
    setEraser(true); // the other end of a pen: until it is lifted
    turned = true;
  }
  last = place(event);
  line(last, last);
});
canvas.addEventListener("pointermove", (event) => {
  if (!last) return;
  const next = place(event);
  line(last, next);
  last = next;
});
for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, penUp);

function penUp() {
  if (!last) return;
  last = null;
  if (turned) setEraser(false);
  send();
}

function takeBack() {
  if (!past.length) return;
  context.putImageData(past.pop(), 0, 0);
  undo.disabled = !past.length;
  send();
}

function setEraser(on) {
  erasing = on;
  turned = false;
  rubber.setAttribute("aria-pressed", String(on));
}

function clear() {
  if (!sheet.classList.contains("blank")) remember();
  wipe();
  setEraser(false);
  forget();
}

// Keys: a pen that the arrows move, and that draws while Shift is held.
let pen = [canvas.width / 2, canvas.height / 4];
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
canvas.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === "z") takeBack();
  else if (event.key === "e") setEraser(!erasing);
  else if (event.key === "Delete") clear();
  else if (event.key in ARROWS) {
    const to = pen.map((at, axis) =>
      Math.min(canvas.width, Math.max(0, at + scale * ARROWS[event.key][axis])),
    );
    if (event.shiftKey) {
      if (!last) remember();
      line(pen, to);
      last = to;
    }
    pen = to;
    sheet.style.setProperty("--pen-x", `${(100 * pen[0]) / canvas.width}%`);
    sheet.style.setProperty("--pen-y", `${(100 * pen[1]) / canvas.height}%`);
    sheet.classList.add("by-keys");
  } else return;
  event.preventDefault();
});
canvas.addEventListener("keyup", ({ key }) => key === "Shift" && penUp());
canvas.addEventListener("blur", () => {
  sheet.classList.remove("by-keys");
  penUp(); // the key comes up elsewhere
});

undo.addEventListener("click", takeBack);
rubber.addEventListener("click", () => setEraser(!erasing));
button("clear").addEventListener("click", clear);
asDrawn.addEventListener("change", () => !sheet.classList.contains("blank") && send());
button("photo").addEventListener("click", () => file.click());
file.addEventListener("change", async () => {
  if (!file.files.length) return;
  try {
    const picture = await createImageBitmap(file.files[0]);
    const shrink = Math.min(1, PHOTO / Math.max(picture.width, picture.height));
    const [width, height] = [picture.width, picture.height].map((side) =>
      Math.max(1, Math.round(side * shrink)),
    );
    let levels = greys(picture, width, height, "#fff");
    if (Math.min(...levels) > 250) levels = greys(picture, width, height); // white on nothing
    props.value = `photo:${width}x${height}:${base64(levels)}`;
  } catch {
    props.value = "unreadable";
  }
  file.value = "";
  remember();
  trigger("stroke");
});

// The digit as the model sees it, sent back by the server.
function show() {
  view.hidden = !props.strip;
  if (!props.strip) return;
  const picture = new Image();
  picture.addEventListener("load", () => {
    seen.getContext("2d").drawImage(picture, 0, 0, SIDE, SIDE, 0, 0, SIDE, SIDE);
    seen.dataset.painted = "yes";
  });
  picture.src = addressOf(props.strip);
}

// What a link, a shelf or a photograph brings, 28 x 28, for the pad itself to show.
function restore() {
  const value = props.value || "";
  if (value === mine) return;
  mine = value;
  if (!value.startsWith("raw:")) {
    if (value.startsWith("photo:")) return; // its 28 x 28 come back
    wipe();
    return;
  }
  wipe();
  const bytes = atob(value.slice(4));
  small.width = small.height = SIDE;
  const target = small.getContext("2d");
  const image = target.createImageData(SIDE, SIDE);
  for (let i = 0; i < bytes.length; i++) image.data.set([...Array(3).fill(bytes.charCodeAt(i)), 255], 4 * i);
  target.putImageData(image, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, canvas.width, canvas.height);
  context.globalCompositeOperation = "multiply";
  context.fillStyle = ink;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.globalCompositeOperation = "source-over";
  sheet.classList.remove("blank");
}

// The digit that is painted over, in the place of the paper.
function lay() {
  sheet.style.backgroundImage = props.under ? `url("${props.under}")` : "";
}

wipe();
show();
lay();
restore();
watch("strip", show);
watch("value", restore);
watch("under", lay);
