// What may come next: logit, temperature, cut, probability. The sliders need no server: the browser
// has every logit and does what models/transformer.py does in next_token_distribution. Of a large
// vocabulary it has the likeliest, and at each temperature the sums of the rest.
const body = element.querySelector("tbody");
const summary = element.querySelector(".caption");
const sliders = {};
for (const slider of element.querySelectorAll("input")) sliders[slider.name] = slider;
const ROWS = 10;

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
  const bar = ownBar();
  if (bar?.link().query) bar.put("sampling", Object.values(props.value).join());
}

// Probabilities of logits in falling order, how many of them are left by the cuts, and the entropy.
// A top-p that cuts within the rest is exact but for one of its tokens; how many it keeps is unknown.
function distribution({ logits, rest }, temperature, topK, topP) {
  if (temperature < 1e-6)
    return { kept: 1, beyond: 0, entropy: 0, shares: logits.map((_, i) => (i === 0 ? 1 : 0)) };
  let kept = logits.length;
  if (topK > 0 && topK < kept) {
    const least = logits[topK - 1];
    while (kept > 0 && logits[kept - 1] < least) kept -= 1; // ties stay
  }
  const weights = logits.map((logit, i) => (i < kept ? Math.exp((logit - logits[0]) / temperature) : 0));
  const sent = weights.reduce((total, weight) => total + weight, 0);
  const step = Math.round(temperature * 20);
  const mass = rest && !topK ? rest.mass[step] : 0;
  const sum = sent + mass;
  if (topP < 1) {
    let before = 0;
    for (let i = 0; i < kept; i++) {
      if (i > 0 && before / sum >= topP) kept = i;
      before += weights[i];
    }
  }
  const shown = weights.slice(0, kept).reduce((total, weight) => total + weight, 0);
  const open = topP < 1 ? Math.max(0, Math.min(mass, topP * sum - shown)) : mass;
  const more = kept === logits.length ? open : 0; // of the rest, which has no entries of its own
  const left = shown + more;
  const shares = weights.map((weight, i) => (i < kept ? weight / left : 0));
  let entropy = -shares.reduce((total, p) => (p > 0 ? total + p * Math.log(p) : total), 0);
  const beyond = more > 0 ? more / mass : 0; // how much of it is kept
  if (beyond) entropy += (more * Math.log(left) - beyond * rest.moment[step]) / left;
  return { kept, beyond, entropy, shares };
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
  const { kept, beyond, entropy, shares } = distribution(next, temperature, topK, topP);
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
  const number = (count) => count.toLocaleString("en");
  const counted = beyond === 1 ? number(next.all) : `${beyond ? "> " : ""}${number(kept)}`;
  const known = { kept: counted, all: number(next.all), entropy: entropy.toFixed(2) };
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
