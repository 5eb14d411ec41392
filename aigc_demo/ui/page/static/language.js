// Puts the whole page into one language: no request, no reload.
(language) => {
  const table = __TABLE__;
  const chosen = table[language] ? language : "en";
  document.documentElement.lang = chosen === "zh" ? "zh-CN" : "en";
  document.title = table[chosen].title;
  try {
    localStorage.setItem("aigc_language", chosen);
  } catch {
    // private windows may forbid it: the choice then lasts as long as the page
  }
  for (const close of document.querySelectorAll("[data-testid=toast-close]")) close.click();
  window.dispatchEvent(new CustomEvent("aigc:language"));
  // After a model's own choices stand those that this visitor fetched (others.js).
  const more = ({ choices = [] }) =>
    (window.aigc.page.others || {})[choices.map(([, name]) => name).join(" ")] || [];
  return table[chosen].updates.map((update) =>
    more(update).length ? { ...update, choices: [...update.choices, ...more(update)] } : update,
  );
}
