// How many texts the server writes together, asked every two seconds while somebody can see it; and,
// while it is unfolded, the slots they stand in.
const line = element.querySelector(".hint");
const folded = element.querySelector("details");
const loops = element.querySelector(".loops");
const AGAIN = 18_000; // ms after which the server is asked to go on telling
const MANY = 8; // texts to begin, to watch
let asked = 0;

async function ask() {
  if (!element.isConnected) return;
  if (element.offsetParent && !document.hidden) {
    const found = await server.writing_now().catch(() => null);
    const name = found?.writing ? (found.waiting ? "waiting" : "writing") : "nobody";
    const text = found ? filled(word(name), found) : "";
    if (line.textContent !== text) line.textContent = text;
  }
  setTimeout(ask, 2000);
}

function follow(begin = 0) {
  if (!folded.open || !element.offsetParent || document.hidden) return;
  if (!begin && Date.now() - asked < AGAIN) return;
  asked = Date.now();
  props.value = begin;
  trigger("watch");
}

// A text in its slot: what was read, what was written, how far it may go; of others grey alone.
function slotOf(text, wide) {
  const made = node("div", text.name ? "slot mine" : "slot");
  const track = node("div", "track");
  const part = (name, tokens) => {
    const bar = node("i", name);
    bar.style.width = `${(100 * tokens) / wide}%`;
    track.append(bar);
  };
  part("given", text.given);
  part("new", text.new);
  part("left", Math.max(0, text.most - text.new));
  const told = filled(word("slot"), { cache: text.cache, new: text.new });
  made.append(track, node("span", "told", told));
  if (text.name) made.append(node("code", "", text.name.replaceAll("\n", "⏎")));
  return made;
}

function loopOf(one) {
  const made = node("section", "");
  const head = filled(word("loop"), { ...one, taken: one.texts.length });
  made.append(node("h4", "", head));
  const wide = Math.max(1, ...one.texts.map((text) => text.given + text.most));
  made.append(...one.texts.map((text) => slotOf(text, wide)));
  return made;
}

function paint() {
  const now = props.engine || [];
  loops.replaceChildren(...now.map(loopOf));
  loops.dataset.painted = now.reduce((all, one) => all + one.texts.length, 0);
}

folded.addEventListener("toggle", () => follow());
element.querySelector("button").addEventListener("click", () => follow(MANY));
setInterval(follow, 1_000);
watch("engine", paint);
window.addEventListener("aigc:language", paint);
ask();
