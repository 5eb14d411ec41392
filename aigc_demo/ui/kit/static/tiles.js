// A sheet of digits: one picture with all of them side by side, laid out in rows that fit.
const canvas = element.querySelector("canvas");
const context = canvas.getContext("2d");
const sheet = new Image();
let columns = 1;
let chosen = -1;

// Sets the columns and returns the scale: one line as long as it fits at twice the size or more,
// or, for a field of digits, the largest scale at which all rows fit well under the controls.
function arrange(count) {
  const room = element.clientWidth || 300;
  const fitting = (scale) => Math.max(1, Math.min(count, Math.floor(room / (SIDE * scale))));
  if (!props.field) {
    const wide = props.whole ? props.columns : Math.min(props.columns, fitting(2));
    const rows = Math.ceil(count / wide);
    columns = Math.ceil(count / rows);
    return wholeScale(columns);
  }
  let scale = props.largest;
  const tall = () => Math.ceil(count / fitting(scale)) * SIDE * scale > window.innerHeight * 0.56;
  while (scale > 2 && (tall() || SIDE * scale > room)) scale -= 1;
  columns = fitting(scale);
  return scale;
}

function paint() {
  const count = props.count || 0;
  if (!count || !sheet.complete || !sheet.naturalWidth) return;
  const scale = arrange(count);
  const rows = Math.ceil(count / columns);
  canvas.width = SIDE * columns;
  canvas.height = SIDE * rows;
  canvas.style.width = `${SIDE * columns * scale}px`;
  canvas.style.height = `${SIDE * rows * scale}px`;
  canvas.parentElement.style.setProperty("--lines", `${100 / columns}% ${100 / rows}%`);
  for (let i = 0; i < count; i++) {
    const x = (i % columns) * SIDE;
    const y = Math.floor(i / columns) * SIDE;
    context.drawImage(sheet, i * SIDE, 0, SIDE, SIDE, x, y, SIDE, SIDE);
  }
  if (chosen >= 0 && chosen < count) {
    context.strokeStyle = "#56b4e9";
    context.lineWidth = 2;
    const y = Math.floor(chosen / columns) * SIDE;
    context.strokeRect((chosen % columns) * SIDE + 1, y + 1, SIDE - 2, SIDE - 2);
  }
  canvas.dataset.painted = props.strip.length;
}

function load() {
  if (props.strip) sheet.src = addressOf(props.strip);
}

function pick(index) {
  chosen = Math.max(0, Math.min(props.count - 1, index));
  paint();
  props.value = chosen;
  trigger("pick");
}

if (props.choosing) {
  canvas.tabIndex = 0;
  canvas.style.cursor = "pointer";
  canvas.addEventListener("click", (event) => {
    const box = canvas.getBoundingClientRect();
    const column = Math.floor(((event.clientX - box.left) / box.width) * columns);
    const row = Math.floor(((event.clientY - box.top) / box.height) * (canvas.height / SIDE));
    if (row * columns + column < props.count) pick(row * columns + column);
  });
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    pick(chosen + step);
  });
}

sheet.addEventListener("load", paint);
load();
watch("strip", load);
if (props.choosing) {
  watch("value", () => {
    chosen = props.value ?? -1;
    paint();
  });
}
new ResizeObserver(paint).observe(element);
