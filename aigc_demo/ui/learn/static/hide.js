// What a teacher's link takes away: tabs (gan), tasks (gan.lab) and controls (seed), by `hide=`.
const hiding = node("style", "");

function selectorOf(name) {
  if (props.controls.includes(name)) return props.parts[name];
  const [tab, task] = name.split(".");
  if (!/^[a-z]+$/.test(tab) || !/^[a-z]*$/.test(task || "")) return "";
  return task ? `#${tab}-tasks [data-tab-id="${task}"]` : `#models > .tab-wrapper [data-tab-id="${tab}"]`;
}

// What the link takes away, and what a lesson does as long as it is on.
function hide(more = []) {
  const names = new URLSearchParams(location.search).get("hide") || "";
  const rules = [...names.split(","), ...more].map(selectorOf).filter(Boolean);
  hiding.textContent = rules.length ? `${rules.join(", ")} { display: none !important; }` : "";
}

document.head.append(hiding);
window.aigc.page.hide = hide;
hide();
