// Shared by every widget: its words in the page's language, and its pictures at whole scales.
const SIDE = 28;

const language = () => (document.documentElement.lang.startsWith("zh") ? "zh" : "en");

function speak() {
  const caption = element.querySelector(".caption");
  if (caption && props.texts) caption.textContent = props.texts[language()] || "";
  for (const node of element.querySelectorAll("[data-word]")) {
    const word = (props.words[node.dataset.word] || {})[language()] || "";
    if (node.dataset.as === "label") node.setAttribute("aria-label", word);
    else node.textContent = word;
  }
}

// The largest whole multiple at which some columns of digits fit, from 1 to the widget's limit.
function wholeScale(columns) {
  const room = element.clientWidth || 300;
  return Math.max(1, Math.min(props.largest || 10, Math.floor(room / (SIDE * columns))));
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

const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

speak();
watch("texts", speak);
window.addEventListener("aigc:language", speak);
