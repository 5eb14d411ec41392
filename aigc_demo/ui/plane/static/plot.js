// The curves of a training over its steps.
const MOST = 300; // moments kept; beyond, every second is let go and the next ones come half as often

class History {
  constructor() {
    this.moments = [];
    this.every = 1;
  }

  // A moment: {step, and numbers by name}.
  add(moment) {
    const last = this.moments.at(-1);
    if (last && moment.step < last.step + this.every) return;
    this.moments.push(moment);
    if (this.moments.length < MOST) return;
    this.moments = this.moments.filter((_, i) => i % 2 === 0);
    this.every = Math.max(2 * this.every, Math.ceil(moment.step / MOST));
  }
}

const fixed = (value, digits = 2) =>
  Number.isFinite(value) ? value.toFixed(digits).replace(/^-(?=.*[1-9])/, "−").replace("-", "") : "–";
const short = (value) => (Number.isFinite(value) ? value.toPrecision(3).replace(/\.?0+$/, "") : "–");

// One panel. lines: [name of the moment's number, colour, dashes, letter at its end].
function drawPanel(context, box, moments, lines, colours, title, level) {
  const { left, top, width, height } = box;
  const values = moments.flatMap((moment) => lines.map(([name]) => moment[name]));
  const known = [...values, 0, level ?? 0].filter(Number.isFinite);
  const [low, high] = [Math.min(...known), Math.max(...known, 0.1)];
  const end = Math.max(1, moments.at(-1)?.step ?? 1);
  const across = (step) => left + (step / end) * width;
  const down = (value) => top + height - ((value - low) / (high - low)) * height;
  context.font = `12px ${colours.font}`;
  context.fillStyle = context.strokeStyle = colours.quiet;
  context.lineWidth = 1;
  context.textAlign = "left";
  context.fillText(title, left, top - 7);
  context.textAlign = "right";
  context.fillText(short(high), left - 5, top + 9);
  context.fillText(short(low), left - 5, top + height);
  context.globalAlpha = 0.35;
  const rule = (y, dashes) => {
    context.setLineDash(dashes);
    context.beginPath();
    context.moveTo(left, y);
    context.lineTo(left + width, y);
    context.stroke();
  };
  rule(down(0), []);
  context.globalAlpha = 0.9;
  if (level) rule(down(level), [2, 3]);
  context.globalAlpha = 1;
  context.lineWidth = 1.7;
  for (const [name, colour, dashes, letter] of lines) {
    context.strokeStyle = context.fillStyle = colour;
    context.setLineDash(dashes);
    context.beginPath();
    const shown = moments.filter((moment) => Number.isFinite(moment[name]));
    for (const moment of shown) context.lineTo(across(moment.step), down(moment[name]));
    context.stroke();
    context.setLineDash([]);
    if (!shown.length) continue;
    context.textAlign = "left";
    context.fillText(letter, left + width + 4, down(shown.at(-1)[name]) + 4);
  }
}

// Two panels, one above the other, over the steps. panels: of each {lines, title, level}; word: what
// a step is called.
function drawCurves(canvas, history, panels, word, colours) {
  const { context, width, height } = sharpen(canvas);
  const box = { left: 40, width: width - 62, height: (height - 58) / 2 };
  const { moments } = history;
  panels.forEach(({ lines, title, level }, place) => {
    const top = 18 + place * (24 + box.height);
    drawPanel(context, { ...box, top }, moments, lines, colours, title, level);
  });
  context.fillStyle = colours.quiet;
  context.textAlign = "right";
  context.fillText(`${word} ${moments.at(-1)?.step ?? 0}`, box.left + box.width, height - 3);
}
