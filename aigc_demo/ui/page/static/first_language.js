// The first language: the link's, else the one chosen before, else the browser's. It is chosen once, in
// the page's head: Gradio's switch starts with English, and may write that into the address first.
() => {
  let stored = null;
  try {
    stored = localStorage.getItem("aigc_language");
  } catch {
    // private windows may forbid it
  }
  const asked = new URLSearchParams(location.search).get("lang") || stored;
  const own = (navigator.language || "").toLowerCase().startsWith("zh") ? "zh" : "en";
  window.aigcLanguage ||= asked === "zh" || asked === "en" ? asked : own;
  const chosen = window.aigcLanguage;
  // The widgets follow this; where the switch stands there already, nothing else would set it.
  document.documentElement.lang = chosen === "zh" ? "zh-CN" : "en";
  window.dispatchEvent(new CustomEvent("aigc:language"));
  return chosen;
}
