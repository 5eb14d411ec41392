// Draws one phase of a training step: digits above, what D thinks of them below.
// `grown` runs from 0 to 1 while a phase unfolds.
const COUNT = 10;
const PHASES = ["noise", "fakes", "judge", "loss", "update"];
const canvas = element.querySelector("canvas");
const context = canvas.getContext("2d");
let width = 0; // of the canvas, in CSS pixels
const wide = () => width >= 700;
const pictures = {}; // data URI -> a decoded picture

async function decode(uris) {
  for (const uri of Object.keys(pictures)) if (!uris.includes(uri)) delete pictures[uri];
  for (const uri of uris) {
    if (!uri || pictures[uri]) continue;
    const picture = new Image();
    picture.src = uri;
    await picture.decode();
    pictures[uri] = picture;
  }
}

const signed = (value) => value.toFixed(2).replace("-", "−");

function write(text, x, y, ink, size = 13, align = "left") {
  context.font = `${size}px system-ui, sans-serif`;
  context.textAlign = align;
  context.textBaseline = "middle";
  context.fillStyle = colour(ink);
  context.fillText(text, x, y);
}

// A square or a circle where a score is: the shape says real or fake, as the colour does.
function mark(x, y, radius, real) {
  context.beginPath();
  if (real) context.rect(x - radius, y - radius, 2 * radius, 2 * radius);
  else context.arc(x, y, radius + 0.5, 0, 2 * Math.PI);
}

function line(x1, y1, x2, y2, ink, thickness = 1, dashes = []) {
  context.strokeStyle = colour(ink);
  context.lineWidth = thickness;
  context.setLineDash(dashes);
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
  context.setLineDash([]);
}

// One picture of a sheet, every pixel of it a whole number of pixels wide, in a square of a size.
function tile(uri, index, side, x, y, size, opacity) {
  if (!pictures[uri]) return;
  const whole = Math.floor(size / side) * side;
  const edge = (size - whole) / 2;
  context.globalAlpha = opacity;
  context.drawImage(pictures[uri], index * side, 0, side, side, x + edge, y + edge, whole, whole);
  context.globalAlpha = 1;
}

// Ten tiles in rows, framed by their role. Returns the height that they take.
function tiles(x, y, columns, scale, role, title, sheets, below) {
  const size = SIDE * scale;
  const gap = Math.min(8, Math.floor((width - 4 - columns * size) / (columns - 1)));
  const foot = below ? 20 : 6;
  write(title, x, y + 9, `${role}-ink`, 13);
  for (let i = 0; i < COUNT; i++) {
    const left = x + (i % columns) * (size + gap);
    const top = y + 22 + Math.floor(i / columns) * (size + foot);
    for (const [uri, side, opacity] of sheets) tile(uri, i, side, left, top, size, opacity);
    context.strokeStyle = colour(role);
    context.lineWidth = 2;
    context.strokeRect(left - 1, top - 1, size + 2, size + 2);
    if (below) write(signed(below.values[i]), left + size / 2, top + size + 11, below.ink, 12, "center");
  }
  return 22 + Math.ceil(COUNT / columns) * (size + foot);
}

// The groups of tiles of a step: real digits, if there are any, then noise that becomes fakes.
function groups(step, phase, grown) {
  const ink = phase === 3 ? "loss-ink" : "discriminator-ink";
  const values = [null, null, step.before, step.terms][phase];
  const below = (kind) => values && { values: values[kind], ink };
  const fading = [grown, 1 - grown, 0, 0][phase]; // what is seen of the noise
  const sheets = [[step.fakes, SIDE, phase ? 1 - fading : 0]];
  if (step.noise) sheets.push([step.noise, step.side, fading]);
  const [role, title] = phase ? ["generator", "fake_group"] : ["noise", "noise_group"];
  const alone = !step.reals && wide();
  const scale = wide() ? Math.max(2, Math.min(3, Math.floor((width / 2 - 60) / (5 * SIDE)))) : 2;
  let [x, y] = [2, 0];
  if (step.reals) {
    const real = [[step.reals, SIDE, 1]];
    const high = tiles(x, y, 5, scale, "data", word("real_group"), real, below("real"));
    [x, y] = wide() ? [width / 2 + 10, 0] : [2, high];
  }
  tiles(x, y, alone ? COUNT : 5, scale, role, word(title), sheets, below("fake"));
}

