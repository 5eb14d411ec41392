// A text token by token. One may be chosen; a shade tells how much of something each token has.
const list = element.querySelector(".list");
const caption = element.querySelector(".caption");
let chosen = props.value ?? -1;

function say(token) {
  if (token && token.note) caption.textContent = `${token.text}  ${token.note[language()] || token.note}`;
  else speak();
}

function mark() {
  [...list.querySelectorAll(".token")].forEach((node, place) => {
    if (!props.choosing) return;
    node.setAttribute("aria-pressed", String(place === chosen));
    node.tabIndex = place === chosen ? 0 : -1;
  });
}

function build() {
  list.replaceChildren();
  (props.tokens || []).forEach((token, place) => {
    const node = document.createElement(props.choosing ? "button" : "span");
    node.className = `token ${token.role || ""}`.trim();
    node.textContent = token.text === "␣" ? " " : token.text;
    if (token.text === "␣" && props.choosing) node.setAttribute("aria-label", "␣");
    if (token.shade) {
      const share = Math.round(75 * token.shade);
      node.style.background = `color-mix(in srgb, var(--loss) ${share}%, transparent)`;
    }
    if (props.choosing) {
      node.type = "button";
      node.addEventListener("click", () => choose(place));
    } else {
      node.tabIndex = 0;
    }
    node.addEventListener("pointerenter", () => say(token));
    node.addEventListener("focus", () => say(token));
    list.append(node);
    if (token.text === "↵" || token.breaks) list.append(document.createElement("br"));
  });
  mark();
  speak();
  list.dataset.painted = (props.tokens || []).map((token) => token.text).join("");
}

function choose(place) {
  chosen = Math.max(0, Math.min(props.tokens.length - 1, place));
  mark();
  list.querySelectorAll(".token")[chosen].focus();
  props.value = chosen;
  trigger("pick");
}

list.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (step === undefined || !props.choosing) return;
  event.preventDefault();
  choose(chosen + step);
});
list.addEventListener("pointerleave", speak);

build();
watch(["tokens", "value"], () => {
  chosen = props.value ?? -1;
  build();
});
window.addEventListener("aigc:language", build);
