// The end of a chapter: three questions, its sources, the chapters before and after it.
const section = element.querySelector("section");

function question({ ask, answers, right, why }, number) {
  const made = node("fieldset", "question");
  const said = node("p", "why");
  said.setAttribute("role", "status");
  made.append(node("legend", "", `${number + 1}. ${ask}`));
  answers.forEach((answer, place) => {
    const button = node("button", "", answer);
    const isRight = place + 1 === right;
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => {
      for (const other of made.querySelectorAll("button")) {
        other.setAttribute("aria-pressed", String(other === button));
        other.classList.remove("right", "wrong");
      }
      button.classList.add(isRight ? "right" : "wrong");
      said.textContent = `${word(isRight ? "right" : "wrong")} ${isRight ? why : ""}`;
    });
    made.append(button);
  });
  made.append(said);
  return made;
}

function turn(name, title, way) {
  const button = node("button", way, filled(word(way), { title }));
  button.addEventListener("click", () => {
    window.dispatchEvent(new CustomEvent("aigc:turn", { detail: name }));
  });
  return button;
}

function paint() {
  const chapter = window.aigc.page.chapter;
  if (!chapter) return;
  const sources = node("details", "sources");
  const list = node("ul", "");
  list.append(...chapter.sources.map((source) => node("li", "", source)));
  sources.append(node("summary", "", word("sources")), list);
  const ways = node("div", "row ways");
  for (const way of ["before", "after"]) {
    const next = chapter[way];
    if (next) ways.append(turn(next.name, next.title, way));
  }
  section.replaceChildren(
    node("h3", "", word("check")),
    ...chapter.questions.map(question),
    sources,
    ways,
  );
}

// Read is what somebody has stayed at the end of.
const STAY = 1_500; // ms
const isInSight = () => {
  const { top, bottom } = section.getBoundingClientRect();
  return section.childElementCount && bottom > 0 && top < window.innerHeight && bottom > top;
};
const seen = new IntersectionObserver(() => {
  const name = window.aigc.page.chapter?.name;
  setTimeout(() => {
    if (isInSight() && name === window.aigc.page.chapter?.name) {
      window.dispatchEvent(new CustomEvent("aigc:read"));
    }
  }, STAY);
});
seen.observe(section);
window.addEventListener("aigc:chapter", paint);
paint();
