// What a visitor's training learns from: drawings from the pad above, or a zip of pictures.
// Which of the two is in sight, style.css says.
const shelf = element.querySelector(".shelf");
const count = element.querySelector(".of-drawings .caption");
const file = element.querySelector("input[type=file]");
const chosen = element.querySelector(".chosen");
const pad = () => document.querySelector("#train-pad .sheet canvas");
const drawings = []; // 28 x 28 grey levels, in base64
let told = null; // the word about the file, and what is filled in
let zip = "";
let sent = 0; // files that were chosen

function keep() {
  props.value = { drawings, zip };
  const missing = props.fewest - drawings.length;
  const values = { count: drawings.length, missing, most: props.most };
  let name = "enough";
  if (missing > 0) name = "missing";
  else if (drawings.length >= props.most) name = "full";
  count.textContent = filled(word(name), values);
  chosen.textContent = told ? filled(word(told.name), told) : "";
}

// What is on the pad, as the model will see it: its ink in the middle, as large as there is room.
function seen(sheet) {
  const small = document.createElement("canvas");
  small.width = small.height = SIDE;
  const brush = small.getContext("2d", { willReadFrequently: true });
  const { data } = sheet.getContext("2d").getImageData(0, 0, sheet.width, sheet.height);
  let [left, top, right, bottom] = [sheet.width, sheet.height, -1, -1];
  for (let y = 0; y < sheet.height; y++)
    for (let x = 0; x < sheet.width; x++)
      if (data[4 * (y * sheet.width + x)] > 40) {
        [left, right] = [Math.min(left, x), Math.max(right, x)];
        [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
      }
  if (right < 0) return null;
  const [width, height] = [right - left + 1, bottom - top + 1];
  const scale = Math.min(20 / Math.max(width, height), 20 / 60); // a dot stays a dot
  const [wide, high] = [width * scale, height * scale];
  brush.fillRect(0, 0, SIDE, SIDE);
  brush.imageSmoothingQuality = "high";
  const place = [(SIDE - wide) / 2, (SIDE - high) / 2];
  brush.drawImage(sheet, left, top, width, height, ...place, wide, high);
  return small;
}

function add() {
  const small = pad() && drawings.length < props.most ? seen(pad()) : null;
  if (!small) return;
  const { data } = small.getContext("2d").getImageData(0, 0, SIDE, SIDE);
  const levels = Array.from({ length: SIDE * SIDE }, (_, i) => data[4 * i]);
  const value = btoa(String.fromCharCode(...levels));
  drawings.push(value);
  const one = node("button", "one");
  one.setAttribute("aria-label", word("drop"));
  one.title = word("drop");
  one.append(small);
  one.addEventListener("click", () => {
    drawings.splice(drawings.indexOf(value), 1);
    one.remove();
    keep();
  });
  shelf.append(one);
  document.querySelector("#train-pad [data-word=clear]").click();
  keep();
}

async function send(one) {
  const mine = (sent += 1);
  zip = "";
  told = { name: "sending" };
  if (one.size > props.largest) told = { name: "large", most: props.largest / 1e6 };
  keep();
  if (told.name === "large") return;
  const form = new FormData();
  form.append("files", one);
  try {
    const answer = await fetch(`${window.gradio_config.root}/gradio_api/upload`, {
      method: "POST",
      body: form,
    });
    const [path] = await answer.json();
    if (mine !== sent) return; // another one was chosen meanwhile
    if (!answer.ok || typeof path !== "string") throw new Error(answer.status);
    zip = path;
    told = { name: "chosen", file: one.name };
  } catch {
    if (mine !== sent) return;
    told = { name: "lost" };
  }
  keep();
}

element.querySelector(".add").addEventListener("click", add);
element.querySelector(".choose").addEventListener("click", () => file.click());
file.addEventListener("change", () => {
  if (file.files.length) send(file.files[0]);
  file.value = "";
});
window.addEventListener("aigc:language", keep);
keep();
