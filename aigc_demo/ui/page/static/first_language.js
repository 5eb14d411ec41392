// The first language: the link's, else the one chosen before, else the browser's.
() => {
  let stored = null;
  try {
    stored = localStorage.getItem("aigc_language");
  } catch {
    // private windows may forbid it
  }
  const asked = new URLSearchParams(location.search).get("lang") || stored;
  const own = (navigator.language || "").toLowerCase().startsWith("zh") ? "zh" : "en";
  const chosen = asked === "zh" || asked === "en" ? asked : own;
  // The widgets follow this; where the switch stands there already, nothing else would set it.
  document.documentElement.lang = chosen === "zh" ? "zh-CN" : "en";
  window.dispatchEvent(new CustomEvent("aigc:language"));
  return chosen;
}
