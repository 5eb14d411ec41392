// Digits with a caption each, in groups; where asked, their scores on one number line above.
const line = element.querySelector("canvas.line");
const groups = element.querySelector(".groups");
const sheet = new Image();
const MARKS = { data: "■", generator: "●", noise: "▲", discriminator: "◆", loss: "✕" };

function digit(place, scale) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIDE;
  canvas.className = "pixels";
  canvas.style.width = canvas.style.height = `${SIDE * scale}px`;
  canvas.getContext("2d").drawImage(sheet, place * SIDE, 0, SIDE, SIDE, 0, 0, SIDE, SIDE);
  canvas.setAttribute("role", "img");
  return plate(canvas);
}

function build() {
  groups.replaceChildren();
  if (!sheet.complete || !sheet.naturalWidth) return;
  let place = 0;
  for (const group of props.groups || []) {
    const box = document.createElement("div");
    box.className = `group ${group.role}`;
    const title = document.createElement("span");
    title.className = "player";
    title.textContent = `${MARKS[group.role] || ""} ${group.title[language()] || ""}`.trim();
    const digits = document.createElement("div");
    digits.className = "digits";
    for (const item of group.items) {
      const figure = document.createElement("figure");
      const text = document.createElement("figcaption");
      text.textContent = item.text;
      const picture = digit(place, props.times || 2);
      picture.firstChild.setAttribute("aria-label", `${title.textContent} ${item.text}`);
      figure.append(picture, text);
      digits.append(figure);
      place += 1;
    }
    box.append(title, digits);
    groups.append(box);
  }
  groups.dataset.painted = props.strip.length;
  draw();
}

// The number line: squares for real digits above it, circles for fakes below it.
function draw() {
  const scored = (props.groups || []).filter((group) => group.items.some((i) => i.score !== null));
  line.hidden = !props.line || !scored.length;
  if (line.hidden) return;
  const width = element.clientWidth || 300;
  const height = 96;
  line.style.width = `${width}px`;
  line.style.height = `${height}px`;
  const { context } = sharpen(line);
  const scores = scored.flatMap((group) => group.items.map((item) => item.score));
  const reach = Math.max(2, ...scores.map(Math.abs)) * 1.1;
  const across = (score) => ((score + reach) / (2 * reach)) * (width - 24) + 12;
  const middle = height / 2;
  context.strokeStyle = context.fillStyle = colour("quiet");
  context.font = "12px sans-serif";
  context.textAlign = "center";
  context.beginPath();
  context.moveTo(12, middle);
  context.lineTo(width - 12, middle);
  const every = reach > 12 ? 5 : reach > 5 ? 2 : 1;
  for (let tick = -Math.floor(reach / every) * every; tick <= reach; tick += every) {
    context.moveTo(across(tick), middle - 4);
    context.lineTo(across(tick), middle + 4);
    context.fillText(String(tick), across(tick), height - 4);
  }
  context.stroke();
  for (const group of scored) {
    const above = group.role === "data";
    context.fillStyle = colour(group.role);
    context.strokeStyle = colour("background-fill-primary") || "#fff";
    for (const item of group.items) {
      context.beginPath();
      if (above) context.rect(across(item.score) - 6, middle - 24, 12, 12);
      else context.arc(across(item.score), middle + 17, 7, 0, 2 * Math.PI);
      context.fill();
      context.stroke();
    }
  }
  const told = scored.map((group) => {
    return `${group.title[language()]}: ${group.items.map((item) => item.text).join(", ")}`;
  });
  line.setAttribute("aria-label", `${word("score_line")} ${told.join("; ")}`);
}

function load() {
  if (props.strip) sheet.src = addressOf(props.strip);
  else groups.replaceChildren();
}

sheet.addEventListener("load", build);
load();
watch("strip", load);
watch("groups", () => sheet.complete && build());
window.addEventListener("aigc:language", build);
new ResizeObserver(draw).observe(element);
