// A square to draw a digit on with mouse, finger or pen, or to fill from a photograph.
// Python receives base64 bytes: 28 x 28 of a drawing, 140 x 140 of a photograph.
const PHOTO = 140;
const canvas = element.querySelector("canvas");
const context = canvas.getContext("2d", { willReadFrequently: true });
const sheet = element.querySelector(".sheet"); // says what it is for while it is blank
const scale = canvas.width / SIDE;
const file = element.querySelector("input[type=file]");
const small = document.createElement("canvas");
let last = null;
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
  context.strokeStyle = "#fff";
  context.lineWidth = 2.4 * scale;
  context.lineCap = context.lineJoin = "round";
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(...to);
  context.stroke();
}

function greys(source, side, x, y, width, height) {
  small.width = small.height = side;
  const target = small.getContext("2d", { willReadFrequently: true });
  target.imageSmoothingQuality = "high";
  target.drawImage(source, x, y, width, height, 0, 0, side, side);
  const data = target.getImageData(0, 0, side, side).data;
  let bytes = "";
  for (let i = 0; i < data.length; i += 4) {
    bytes += String.fromCharCode(Math.round((data[i] + data[i + 1] + data[i + 2]) / 3));
  }
  return btoa(bytes);
}

canvas.addEventListener("pointerdown", (event) => {
  event.preventDefault();
  canvas.setPointerCapture(event.pointerId);
  last = place(event);
  line(last, last);
});
canvas.addEventListener("pointermove", (event) => {
  if (!last) return;
  const next = place(event);
  line(last, next);
  last = next;
});
for (const end of ["pointerup", "pointercancel"]) {
  canvas.addEventListener(end, () => {
    if (!last) return;
    last = null;
    props.value = mine = greys(canvas, SIDE, 0, 0, canvas.width, canvas.height);
    trigger("stroke");
  });
}
element.querySelector("[data-word=clear]").addEventListener("click", () => {
  wipe();
  props.value = "";
});
element.querySelector("[data-word=photo]").addEventListener("click", () => file.click());
file.addEventListener("change", async () => {
  if (!file.files.length) return;
  try {
    const picture = await createImageBitmap(file.files[0]);
    const side = Math.min(picture.width, picture.height);
    const x = (picture.width - side) / 2;
    props.value = greys(picture, PHOTO, x, (picture.height - side) / 2, side, side);
  } catch {
    props.value = "unreadable";
  }
  file.value = "";
  trigger("stroke");
});

// The digit as the model sees it, sent back by the server.
function show() {
  if (!props.strip) return;
  const seen = new Image();
  seen.addEventListener("load", () => {
    context.imageSmoothingEnabled = false;
    context.drawImage(seen, 0, 0, SIDE, SIDE, 0, 0, canvas.width, canvas.height);
    sheet.classList.remove("blank");
    props.value = mine = greys(seen, SIDE, 0, 0, SIDE, SIDE);
  });
  seen.src = props.strip;
}

// What a link brings, 28 x 28, for the pad itself to show.
function restore() {
  const value = props.value || "";
  if (value === mine) return;
  mine = value;
  wipe();
  if (value.length !== 4 * Math.ceil((SIDE * SIDE) / 3)) return; // a photograph, or nothing
  const bytes = atob(value);
  small.width = small.height = SIDE;
  const target = small.getContext("2d");
  const image = target.createImageData(SIDE, SIDE);
  for (let i = 0; i < bytes.length; i++) image.data.set([...Array(3).fill(bytes.charCodeAt(i)), 255], 4 * i);
  target.putImageData(image, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, canvas.width, canvas.height);
  sheet.classList.remove("blank");
}

wipe();
show();
restore();
watch("strip", show);
watch("value", restore);
