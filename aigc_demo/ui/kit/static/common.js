// Shared by every widget: its words in the page's language, and its pictures at whole scales.
const SIDE = 28;

const language = () => (document.documentElement.lang.startsWith("zh") ? "zh" : "en");

// One of the widget's words, and a sentence with its {names} filled in.
const word = (name) => (window.aigc?.words[props.words]?.[name] || {})[language()] || "";
const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

// The address of a picture: its data, or where the server has it.
const addressOf = (strip) =>
  strip.startsWith("pictures/") ? `${window.gradio_config.root}/${strip}` : strip;

// A colour of style.css or of the theme.
const colour = (name) => getComputedStyle(element).getPropertyValue(`--${name}`).trim();

function speak() {
  const caption = element.querySelector(".caption");
  if (caption && props.texts) caption.textContent = props.texts[language()] || "";
  if (props.meaning) window.aigc.page.mean?.(element, props.meaning[language()]);
  for (const node of element.querySelectorAll("[data-word]")) {
    const text = word(node.dataset.word);
    if (node.dataset.as === "label") node.setAttribute("aria-label", text);
    else node.textContent = text;
  }
}

// The largest whole multiple at which some columns of digits fit, from 1 to the widget's limit.
function wholeScale(columns) {
  const room = element.clientWidth || 300;
  return Math.max(1, Math.min(props.largest || 10, Math.floor(room / (SIDE * columns))));
}

// A canvas as sharp as the screen, and its context in CSS pixels.
function sharpen(canvas) {
  const dots = window.devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  const [wide, high] = [Math.round(width * dots), Math.round(height * dots)];
  if (canvas.width !== wide) canvas.width = wide;
  if (canvas.height !== high) canvas.height = high;
  const context = canvas.getContext("2d");
  context.setTransform(dots, 0, 0, dots, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

// A digit on its tile.
function plate(canvas) {
  const made = node("div", "plate");
  made.append(canvas);
  return made;
}

// The axes of a square plane; across and down put its coordinates on the picture.
function paintAxes(brush, colour, size, across, down) {
  brush.strokeStyle = colour;
  brush.beginPath();
  brush.moveTo(across(0), 0);
  brush.lineTo(across(0), size);
  brush.moveTo(0, down(0));
  brush.lineTo(size, down(0));
  brush.stroke();
}

// The bar below the result that a widget belongs to, by the prop bar.
const ownBar = () => (window.aigc.page.bars || []).find(({ tab }) => tab === props.bar);

// A node of the page, and one of a drawing in SVG.
function node(kind, name, text) {
  const made = document.createElement(kind);
  made.className = name;
  if (kind === "button") made.type = "button";
  if (text !== undefined) made.textContent = text;
  return made;
}

function svg(kind, attributes, ...inside) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", kind);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...inside);
  return made;
}

const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

speak();
watch("texts", speak);
watch("meaning", speak);
window.addEventListener("aigc:language", speak);
