// What the flow's laboratory looks like: the plane at a time between noise and data; its curves.
const GRID = 13; // arrows of the velocity field along a side
const ARROWS = lattice(GRID, (i) => ((i + 0.5) / GRID) * 2 * REACH - REACH);

// Where points of a path are at a time: between two of its steps, on a straight line.
function atTime(path, time) {
  const place = time * (path.length - 1);
  const before = Math.min(path.length - 2, Math.floor(place));
  return between(path[before], path[before + 1], place - before);
}

function drawLines({ context, across, down }, path, colour, strong) {
  context.strokeStyle = colour;
  context.lineWidth = strong ? 2.2 : 1;
  context.globalAlpha = strong ? 1 : 0.35;
  context.beginPath();
  for (let i = 0; i < path[0].length; i += 2) {
    context.moveTo(across(path[0][i]), down(path[0][i + 1]));
    for (const points of path.slice(1)) context.lineTo(across(points[i]), down(points[i + 1]));
  }
  context.stroke();
  context.globalAlpha = 1;
}

// The velocity at each place of a grid, as arrows; the longest as long as the grid is wide.
function drawField({ context, size, across, down, colours }, velocity) {
  let fastest = 0.5;
  for (let i = 0; i < velocity.length; i += 2) {
    fastest = Math.max(fastest, Math.hypot(velocity[i], velocity[i + 1]));
  }
  const unit = size / GRID / fastest;
  context.strokeStyle = colours.loss;
  context.lineWidth = 1.3;
  context.beginPath();
  for (let i = 0; i < velocity.length; i += 2) {
    const [x, y] = [across(ARROWS[i]), down(ARROWS[i + 1])];
    addArrow(context, x, y, x + unit * velocity[i], y - unit * velocity[i + 1], 3.5);
  }
  context.stroke();
}

// The whole plane. scene: {data, path, field, probe}; show: {lines, field}.
function drawFlow(canvas, scene, time, show, colours) {
  const view = viewOf(canvas, colours);
  drawPoints(view, scene.data, "square", colours.data);
  if (show.lines) drawLines(view, scene.path, colours.generator, false);
  if (show.field) drawField(view, scene.field);
  drawPoints(view, atTime(scene.path, time), "disc", colours.generator);
  if (!scene.probe) return;
  drawLines(view, scene.probe, colours["body-text-color"], true);
  drawProbe(view, scene.probe[0]);
}

// The loss, and below the distances to the data. words: {losses, distance}.
function flowCurves(floor, beside, words, colours) {
  const lines = [["flow", colours.generator, [], "F"]];
  if (beside) lines.push(["gan", colours.discriminator, [5, 3], "G"]);
  return [
    { lines: [["loss", colours.loss, [], ""]], title: words.losses },
    { lines, title: words.distance, level: floor },
  ];
}
