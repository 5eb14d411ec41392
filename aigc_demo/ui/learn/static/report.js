// The report of a lesson: one file that prints well, with a link to each result that was shown.
const STYLE = `body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; color: #1e293b; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: start; vertical-align: top; padding: 6px 10px 6px 0; border-bottom: 1px solid #cbd5e1; }
td:first-child { width: 2rem; } .quiet { color: #475569; font-size: 14px; } a { color: #0072b2; overflow-wrap: anywhere; } tr { break-inside: avoid; }
@media print { a { color: inherit; } a::after { content: " " attr(href); font-size: 11px; } }`;

function minutesBetween(done) {
  const times = Object.values(done).map((one) => one?.time || 0);
  const last = Math.max(done.began || 0, ...times);
  return Math.max(1, Math.round((last - (done.began || last)) / 60_000));
}

function reportRow(paper, here, mine, place) {
  const make = (kind, text, name = "") => {
    const made = paper.createElement(kind);
    made.textContent = text;
    if (name) made.className = name;
    return made;
  };
  const row = make("tr", "");
  const middle = make("td", "");
  middle.append(make("div", said(here.do) || said(here.ask) || said(here.write)));
  if (mine.answer) {
    const right = mine.first === here.right;
    const answer = `${said(here.answers[mine.first - 1])} ${right ? "✓" : "✗"}`;
    middle.append(make("div", `${word("first_answer")} ${answer}`, "quiet"));
    if (mine.answer !== mine.first) {
      const last = `${said(here.answers[mine.answer - 1])} ${mine.answer === here.right ? "✓" : "✗"}`;
      middle.append(make("div", `${word("last_answer")} ${last}`, "quiet"));
    }
  }
  if (mine.text) middle.append(make("blockquote", mine.text));
  if (mine.link) {
    const link = make("a", word("result"));
    link.href = `${location.origin}${location.pathname}?${mine.link}&lang=${language()}`;
    const weights = new URLSearchParams(mine.link).get("weights");
    middle.append(link, make("span", weights ? ` ${word("weights")} ${weights}` : "", "quiet"));
  }
  if (mine.hinted) middle.append(make("div", word("hinted"), "quiet"));
  const state = mine.state === "done" ? `✓ ${word("done")}` : word("open");
  row.append(make("td", `${place + 1}`), middle, make("td", state));
  return row;
}

function saveReport(lesson, done, who) {
  const paper = document.implementation.createHTMLDocument(said(lesson.title));
  paper.documentElement.lang = document.documentElement.lang;
  const charset = paper.createElement("meta");
  charset.setAttribute("charset", "utf-8");
  const wide = paper.createElement("meta"); // as wide as a phone
  wide.setAttribute("name", "viewport");
  wide.setAttribute("content", "width=device-width");
  const style = paper.createElement("style");
  style.textContent = STYLE;
  paper.head.prepend(charset, wide, style);
  const heading = paper.createElement("h1");
  heading.textContent = said(lesson.title);
  const about = paper.createElement("p");
  const day = new Date(done.began || Date.now()).toLocaleDateString(document.documentElement.lang);
  about.textContent = [who.trim(), day, filled(word("minutes"), { minutes: minutesBetween(done) })]
    .filter(Boolean)
    .join(" · ");
  const table = paper.createElement("table");
  lesson.steps.forEach((here, place) => {
    if (here.do || here.ask || here.write) {
      table.append(reportRow(paper, here, done[place] || {}, place));
    }
  });
  paper.body.append(heading, about, table);
  const text = `<!doctype html>\n${paper.documentElement.outerHTML}`;
  const link = node("a", "");
  link.download = `${lesson.name.replace("/", "-")}.html`;
  link.href = URL.createObjectURL(new Blob([text], { type: "text/html" }));
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
