// A model as one picture: each station is what one layer made, a stack drawn to scale.
const line = element.querySelector(".stations");
const again = element.querySelector(".again");
const SVG = "http://www.w3.org/2000/svg";
const CHANNELS = 8; // of a layer, that one pixel of a stack's depth stands for
const LONGEST = 32; // cells that a vector may be high
let width = 0;

function drawn(name, attributes, ...inside) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...inside);
  return made;
}

// The size of a station's face in pixels, at so many pixels a cell.
function face(one, scale) {
  if (one.plane) return [28 * scale, 28 * scale];
  if (one.numbers) return [56, Math.max(24, 18 * one.numbers.length)];
  if (one.width > 1) return [one.width * scale, one.height * scale];
  return [12, Math.min(one.height * 0.375, LONGEST) * scale];
}

function numbers(one, wide, high) {
  const middle = high / 2 - 9 * (one.numbers.length - 1);
  return [
    drawn("rect", { class: "side", width: wide, height: high, rx: 8 }),
    ...one.numbers.map((text, place) =>
      drawn("text", { x: wide / 2, y: middle + 18 * place, class: "number" }, text),
    ),
  ];
}

// Points of other digits, the posterior as an ellipse of one deviation, and z on it.
function plane(one, size) {
  const { reach, points, mean, deviation, z } = one.plane;
  const [right, up] = [
    (x) => ((x + reach) / (2 * reach)) * size,
    (y) => ((reach - y) / (2 * reach)) * size,
  ];
  const dot = ([x, y], r, name) => drawn("circle", { cx: right(x), cy: up(y), r, class: name });
  return [
    drawn("rect", { class: "side", width: size, height: size }),
    ...points.map((point) => dot(point, 1.2, "other")),
    drawn("ellipse", {
      class: "spread",
      cx: right(mean[0]),
      cy: up(mean[1]),
      rx: Math.max(1.5, (deviation[0] / (2 * reach)) * size),
      ry: Math.max(1.5, (deviation[1] / (2 * reach)) * size),
    }),
    dot(z, 4, "here"),
  ];
}

function stack(one, wide, high, deep) {
  const top = `0,0 ${deep},${-deep} ${wide + deep},${-deep} ${wide},0`;
  const side = `${wide},0 ${wide + deep},${-deep} ${wide + deep},${high - deep} ${wide},${high}`;
  const picture = drawn("image", { width: wide, height: high, preserveAspectRatio: "none" });
  picture.setAttribute("href", one.sheet);
  const sides = deep ? [top, side].map((points) => drawn("polygon", { class: "side", points })) : [];
  return [...sides, picture, drawn("rect", { class: "edge", width: wide, height: high })];
}

function station(one, scale) {
  const [wide, high] = face(one, scale);
  const deep = one.plane || one.numbers || one.width === 1 ? 0 : Math.round(one.depth / CHANNELS);
  const box = `-1 ${-deep - 1} ${wide + deep + 2} ${high + deep + 2}`;
  const size = { viewBox: box, width: wide + deep + 2, height: high + deep + 2, class: "stack" };
  let inside = one.plane ? plane(one, wide) : one.numbers ? numbers(one, wide, high) : null;
  inside ||= stack(one, wide, high, deep);
  const button = document.createElement("button");
  button.type = "button";
  button.className = "station";
  button.dataset.sign = one.sign || "→";
  const [title, shape] = [document.createElement("b"), document.createElement("span")];
  title.textContent = one.title[language()] || one.title;
  shape.textContent = one.shape;
  button.append(drawn("svg", { ...size, "aria-hidden": "true" }, ...inside), title, shape);
  button.addEventListener("click", () => {
    props.value = one.go;
    trigger("pick");
  });
  return button;
}

function build(scale) {
  line.replaceChildren();
  let group = null;
  for (const one of props.stations || []) {
    if (!group || group.dataset.player !== one.player) {
      group = document.createElement("div");
      group.className = `group ${one.player}`;
      group.dataset.player = one.player;
      const name = document.createElement("span");
      name.className = "player";
      name.textContent = word((props.names || {})[one.player] || one.player);
      const stations = document.createElement("div");
      stations.className = "row-of-stations";
      group.append(name, stations);
      line.append(group);
    }
    group.lastChild.append(station(one, scale));
  }
}

const fits = () =>
  [line, ...line.querySelectorAll(".row-of-stations")].every((n) => n.scrollWidth <= n.clientWidth + 1);

// The largest scale at which all stands in one line; on a narrow screen, a line a group.
function arrange() {
  width = element.clientWidth;
  if (!width) return;
  for (const upright of [false, true]) {
    line.classList.toggle("upright", upright);
    for (const scale of upright ? [3, 2] : [4, 3]) {
      build(scale);
      if (fits()) return;
    }
  }
}

function arrive() {
  arrange();
  line.dataset.painted = JSON.stringify((props.stations || []).map((one) => one.sheet || one.numbers));
  if (calm.matches) return;
  line.querySelectorAll(".station").forEach((node, place) => {
    node.style.animationDelay = `${15 * place}ms`;
    node.classList.add("arrives");
  });
}

if (again) again.addEventListener("click", () => trigger("again"));
arrive();
watch("stations", arrive);
window.addEventListener("aigc:language", arrange);
new ResizeObserver(() => element.clientWidth !== width && arrange()).observe(element);
backByEscape();
