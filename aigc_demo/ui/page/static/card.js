// A picture to send: a result beside the code of its link, in the size of a link's preview.
const [CARD_WIDTH, CARD_HEIGHT, EDGE, CODE] = [1200, 630, 48, 260];
const ROOM = CARD_HEIGHT - 2 * EDGE; // a square for the result
const FACE = '"Source Sans Pro", "Noto Sans CJK SC", sans-serif';

const area = (canvas) => canvas.width * canvas.height;

// What a bar's result shows: its largest picture, or its text.
function shownBy(bar) {
  const place = bar.element.closest(".result") || bar.element.closest("[role=tabpanel]");
  const seen = [...place.querySelectorAll("canvas[data-painted], textarea:disabled")].filter(
    (node) => node.offsetParent,
  );
  const canvases = seen.filter((node) => node.tagName === "CANVAS");
  const text = seen.find((node) => node.value)?.value;
  const largest = (best, one) => (area(one) > area(best) ? one : best);
  return text ? { text } : { canvas: canvases.length ? canvases.reduce(largest) : null };
}

// Lines of a text that fit into a width in a size of type, at most so many.
function linesOf(brush, text, width, size, most) {
  brush.font = `400 ${size}px ${FACE}`;
  const lines = [];
  for (const whole of text.trimEnd().split("\n")) {
    let line = "";
    for (const piece of whole.split(/(?<=\s)|(?<=[㐀-鿿，。])/u)) {
      if (line && brush.measureText(line + piece).width > width) {
        lines.push(line);
        line = "";
      }
      line += piece;
    }
    lines.push(line);
  }
  return lines.length > most ? [...lines.slice(0, most - 1), "…"] : lines;
}

// The largest type in which a text fits, and its lines; of a long text the beginning.
function fitted(brush, text, width, height) {
  for (const size of [48, 40, 32, 26]) {
    const most = Math.floor(height / (1.35 * size));
    const lines = linesOf(brush, text, width, size, size === 26 ? most : Infinity);
    if (lines.length <= most) return [size, lines];
  }
}

function write(brush, lines, x, top, size, weight = 400) {
  brush.font = `${weight} ${size}px ${FACE}`;
  lines.forEach((line, at) => brush.fillText(line, x, top + size * (1 + 1.35 * at)));
}

// The card as a data URL. code: the picture of the link's code.
function card(bar, code) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [CARD_WIDTH, CARD_HEIGHT];
  const brush = canvas.getContext("2d");
  brush.fillStyle = "#ffffff";
  brush.fillRect(0, 0, CARD_WIDTH, CARD_HEIGHT);
  brush.fillStyle = "#1e293b";
  const shown = shownBy(bar);
  if (shown.text) {
    const [size, lines] = fitted(brush, shown.text, ROOM + 40, ROOM);
    write(brush, lines, EDGE, EDGE, size);
  } else if (shown.canvas) {
    const scale = ROOM / Math.max(shown.canvas.width, shown.canvas.height);
    const [wide, high] = [shown.canvas.width * scale, shown.canvas.height * scale];
    brush.imageSmoothingEnabled = scale < 1;
    brush.drawImage(shown.canvas, EDGE, EDGE + (ROOM - high) / 2, wide, high);
  }
  const x = EDGE + ROOM + 80;
  const tab = document.querySelector("#models [role=tab][aria-selected=true]").textContent;
  const room = CARD_WIDTH - EDGE - x;
  write(brush, linesOf(brush, document.title, room, 36, 2), x, EDGE, 34, 700);
  write(brush, [tab.trim()], x, EDGE + 96, 28);
  brush.drawImage(code, x - 12, CARD_HEIGHT - EDGE - CODE - 40, CODE, CODE);
  write(brush, linesOf(brush, word("scan"), room, 22, 2), x, CARD_HEIGHT - EDGE - 36, 22);
  return canvas.toDataURL("image/png");
}
