// The likeliest continuations as a tree; a click makes the way to a node the text.
const root = element.querySelector(".root");

function wayTo(place) {
  const way = [];
  for (let at = place; at >= 0; at = props.tree[at].parent) way.unshift(props.tree[at].id);
  return way;
}

const FOLDED = 0.01; // ways less likely than this wait behind a button
const unfolded = new Set(); // the nodes, by place, that show those too

function nodeOf(node, place) {
  const button = document.createElement("button");
  button.type = "button";
  button.disabled = node.control;
  const name = document.createElement("b");
  name.textContent = node.name;
  button.append(name, ` ${(100 * node.path).toFixed(node.path < 0.01 ? 2 : 0)}%`);
  button.style.setProperty("--share", `${Math.round(70 * node.path)}%`);
  button.addEventListener("click", () => {
    props.value = wayTo(place);
    trigger("pick");
  });
  return button;
}

function unfold(parent, count) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "folded";
  button.textContent = `+${count} (< 1%)`;
  button.addEventListener("click", () => {
    unfolded.add(parent);
    build();
  });
  return button;
}

function branch(parent) {
  const list = document.createElement("ul");
  const add = (...parts) => {
    const item = document.createElement("li");
    item.append(...parts);
    list.append(item);
  };
  let hidden = 0;
  (props.tree || []).forEach((node, place) => {
    if (node.parent !== parent) return;
    if (node.path < FOLDED && !unfolded.has(parent)) hidden += 1;
    else {
      const inner = branch(place);
      add(nodeOf(node, place), ...(inner.children.length ? [inner] : []));
    }
  });
  if (hidden) add(unfold(parent, hidden));
  return list;
}

function build() {
  root.replaceChildren(branch(-1));
  root.dataset.painted = (props.tree || []).map((node) => node.name).join("");
}

build();
watch("tree", () => {
  unfolded.clear();
  build();
});