// What G draws from fixed noise before and after the click.
function drawn(step, grown) {
  const columns = wide() ? COUNT : 5;
  const scale = width >= 940 ? 3 : 2;
  const [before, after] = step.pictures;
  const tall = tiles(2, 0, columns, scale, "generator", word("before"), [[before, SIDE, 1]]);
  const sheets = [[before, SIDE, 1], [after, SIDE, grown]];
  tiles(2, tall, columns, scale, "generator", word("after"), sheets);
}

// A column an image, as high as its score: marks, and from the loss on the part that costs.
function chart(step, phase, grown, y, high) {
  const all = ["real", "fake"].filter((kind) => step.before[kind].length);
  const seen = all.flatMap((kind) => [...step.before[kind], ...(step.after ? step.after[kind] : [])]);
  const low = Math.min(-1.5, ...seen) - 0.3;
  const span = Math.max(1.5, ...seen) + 0.3 - low;
  const level = (score) => y + high - ((score - low) / span) * high;
  const left = 34;
  const column = (width - left - 12) / (all.length * COUNT);
  write(word("axis"), 2, y - 12, "discriminator-ink", 12);
  for (const score of [-1, 0, 1]) {
    write(score > 0 ? "+1" : String(score).replace("-", "−"), left - 8, level(score), "quiet", 12, "right");
    line(left, level(score), width - 4, level(score), "border-color-primary");
  }
  all.forEach((kind, part) => {
    const begin = left + part * COUNT * column + (part ? 8 : 0);
    const real = kind === "real";
    const hinge = step.player === "G" ? 0 : real ? 1 : -1;
    if (step.player) line(begin, level(hinge), begin + COUNT * column - 4, level(hinge), "loss", 1.5, [5, 4]);
    step.before[kind].forEach((score, i) => {
      const x = begin + (i + 0.5) * column;
      const now = step.after && phase === 4 ? step.after[kind][i] : score;
      const role = real ? "data" : "generator";
      const radius = Math.min(6, column / 3);
      const place = phase === 2 ? score * grown : score;
      if (phase === 2) line(x, level(0), x, level(place), "discriminator", 2);
      if (phase === 3 && step.terms[kind][i] !== 0) {
        const toward = score + (hinge - score) * grown;
        line(x, level(score), x, level(toward), "loss", Math.min(9, column / 2));
      }
      context.fillStyle = context.strokeStyle = colour(role);
      mark(x, level(place), radius, real);
      context.lineWidth = 2;
      if (phase === 4) {
        context.stroke();
        const end = score + (now - score) * grown;
        line(x, level(score), x, level(end), "discriminator", 2);
        context.fillStyle = colour(role);
        mark(x, level(end), radius - 1, real);
      }
      context.fill();
      write(String(i), x, y + high + 10, "quiet", 11, "center");
    });
  });
}

// The numbers of the update, beside the pictures where there is room, else below them.
function updated(step, x, y) {
  const lines = [
    [`${word("loss")} ${step.loss[0]} → ${step.loss[1]}`, "loss-ink"],
    [`${word("gradient")} ${step.gradient}`, "quiet"],
    [`${word("change")} ${step.change}`, "quiet"],
  ];
  const side = wide() ? "right" : "left";
  lines.forEach(([text, ink], i) => write(text, x, y + 22 * i, ink, i ? 13 : 15, side));
}

// The whole canvas: a phase of a step, or, without one, both players as they stand.
function draw(step, phase, grown) {
  width = element.clientWidth;
  if (!width) return;
  const update = phase === 4;
  const height = wide() ? 366 : update ? 528 : 512;
  const alone = step.player === "G" && !update; // one row of tiles, and more room below
  const above = alone ? (wide() ? 134 : 186) : wide() ? 232 : height - 152;
  const high = height - above - 42;
  const dots = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * dots);
  canvas.height = Math.round(height * dots);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  context.setTransform(dots, 0, 0, dots, 0, 0);
  context.imageSmoothingEnabled = false;
  if (update) {
    drawn(step, grown);
    if (wide()) updated(step, width - 4, 40);
    else updated(step, 2, 322);
  } else groups(step, phase, grown);
  if (phase > 1) chart(step, phase, grown, above + 22, high);
}
