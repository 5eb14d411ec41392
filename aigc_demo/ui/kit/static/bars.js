// A bar a value, largest first as they come; those below the threshold are marked as dead.
const list = element.querySelector("ol");

function build() {
  list.replaceChildren();
  const most = Math.max(1e-9, ...(props.bars || []).map((bar) => bar.value));
  for (const bar of props.bars || []) {
    const row = document.createElement("li");
    const name = document.createElement("span");
    const fill = document.createElement("i");
    const value = document.createElement("b");
    name.textContent = bar.name;
    fill.style.width = `${(100 * Math.max(0, bar.value)) / most}%`;
    value.textContent = bar.dead ? `${bar.value.toFixed(3)} ${word("dead")}` : bar.value.toFixed(2);
    const track = document.createElement("span");
    track.className = "track";
    track.append(fill);
    row.append(name, track, value);
    list.append(row);
  }
  list.dataset.painted = (props.bars || []).length;
}

build();
watch("bars", build);
window.addEventListener("aigc:language", build);
