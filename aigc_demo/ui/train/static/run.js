// A training while it runs: asked for every two seconds by its key, which this browser tab keeps.
const button = (name) => element.querySelector(`.${name}`);
const bar = element.querySelector("progress");
const told = element.querySelector(".caption");
const made = element.querySelector(".made");
const again = element.querySelector("details");
const KEY = "aigc_training";
const EVERY = 2_000; // ms between two looks
const PATIENCE = 60_000; // ms until a start that was not answered may be asked for again
const PLACES = { gan: "gan.digits", vae: "vae.prior", flow: "flow.digits", transformer: "transformer.shakespeare" };
let key = "";
let state = { stage: "none" };
let waiting = 0; // the timer of the next look

function keep(value) {
  key = value;
  try {
    if (value) sessionStorage.setItem(KEY, value);
    else sessionStorage.removeItem(KEY);
  } catch {
    // private windows may forbid it: the key then lasts as long as the page
  }
}

const whole = (value) => Math.round(value).toLocaleString("en");
const busy = () => ["sent", "waiting", "running", "stopping"].includes(state.stage);

function say() {
  const { stage, texts, before, history, seconds } = state;
  if (stage === "failed") return texts[language()];
  if (stage === "waiting") return before ? filled(word("waiting"), { before }) : word("begins");
  const now = history?.moments.at(-1);
  if (stage === "running" && now) {
    const left = whole(Math.max(0, seconds - now.seconds));
    const speed = whole(now.seen / Math.max(1, now.seconds));
    return filled(word("running"), { left, speed, unit: word(history.unit) });
  }
  const words = { sent: "begins", running: "begins", stopping: "stopping", done: "done", gone: "gone" };
  return words[stage] ? word(words[stage]) : "";
}

function paint() {
  const now = state.history?.moments.at(-1);
  button("start").disabled = busy();
  button("stop").hidden = !busy();
  button("stop").disabled = state.stage === "stopping" || !key;
  bar.hidden = !busy();
  if (now) bar.value = Math.min(1, now.seconds / state.seconds);
  else bar.removeAttribute("value");
  made.hidden = state.stage !== "done";
  const text = say();
  if (told.textContent !== text) told.textContent = text;
  told.classList.toggle("failed", state.stage === "failed");
  again.hidden = !state.command;
  if (!state.command) return;
  button("shell").textContent = state.command;
  button("cell").textContent = `!${state.command}`;
}

async function look() {
  clearTimeout(waiting);
  const mine = key;
  if (!mine) return;
  let found = null;
  try {
    found = await server.look_at_training(mine);
  } catch {
    // the next one may be answered
  }
  if (mine !== key) return;
  if (found) {
    const before = state.stage;
    state = found;
    if (found.history) {
      const at = found.history.moments.length - 1;
      const { history } = found;
      props.value = { shown: { __type__: "update", value: at, props: { history } } };
      trigger("show");
    }
    if (found.about && before !== "done") {
      (window.aigc.page.trained ||= []).push(found.about);
      window.dispatchEvent(new CustomEvent("aigc:trained"));
    }
    if (found.stage === "gone") keep("");
    paint();
  }
  if (!found || busy()) waiting = setTimeout(look, EVERY);
}

// opening: the field of that place for a text; a writer knows only the characters it has learnt.
function go(task, opening, more = {}) {
  const query = new URLSearchParams({ tab: task, model: state.about.name, ...more });
  if (state.about.opening) query.set(opening, state.about.opening);
  window.aigc.page.go(query.toString());
}

async function takeHome() {
  const data = await server.take_training(key).catch(() => "");
  const link = node("a", "");
  link.download = "mine.zip";
  link.href = `data:application/zip;base64,${data}`;
  if (data) link.click();
  else look();
}

button("start").addEventListener("click", () => {
  keep("");
  state = { stage: "sent" };
  paint();
  trigger("start");
  setTimeout(() => {
    if (state.stage !== "sent") return; // no answer came
    state = { stage: "none" };
    paint();
  }, PATIENCE);
});
button("stop").addEventListener("click", async () => {
  state = { ...state, stage: "stopping" };
  paint();
  await server.stop_training(key);
  look();
});
button("use").addEventListener("click", () => go(PLACES[state.about.tab], "prompt"));
button("inside").addEventListener("click", () => go(`${state.about.tab}.inside`, "text", { look: "training" }));
button("home").addEventListener("click", takeHome);
watch("job", () => {
  if (!props.job) return;
  if (props.job.texts) state = { stage: "failed", texts: props.job.texts };
  else keep(props.job.key);
  paint();
  look();
});
window.addEventListener("aigc:language", paint);
try {
  keep(sessionStorage.getItem(KEY) || "");
} catch {
  // nothing was kept
}
paint();
look();
