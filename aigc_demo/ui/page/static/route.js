// Opens the tab that a link names: the link of a dropped file, else that of the history, else that
// of the address bar. The bar in that tab then asks for the result, as soon as it is there.
() => {
  const tabs = __TABS__;
  const asked = window.aigc.page.asked || history.state?.aigc || location.search.slice(1);
  window.aigc.page.asked = null;
  const inner = Object.keys(tabs).filter((name) => tabs[name].length); // that have tasks
  const updates = ["", ...inner].map(() => ({ __type__: "update" }));
  const tab = new URLSearchParams(asked).get("tab");
  if (!tab) return updates;
  let [model, task] = tab.split(".");
  const known = model in tabs && (!task || !tabs[model].length || tabs[model].includes(task));
  if (!known) [model, task] = ["gan", "digits"]; // where the server says what is wrong with it
  updates[0].selected = model;
  if (!task) return updates;
  if (tabs[model].length) updates[1 + inner.indexOf(model)].selected = task;
  window.aigc.page.pending = { tab: `${model}.${task}`, query: asked };
  setTimeout(() => window.dispatchEvent(new CustomEvent("aigc:bar")));
  return updates;
}
