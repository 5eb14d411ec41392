// A text whose gaps are filled step by step: each place in the colour of its step. Nothing that
// was filled changes later, so the last state holds all earlier ones.
const list = element.querySelector(".list");
const slider = element.querySelector("input");
const button = element.querySelector("button");
const output = element.querySelector("output");
const reading = element.querySelector(".reading");
let clock = 0;

const last = () => Math.max(0, ...props.filled);

function note(place) {
  const step = props.filled[place];
  const character = [...props.text][place].replace("\n", "↵").replace(" ", "␣");
  const values = { character, step, sure: Math.round(100 * props.sure[place]) };
  if (step > 0) reading.textContent = filled(word("place"), values);
  else reading.textContent = step ? word("gap") : word("given");
}

function paint() {
  const step = Number(slider.value);
  output.textContent = filled(word("of"), { step, last: slider.max });
  button.dataset.word = clock ? "pause" : "play";
  [...list.querySelectorAll("[data-place]")].forEach((node) => {
    const place = Number(node.dataset.place);
    const at = props.filled[place];
    const there = at >= 0 && at <= step;
    const character = node.dataset.character;
    node.textContent = there ? character.replace("\n", "↵") : "_";
    node.classList.toggle("gap", !there);
    node.classList.toggle("now", at === step && step > 0);
    const share = at > 0 && there ? 14 + Math.round((62 * (at - 1)) / Math.max(1, last() - 1)) : 0;
    node.style.background = share ? `color-mix(in srgb, var(--attention) ${share}%, transparent)` : "";
  });
  speak();
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
  if (following || slider.value > slider.max) slider.value = slider.max;
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
const point = ({ target }) => target.dataset?.place && note(Number(target.dataset.place));
list.addEventListener("pointerover", point);
list.addEventListener("click", point);

build();
watch(["text", "filled"], build);
window.addEventListener("aigc:language", paint);
