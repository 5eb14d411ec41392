// Source lines as they stand in the package, the lines in question marked, symbols in their colours.
const table = element.querySelector("pre");
const title = element.querySelector(".path");

function build() {
  const code = props.code;
  table.replaceChildren();
  if (!code) return;
  title.textContent = `${code.path}: ${code.first}–${code.first + code.lines.length - 1}`;
  const marked = new Set(code.marked);
  for (const [i, text] of code.lines.entries()) {
    const row = document.createElement("div");
    row.className = marked.has(code.first + i) ? "line marked" : "line";
    row.dataset.number = code.first + i;
    for (const piece of text.split(/(\w+)/)) {
      const role = Object.hasOwn(code.roles, piece) ? code.roles[piece] : "";
      const span = document.createElement("span");
      if (role) span.className = `ink ${role}`;
      span.textContent = piece;
      row.append(span);
    }
    table.append(row);
  }
  const first = table.querySelector(".marked");
  table.scrollTop = first ? Math.max(0, first.offsetTop - table.clientHeight / 3) : 0;
  table.dataset.painted = code.path;
}

build();
watch("code", build);
