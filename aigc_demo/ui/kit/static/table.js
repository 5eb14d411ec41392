// A table of words and numbers; a cell may have a second line, a shade, a bar or a mark.
const table = element.querySelector("table");

const said = (text) => (text !== null && typeof text === "object" ? text[language()] : text);

function cellOf(kind, cell) {
  const made = document.createElement(kind);
  made.append(said(cell.text) ?? "");
  if (cell.below !== undefined) {
    const small = document.createElement("small");
    small.textContent = said(cell.below);
    made.append(small);
  }
  if (cell.mark) made.className = cell.mark;
  if (cell.shade) made.style.setProperty("--share", `${Math.round(75 * cell.shade)}%`);
  if (cell.bar !== undefined) {
    const bar = document.createElement("i");
    bar.style.width = `${Math.round(100 * Math.max(0, Math.min(1, cell.bar)))}%`;
    made.append(bar);
  }
  return made;
}

function build() {
  const { head = [], rows = [] } = props.table || {};
  const top = document.createElement("thead");
  const body = document.createElement("tbody");
  if (head.length) {
    const row = document.createElement("tr");
    row.append(...head.map((text) => cellOf("th", { text })));
    top.append(row);
  }
  for (const cells of rows) {
    const row = document.createElement("tr");
    row.append(...cells.map((cell) => cellOf("td", typeof cell === "object" ? cell : { text: cell })));
    body.append(row);
  }
  table.replaceChildren(top, body);
  table.dataset.painted = rows.length;
}

build();
watch("table", build);
window.addEventListener("aigc:language", build);
