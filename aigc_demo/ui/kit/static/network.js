// A model as one picture: each station is what one layer made, a stack drawn to scale.
const line = element.querySelector(".stations");
const again = element.querySelector(".again");
const CHANNELS = 8; // of a layer, that one pixel of a stack's depth stands for
const LONGEST = 32; // cells that a vector may be high
let width = 0;

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
    svg("rect", { class: "side", width: wide, height: high, rx: 8 }),
    ...one.numbers.map((text, place) =>
      svg("text", { x: wide / 2, y: middle + 18 * place, class: "number" }, text),
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
  const dot = ([x, y], r, name) => svg("circle", { cx: right(x), cy: up(y), r, class: name });
  return [
    svg("rect", { class: "side", width: size, height: size }),
    ...points.map((point) => dot(point, 1.2, "other")),
    svg("ellipse", {
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
  const size = { width: wide, height: high };
  const picture = svg("image", { ...size, href: one.sheet, preserveAspectRatio: "none" });
  const sides = deep ? [top, side].map((points) => svg("polygon", { class: "side", points })) : [];
  return [...sides, picture, svg("rect", { class: "edge", ...size })];
}

function station(one, scale) {
  const [wide, high] = face(one, scale);
  const deep = one.plane || one.numbers || one.width === 1 ? 0 : Math.round(one.depth / CHANNELS);
  const box = `-1 ${-deep - 1} ${wide + deep + 2} ${high + deep + 2}`;
  const size = { viewBox: box, width: wide + deep + 2, height: high + deep + 2, class: "stack" };
  const painted = one.plane ? plane : one.numbers ? numbers : stack;
  const button = node(one.go ? "button" : "div", "station");
  button.dataset.sign = one.sign || "→";
  const picture = svg("svg", { ...size, "aria-hidden": "true" }, ...painted(one, wide, high, deep));
  button.append(picture, node("b", "", one.title), node("span", "", one.shape));
  if (one.go)
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
      group = node("div", `group ${one.player}`);
      group.dataset.player = one.player;
      const name = word((props.names || {})[one.player] || one.player);
      group.append(node("span", "player", name), node("div", "row-of-stations"));
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
