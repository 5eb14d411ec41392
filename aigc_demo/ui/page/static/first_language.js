// The first language: the link's, else the one chosen before, else the browser's. It is settled once, in
// the page's head: until Gradio has heard of it, the switch may say another, and the address with it.
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
