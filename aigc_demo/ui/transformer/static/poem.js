// A poem read closely: marks of tone or pinyin at its characters, or set vertically as a picture.
const page = element.querySelector(".page");
const scroll = element.querySelector("canvas");
const note = element.querySelector(".note");
const save = element.querySelector(".save");
const MARKS = { 平: "○", 仄: "●", 平仄: "◐" };
const FACE = '"Kaiti SC", KaiTi, STKaiti, "Noto Serif CJK SC", "Noto Sans CJK SC", serif';
const CELL = 46; // pixels from character to character
const MARGIN = 44;
const SEAL = ["机", "器", "作", "诗"];

function set(line, look, ends) {
  const row = node("div", "line");
  for (const { name, tone, foot, kept, sound } of line) {
    const cell = node("span", "cell");
    const marked = look === "tones";
    if (marked && foot) cell.classList.add("foot");
    if (marked && !kept) cell.classList.add("against");
    if (!marked) cell.append(node("small", "", sound));
    cell.append(node("b", "", name));
    if (marked) cell.append(node("small", "", MARKS[tone] || "–"));
    row.append(cell);
  }
  row.append(node("span", "mark", ends));
  return row;
}

// Columns from right to left: the title, the lines, the seal below the last.
function paint({ title, lines }) {
  const columns = lines.length + (title ? 1 : 0);
  const rows = Math.max(...lines.map((line) => line.length), 1);
  const [width, height] = [2 * MARGIN + CELL * 1.3 * columns, 2 * MARGIN + CELL * (rows + 1.6)];
  const dots = 2;
  [scroll.width, scroll.height] = [width * dots, height * dots];
  scroll.style.width = `${width}px`;
  const brush = scroll.getContext("2d");
  brush.scale(dots, dots);
  brush.fillStyle = "#f8f3e6";
  brush.fillRect(0, 0, width, height);
  brush.strokeStyle = "#c9b78f";
  brush.strokeRect(14, 14, width - 28, height - 28);
  brush.textAlign = "center";
  brush.textBaseline = "middle";
  const column = (characters, place, size) => {
    brush.font = `${size}px ${FACE}`;
    const across = width - MARGIN - CELL * 1.3 * (place + 0.5);
    characters.forEach((name, row) => brush.fillText(name, across, MARGIN + CELL * (row + 0.5)));
  };
  brush.fillStyle = "#2a2521";
  const first = title ? 1 : 0;
  if (title) column([...title].slice(0, rows + 1), 0, 24);
  lines.forEach((line, place) => column(line.map(({ name }) => name), place + first, 34));
  const [left, top] = [MARGIN + CELL * 0.15, height - MARGIN - CELL];
  brush.fillStyle = "#b3261e";
  brush.beginPath();
  brush.roundRect(left, top, CELL, CELL, 5);
  brush.fill();
  brush.fillStyle = "#f8f3e6";
  brush.font = `18px ${FACE}`;
  SEAL.forEach((name, place) => {
    const [down, back] = [place % 2, place < 2 ? 1 : 0]; // it is read from the right as well
    brush.fillText(name, left + CELL * (0.28 + 0.44 * back), top + CELL * (0.28 + 0.44 * down));
  });
}

// The code of the link stands in the lower right corner, to find the poem again from paper.
async function sign() {
  const bar = (window.aigc.page.bars || []).find(({ tab }) => tab === "transformer.poems");
  const code = bar && (await window.aigc.page.code?.(bar).catch(() => ""));
  if (!code || scroll.hidden) return;
  const picture = new Image();
  picture.src = code;
  await picture.decode();
  const side = 2 * CELL * 1.5;
  scroll.getContext("2d").drawImage(
    picture, scroll.width / 2 - MARGIN - side / 2, scroll.height / 2 - MARGIN + 16 - side / 2, side / 2, side / 2,
  );
  scroll.dataset.signed = "yes";
}

function build() {
  const { poem } = props;
  const picture = poem?.look === "picture";
  page.replaceChildren();
  scroll.hidden = !picture;
  save.hidden = !picture;
  note.textContent = poem ? word(poem.look) : "";
  delete scroll.dataset.signed;
  if (picture) {
    paint(poem);
    sign();
  }
  else if (poem) {
    if (poem.title) page.append(node("h4", "", poem.title));
    page.append(...poem.lines.map((line, place) => set(line, poem.look, place % 2 ? "。" : "，")));
  }
  element.querySelector(".poem").dataset.painted = poem ? `${poem.look} ${poem.lines.length}` : "";
}

save.addEventListener("click", () => {
  const link = document.createElement("a");
  link.download = "aigc-poem.png";
  link.href = scroll.toDataURL("image/png");
  link.click();
});
build();
watch("poem", build);
window.addEventListener("aigc:language", build);
