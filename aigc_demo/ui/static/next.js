// What may come next: logit, temperature, cut, probability. The sliders need no server: the browser
// has every logit and does what models/transformer.py does in next_token_distribution.
const body = element.querySelector("tbody");
const summary = element.querySelector(".caption");
const sliders = {};
for (const slider of element.querySelectorAll("input")) sliders[slider.name] = slider;
const ROWS = 24;

const values = () =>
  Object.fromEntries(Object.entries(sliders).map(([name, { value }]) => [name, Number(value)]));

// The sliders where a link put them.
function set() {
  for (const [name, slider] of Object.entries(sliders)) slider.value = props.value?.[name] ?? slider.value;
  paint();
}

// The link follows the sliders when they are let go.
function keep() {
  props.value = values();
  const bar = (window.aigcBars || []).find(({ tab }) => tab === props.bar);
  if (bar?.link().query) bar.put("sampling", Object.values(props.value).join());
}

// Probabilities of logits in falling order, and how many of them are left by the cuts.
function distribution(logits, temperature, topK, topP) {
  if (temperature < 1e-6) return { kept: 1, shares: logits.map((_, i) => (i === 0 ? 1 : 0)) };
  let kept = logits.length;
  if (topK > 0 && topK < kept) {
    const least = logits[topK - 1];
    while (kept > 0 && logits[kept - 1] < least) kept -= 1; // ties stay
  }
  const weights = logits.map((logit, i) => (i < kept ? Math.exp((logit - logits[0]) / temperature) : 0));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  if (topP < 1) {
    let before = 0;
    for (let i = 0; i < kept; i++) {
      if (i > 0 && before / sum >= topP) kept = i;
      before += weights[i];
    }
  }
  const left = weights.slice(0, kept).reduce((total, weight) => total + weight, 0);
  return { kept, shares: weights.map((weight, i) => (i < kept ? weight / left : 0)) };
}

function cellOf(row, text, name = "") {
  const made = document.createElement("td");
  made.className = name;
  made.textContent = text;
  row.append(made);
  return made;
}

function paint() {
  const next = props.next;
  body.replaceChildren();
  if (!next) return;
  const begun = performance.now();
  const { temperature, top_k: topK, top_p: topP } = values();
  const { kept, shares } = distribution(next.logits, temperature, topK, topP);
  for (const slider of Object.values(sliders)) slider.nextElementSibling.textContent = slider.value;
  next.names.slice(0, ROWS).forEach((name, place) => {
    const row = document.createElement("tr");
    if (place >= kept) row.className = "cut";
    if (place === kept) row.classList.add("line");
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    button.disabled = next.controls[place];
    button.addEventListener("click", () => {
      props.value = { ...values(), tokens: [next.ids[place]] };
      trigger("pick");
    });
    cellOf(row, "", "name").append(button);
    cellOf(row, next.logits[place].toFixed(2));
    cellOf(row, temperature < 1e-6 ? "–" : (next.logits[place] / temperature).toFixed(2));
    const bar = document.createElement("i");
    bar.style.width = `${100 * shares[place]}%`;
    cellOf(row, "", "track").append(bar);
    cellOf(row, place < kept ? `${(100 * shares[place]).toFixed(1)}%` : word("cut"), "share");
    body.append(row);
  });
  const entropy = -shares.reduce((sum, p) => (p > 0 ? sum + p * Math.log(p) : sum), 0);
  const known = { kept, all: next.logits.length, entropy: entropy.toFixed(2) };
  known.choices = Math.exp(entropy).toFixed(1);
  summary.textContent = filled(word("summary"), known);
  body.dataset.painted = shares.slice(0, ROWS).map((share) => share.toFixed(5)).join(" ");
  body.dataset.took = (performance.now() - begun).toFixed(2);
}

for (const slider of Object.values(sliders)) {
  slider.addEventListener("input", paint);
  slider.addEventListener("change", keep);
}
set();
watch("next", () => {
  paint();
  setTimeout(keep); // the server answers with the sliders as they were when it was asked
});
watch("value", set);
window.addEventListener("aigc:language", paint);
