// The first language: the link's, else the one chosen before, else the browser's.
() => {
  let stored = null;
  try {
    stored = localStorage.getItem("aigc_language");
  } catch {
    // private windows may forbid it
  }
  const asked = new URLSearchParams(location.search).get("lang") || stored;
  if (asked === "zh" || asked === "en") return asked;
  return (navigator.language || "").toLowerCase().startsWith("zh") ? "zh" : "en";
}
