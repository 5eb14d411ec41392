// The likeliest continuations as a tree; a click makes the way to a node the text.
const root = element.querySelector(".root");

function wayTo(place) {
  const way = [];
  for (let at = place; at >= 0; at = props.tree[at].parent) way.unshift(props.tree[at].id);
  return way;
}

function branch(parent) {
  const list = document.createElement("ul");
  (props.tree || []).forEach((node, place) => {
    if (node.parent !== parent) return;
    const item = document.createElement("li");
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
    item.append(button);
    const inner = branch(place);
    if (inner.children.length) item.append(inner);
    list.append(item);
  });
  return list;
}

function build() {
  root.replaceChildren(branch(-1));
  root.dataset.painted = (props.tree || []).map((node) => node.name).join("");
}

build();
watch("tree", build);
