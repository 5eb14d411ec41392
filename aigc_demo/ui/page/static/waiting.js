// Gradio's status "queue: 3/10 | 12.3s" or "processing | 2.1s" as a sentence, by an attribute that
// the style shows in its place.
const QUEUE = /queue: (\d+)\/(\d*)/;
const SECONDS = /([\d.]+)(?:\/[\d.]+)?s\s*$/;

function say(box) {
  const text = box.textContent;
  const seconds = Math.floor(Number(SECONDS.exec(text)?.[1] || 0));
  const queue = QUEUE.exec(text);
  const name = queue ? "queue" : text.includes("processing") ? "computing" : "";
  const said = filled(word(name || "passed"), { place: queue?.[1], size: queue?.[2], seconds });
  if (box.dataset.said !== said) box.dataset.said = said;
}

new MutationObserver((changes) => {
  const boxes = new Set();
  for (const { target, addedNodes } of changes) {
    const near = target.nodeType === Node.TEXT_NODE ? target.parentElement : target;
    const box = near?.closest(".progress-text");
    if (box) boxes.add(box);
    for (const added of addedNodes)
      for (const inner of added.querySelectorAll?.(".progress-text") || []) boxes.add(inner);
  }
  boxes.forEach(say);
}).observe(document.body, { subtree: true, childList: true, characterData: true });
