// A text on its way through the Transformer: tokens, embeddings, layers, the likeliest next tokens.
const place = (name) => element.querySelector(`.${name}`);
const sheet = new Image();
let open = 0;
let head = -1; // whose arcs are drawn; -1: the mean of all

const percent = (share) => `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)}%`;
const last = () => props.network.first + props.network.tokens.length - 1;

// Opens another view: the chosen token, this layer and head.
function go(look, token = last(), layer = open, of = Math.max(0, head)) {
  props.value = { look, fields: [token, layer + 1, of + 1] };
  trigger("pick");
}

// The query looks back: an arc to each token, as thick as its weight.
function paintArcs() {
  const { tokens, layers, heads } = props.network;
  const arcs = place("arcs");
  const wide = place("words").clientWidth;
  if (!wide) return;
  const cell = wide / tokens.length;
  const high = Math.min(90, wide / 5);
  arcs.setAttribute("viewBox", `0 0 ${wide} ${high}`);
  arcs.setAttribute("height", high);
  arcs.replaceChildren();
  const from = cell * (tokens.length - 0.5);
  tokens.forEach((_, at) => {
    const weights = layers[open].weights;
    const sum = weights.reduce((total, row) => total + row[at], 0);
    const weight = head < 0 ? sum / heads : weights[head][at];
    if (weight < 0.01) return;
    const to = cell * (at + 0.5);
    const up = high - Math.max(14, (high - 4) * ((from - to) / wide));
    const d = at === tokens.length - 1
      ? `M${from - 4},${high} C${from - 9},${high - 20} ${from + 9},${high - 20} ${from + 4},${high}`
      : `M${from},${high} C${from},${up} ${to},${up} ${to},${high}`;
    arcs.append(svg("path", { d, "stroke-width": 0.6 + 9 * weight, opacity: 0.35 + 0.65 * weight }));
  });
  arcs.dataset.painted = `${open}:${head}:${last()}`;
}

function paintWords() {
  const { tokens, first } = props.network;
  place("words").replaceChildren(
    ...tokens.map((text, at) => {
      const token = node("button", "token", text);
      token.setAttribute("aria-pressed", String(at === tokens.length - 1));
      token.addEventListener("click", () => go("overview", first + at));
      return token;
    }),
  );
}

// Each token's embedding as a column of colours: blue above zero, orange below.
function paintStrips() {
  const { strips } = props.network;
  const canvas = place("strips");
  canvas.width = strips.length;
  canvas.height = strips[0].length;
  const brush = canvas.getContext("2d");
  strips.forEach((column, x) =>
    column.forEach((value, y) => {
      brush.fillStyle = colour(value < 0 ? "discriminator" : "data");
      brush.globalAlpha = Math.abs(value) / 9;
      brush.fillRect(x, y, 1, 1);
    }),
  );
}

// The residual stream as a band, as wide as it is large; a trapezium a layer.
function band(layer, largest) {
  const [above, below] = [layer.before, layer.after].map((size) => 2 + (20 * size) / largest);
  const points = `${22 - above},0 ${22 + above},0 ${22 + below},40 ${22 - below},40`;
  const frame = { class: "band", viewBox: "0 0 44 40", preserveAspectRatio: "none" };
  return svg("svg", frame, svg("polygon", { points }));
}

function headMaps(number) {
  const { tokens, heads } = props.network;
  const row = node("div", "maps");
  for (let one = 0; one < heads; one++) {
    const button = node("button", "head");
    button.setAttribute("aria-label", filled(word("head"), { head: one + 1 }));
    const canvas = node("canvas", "pixels");
    canvas.width = canvas.height = tokens.length;
    const at = (number * heads + one) * tokens.length;
    const size = tokens.length;
    canvas.getContext("2d").drawImage(sheet, at, 0, size, size, 0, 0, size, size);
    button.append(canvas, node("span", "", String(one + 1)));
    for (const [event, chosen] of [["pointerenter", one], ["focus", one], ["pointerleave", -1], ["blur", -1]])
      button.addEventListener(event, () => {
        head = chosen;
        paintArcs();
      });
    button.addEventListener("click", () => go("attention", last(), number, one));
    row.append(button);
  }
  return row;
}

function neurons(layer, number) {
  const button = node("button", "fired");
  const most = Math.max(...layer.neurons.map(([, value]) => Math.abs(value)), 1e-9);
  for (const [index, value] of layer.neurons) {
    const bar = node("i", value < 0 ? "below" : "");
    bar.style.height = `${4 + (28 * Math.abs(value)) / most}px`;
    bar.title = `${index}: ${value.toFixed(2)}`;
    button.append(bar);
  }
  button.setAttribute("aria-label", word("neurons"));
  button.addEventListener("click", () => go("neurons", last(), number));
  return button;
}

function paintLayers() {
  const { layers } = props.network;
  const largest = Math.max(...layers.map((layer) => layer.after));
  place("layers").replaceChildren(
    ...layers.map((layer, number) => {
      const row = node("div", "layer");
      const title = node("button", "title");
      title.setAttribute("aria-expanded", String(number === open));
      const [token, share] = layer.guess;
      title.append(
        node("b", "", filled(word("layer"), { layer: number + 1 })),
        node("span", "guess", `${token} ${percent(share)}`),
      );
      title.addEventListener("click", () => {
        open = number;
        paintLayers();
        paintArcs();
        place("layers").children[number].querySelector(".title").focus();
      });
      const body = node("div", "body");
      body.append(title);
      if (number === open) {
        const sizes = { attended: layer.attended.toFixed(2), fed: layer.fed.toFixed(2) };
        const lens = node("button", "lens", word("lens"));
        lens.addEventListener("click", () => go("lens"));
        const inside = node("div", "inside");
        inside.append(
          node("span", "attention", filled(word("attention"), sizes)),
          headMaps(number),
          node("span", "feed", filled(word("feed"), sizes)),
          neurons(layer, number),
          lens,
        );
        body.append(inside);
      }
      row.append(band(layer, largest), body);
      return row;
    }),
  );
}

function paintBest() {
  const list = place("best");
  list.replaceChildren(
    ...props.network.best.map(([token, share]) => {
      const button = node("button", "likely");
      button.style.setProperty("--share", `${100 * share}%`);
      button.append(node("b", "", token), node("span", "", percent(share)));
      button.addEventListener("click", () => go("next"));
      const item = node("li", "");
      item.append(button);
      return item;
    }),
  );
}

function paint() {
  if (!props.network || !sheet.complete || !sheet.naturalWidth) return;
  paintWords();
  paintStrips();
  paintLayers();
  paintBest();
  paintArcs();
  element.querySelector(".stream-picture").dataset.painted = props.network.sheet.length;
}

function load() {
  if (!props.network) return;
  open = Math.min(props.network.open, props.network.layers.length - 1);
  head = -1;
  sheet.src = props.network.sheet;
  paint();
}

sheet.addEventListener("load", paint);
load();
watch("network", load);
window.addEventListener("aigc:language", paint);
new ResizeObserver(() => props.network && paintArcs()).observe(element);
