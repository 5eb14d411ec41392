// A text whose gaps are filled step by step: each place in the colour of its step. Nothing that
// was filled changes later, so the last state holds all earlier ones.
const list = element.querySelector(".list");
const slider = element.querySelector("input");
const button = element.querySelector("button");
const output = element.querySelector("output");
const reading = element.querySelector(".reading");
let clock = 0;
let pointed = 0; // the place that the arrow keys are at

const last = () => Math.max(0, ...props.filled);
const visible = (character) => character.replace("\n", "↵").replace(" ", "␣");

function note(place) {
  const step = props.filled[place];
  const character = visible([...props.text][place]);
  const values = { character, step, sure: Math.round(100 * props.sure[place]) };
  if (step > 0) reading.textContent = filled(word("place"), values);
  else reading.textContent = `“${character}”: ${word(step ? "gap" : "given")}`;
}

function paint() {
  const step = Number(slider.value);
  output.textContent = filled(word("of"), { step, last: slider.max });
  button.dataset.word = clock ? "pause" : "play";
  button.textContent = word(button.dataset.word);
  const nodes = [...list.querySelectorAll("[data-place]")];
  nodes.forEach((node, place) => {
    const at = props.filled[place];
    const there = at >= 0 && at <= step;
    node.textContent = there ? node.dataset.character.replace("\n", "↵") : "_";
    node.classList.toggle("gap", !there);
    node.classList.toggle("now", at === step && step > 0 && step < last());
    node.classList.toggle("filled", at > 0 && there);
    node.style.setProperty("--late", (at - 1) / Math.max(1, last() - 1));
  });
  const whole = nodes.map((node) => node.textContent).join("");
  list.setAttribute("aria-label", `${word("list")}: ${whole}`);
}

function build() {
  const following = slider.value === slider.max;
  list.replaceChildren();
  [...(props.text || "")].forEach((character, place) => {
    const made = node("span", props.filled[place] === 0 ? "given" : "");
    made.dataset.place = place;
    made.dataset.character = character;
    list.append(made);
    if (character === "\n") list.append(document.createElement("br"));
  });
  slider.max = last();
  if (following) slider.value = slider.max;
  paint();
  list.dataset.painted = props.text || "";
}

function stop() {
  clearInterval(clock);
  clock = 0;
}

function play() {
  if (!list.isConnected || Number(slider.value) >= Number(slider.max)) stop();
  else slider.value = Number(slider.value) + 1;
  paint();
}

button.addEventListener("click", () => {
  if (clock) stop();
  else {
    if (slider.value === slider.max) slider.value = 0;
    clock = setInterval(play, Math.max(60, Math.min(400, 4000 / Math.max(1, slider.max))));
  }
  paint();
});
slider.addEventListener("input", () => {
  stop();
  paint();
});

function point(place) {
  const nodes = list.querySelectorAll("[data-place]");
  pointed = Math.max(0, Math.min(nodes.length - 1, place));
  nodes.forEach((node, at) => node.classList.toggle("pointed", at === pointed));
  if (nodes.length) note(pointed);
}
const over = ({ target }) => target.dataset?.place && point(Number(target.dataset.place));
list.addEventListener("pointerover", over);
list.addEventListener("click", over);
list.addEventListener("keydown", (event) => {
  const ways = { ArrowLeft: pointed - 1, ArrowRight: pointed + 1, Home: 0, End: Infinity };
  if (!(event.key in ways)) return;
  event.preventDefault();
  point(ways[event.key]);
});

build();
watch(["text", "filled"], build);
window.addEventListener("aigc:language", paint);
