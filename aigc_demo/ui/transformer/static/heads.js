// All attention maps small, one of them large: rows look, columns are looked at, the future is masked.
const thumbs = element.querySelector(".thumbs");
const map = element.querySelector(".map");
const reading = element.querySelector(".reading");
const sheet = new Image();
const GAP = 3;
const LABEL = 16; // room for the tokens beside the map
let cell = { row: 0, column: 0 };

const shown = () => props.attention;

function paintThumbs() {
  const all = shown();
  if (!all || !sheet.complete || !sheet.naturalWidth) return;
  const room = Math.min(element.clientWidth, 380);
  const side = Math.floor(room / all.heads) - GAP;
  thumbs.width = all.heads * (side + GAP);
  thumbs.height = all.layers * (side + GAP);
  const brush = thumbs.getContext("2d");
  brush.imageSmoothingEnabled = false;
  const size = all.tokens.length;
  for (let i = 0; i < all.layers * all.heads; i++) {
    const x = (i % all.heads) * (side + GAP);
    const y = Math.floor(i / all.heads) * (side + GAP);
    brush.drawImage(sheet, i * size, 0, size, size, x, y, side, side);
  }
  brush.strokeStyle = colour("attention");
  brush.lineWidth = 3;
  const x = (all.head - 1) * (side + GAP);
  brush.strokeRect(x + 1, (all.layer - 1) * (side + GAP) + 1, side - 2, side - 2);
  thumbs.setAttribute("aria-valuetext", about());
  thumbs.dataset.painted = `${all.layer}.${all.head}.${sheet.src.length}`;
}

// What the chosen head is called.
function about() {
  const all = shown();
  const habit = all.habits[all.layer - 1]?.[all.head - 1];
  if (!habit) return ""; // the corpus has no text that the model can read
  const { layer, head } = all;
  if (habit.name === "spread") return filled(word("spread"), { layer, head });
  return filled(word("habit"), {
    layer,
    head,
    habit: word(habit.name),
    share: (100 * habit.share).toFixed(0),
    even: (100 * habit.even).toFixed(0),
  });
}

function paintMap() {
  const all = shown();
  if (!all || !element.clientWidth) return;
  const size = all.tokens.length;
  const room = Math.min(map.parentElement.clientWidth, 560) - LABEL;
  const side = Math.max(6, Math.min(24, Math.floor(room / size)));
  map.style.width = map.style.height = `${size * side + LABEL}px`;
  const { context: brush } = sharpen(map);
  brush.font = `${Math.min(12, side)}px sans-serif`;
  brush.textAlign = "center";
  brush.textBaseline = "middle";
  for (let i = 0; i < size; i++) {
    brush.fillStyle = colour("quiet");
    const mark = all.tokens[i].replace(/^⟨/, "")[0]; // of a control token what stands inside
    brush.fillText(mark, LABEL + (i + 0.5) * side, LABEL / 2);
    brush.fillText(mark, LABEL / 2, LABEL + (i + 0.5) * side);
    for (let j = 0; j < size; j++) {
      const [x, y] = [LABEL + j * side, LABEL + i * side];
      brush.fillStyle = j > i ? colour("background-fill-secondary") : colour("attention");
      brush.globalAlpha = j > i ? 1 : Math.sqrt(all.weights[i][j]);
      brush.fillRect(x, y, side - 1, side - 1);
    }
  }
  brush.globalAlpha = 1;
  brush.fillStyle = colour("quiet");
  brush.font = "12px sans-serif";
  brush.fillText(word("masked"), LABEL + size * side * 0.72, LABEL + size * side * 0.2);
  brush.strokeStyle = colour("loss");
  brush.lineWidth = 2;
  brush.strokeRect(LABEL + cell.column * side - 1, LABEL + cell.row * side - 1, side + 1, side + 1);
  map.dataset.side = side;
  map.dataset.painted = `${all.layer}.${all.head}`;
  tell();
}

function tell() {
  const all = shown();
  const { row, column } = cell;
  const values = { from: all.tokens[row], to: all.tokens[column] };
  const known = column > row;
  values.weight = known ? "" : all.weights[row][column].toFixed(3);
  reading.textContent = `${about()} ${filled(word(known ? "future" : "looks"), values)}`;
  map.setAttribute("aria-valuetext", reading.textContent);
}

function point(row, column) {
  const last = shown().tokens.length - 1;
  cell = { row: Math.max(0, Math.min(last, row)), column: Math.max(0, Math.min(last, column)) };
  paintMap();
}

function choose(layer, head) {
  const all = shown();
  if (layer < 1 || head < 1 || layer > all.layers || head > all.heads) return;
  props.value = [layer, head];
  trigger("pick");
}

function under(event) {
  const box = map.getBoundingClientRect();
  const side = Number(map.dataset.side);
  const place = (at) => Math.floor((at - LABEL) / side);
  point(place(event.clientY - box.top), place(event.clientX - box.left));
}

map.addEventListener("pointermove", (event) => shown() && under(event));
map.addEventListener("pointerdown", (event) => shown() && under(event));
map.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
  if (!step || !shown()) return;
  event.preventDefault();
  point(cell.row + step[0], cell.column + step[1]);
});
thumbs.addEventListener("pointerdown", (event) => {
  const box = thumbs.getBoundingClientRect();
  const all = shown();
  if (!all) return;
  const row = Math.floor(((event.clientY - box.top) / box.height) * all.layers);
  choose(row + 1, Math.floor(((event.clientX - box.left) / box.width) * all.heads) + 1);
});
thumbs.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
  const all = shown();
  if (!step || !all) return;
  event.preventDefault();
  choose(all.layer + step[0], all.head + step[1]);
});

function load() {
  const all = shown();
  if (!all) return;
  const last = all.tokens.length - 1;
  cell = { row: Math.min(all.row, last), column: Math.min(all.column, last) };
  sheet.src = all.sheet;
  paintMap();
  paintThumbs();
}

sheet.addEventListener("load", paintThumbs);
load();
watch("attention", load);
window.addEventListener("aigc:language", load);
new ResizeObserver(load).observe(element);
