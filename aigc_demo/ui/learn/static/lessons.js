// The list of lessons: what each is, how far it was done, its teacher's page and the link to give.
const place = element.querySelector(".list");
const guides = window.aigc.page.guides;
const said = (texts) => texts?.[language()] || "";
const short = (lesson) => lesson.name.split("/")[1];
let shown = ""; // the lesson that was opened here last
let opened;

// The link that a teacher hands out: it opens the lesson, without what is named.
function handout(lesson) {
  const made = node("div", "handout");
  const hidden = node("input", "");
  const link = node("input", "address");
  const label = node("label", "", word("hidden"));
  link.readOnly = true;
  link.setAttribute("aria-label", word("handout"));
  hidden.value = (lesson.hide || []).join(",");
  const fill = () => {
    const names = hidden.value.replaceAll(/[^a-z.,]/g, "");
    const query = new URLSearchParams({ tab: "learn.lesson", lesson: short(lesson) });
    if (names) query.set("hide", names);
    const text = query.toString().replaceAll("%2C", ",");
    link.value = `${location.origin}${location.pathname}?${text}&lang=${language()}`;
  };
  hidden.addEventListener("input", fill);
  link.addEventListener("focus", () => link.select());
  label.append(hidden);
  fill();
  made.append(label, node("p", "quiet", word("hidden_info")), link);
  return made;
}

function card(lesson) {
  const made = node("article", "");
  const at = guides.kept.at[lesson.name] || 0;
  const key = at >= lesson.steps ? "once_more" : at ? "go_on" : "start";
  const start = node("button", "start", word(key));
  start.addEventListener("click", () => begin(lesson));
  const about = filled(word("lesson_about"), { minutes: lesson.minutes, steps: lesson.steps });
  made.append(node("h3", "", said(lesson.title)), node("p", "quiet", about));
  if (lesson.needs) made.append(node("p", "", said(lesson.needs)));
  made.append(start);
  const folded = node("details", "");
  folded.append(node("summary", "", word("teachers")));
  for (const part of said(lesson.teacher).split(/\n\s*\n/)) folded.append(node("p", "", part));
  folded.append(handout(lesson));
  made.append(folded);
  return made;
}

function begin(lesson) {
  shown = short(lesson);
  bar.follow?.();
  window.dispatchEvent(new CustomEvent("aigc:guide", { detail: lesson.name }));
}

async function paint() {
  try {
    const all = await guides.list();
    const lessons = all.filter(({ name }) => name.startsWith("lessons/"));
    place.replaceChildren(...lessons.map(card));
  } catch {
    place.textContent = word("failed");
  }
}

const bar = {
  element,
  props,
  watch: () => {}, // what it shows is known here alone
  tab: "learn.lesson",
  link: () => ({ query: `tab=learn.lesson${shown && `&lesson=${shown}`}`, opened }),
  open: ({ query, number }) => {
    shown = new URLSearchParams(query).get("lesson") || "";
    opened = number;
    bar.follow?.();
  },
};
window.addEventListener("aigc:language", paint);
window.addEventListener("aigc:left", paint);
window.aigc.page.bars = [...(window.aigc.page.bars || []), bar];
window.dispatchEvent(new CustomEvent("aigc:bar"));
paint();
