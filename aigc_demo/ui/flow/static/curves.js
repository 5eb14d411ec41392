// Lines in a plane: ways from noise to digit seen from the side, or errors against the work done.
const canvas = element.querySelector("canvas");
const SIDES = { left: 56, right: 16, top: 28, bottom: 40 };
const ERRORS = { low: 0.001, high: 1, most: 50 }; // both axes of an error are logarithmic

// The scales of the axes: a number -> 0 to 1, and the ticks.
function axes(points) {
  if (props.axes === "error") {
    const { low, high, most } = ERRORS;
    return {
      x: (value) => Math.log(value) / Math.log(most),
      y: (value) => Math.log(Math.max(low, Math.min(high, value)) / low) / Math.log(high / low),
      across: [1, 2, 4, 8, 20, 50],
      up: [0.001, 0.01, 0.1, 1],
    };
  }
  const top = Math.max(0.1, ...points.map(([, y]) => y)) * 1.15;
  return {
    x: (value) => value,
    y: (value) => value / top,
    across: [0, 0.25, 0.5, 0.75, 1],
    up: [0, 0.05, 0.1, 0.2, 0.3, 0.4].filter((tick) => tick < top),
  };
}

// A point of a line: a circle, or a square where the line is another role's.
function mark(brush, role, x, y) {
  brush.beginPath();
  if (role === "generator") brush.arc(x, y, 4, 0, 2 * Math.PI);
  else brush.rect(x - 4, y - 4, 8, 8);
  brush.fill();
}

function paint() {
  const lines = props.lines || [];
  if (!lines.length || !canvas.clientWidth) return;
  const { context: brush, width, height } = sharpen(canvas);
  const scales = axes(lines.flatMap((line) => line.points));
  const across = (x) => SIDES.left + scales.x(x) * (width - SIDES.left - SIDES.right);
  const down = (y) => height - SIDES.bottom - scales.y(y) * (height - SIDES.top - SIDES.bottom);
  brush.font = "13px sans-serif";
  brush.fillStyle = colour("quiet");
  brush.strokeStyle = colour("border-color-primary") || "#999";
  brush.beginPath();
  brush.textAlign = "center";
  for (const tick of scales.across) {
    brush.moveTo(across(tick), SIDES.top);
    brush.lineTo(across(tick), height - SIDES.bottom);
    brush.fillText(String(tick), across(tick), height - SIDES.bottom + 16);
  }
  brush.fillText(word(`${props.axes}_x`), (SIDES.left + width - SIDES.right) / 2, height - 6);
  brush.textAlign = "right";
  for (const tick of scales.up) {
    brush.moveTo(SIDES.left, down(tick));
    brush.lineTo(width - SIDES.right, down(tick));
    brush.fillText(String(tick), SIDES.left - 8, down(tick) + 4);
  }
  brush.stroke();
  brush.textAlign = "left";
  brush.fillText(word(`${props.axes}_y`), 4, 14);
  for (const line of lines.toReversed()) {
    brush.strokeStyle = brush.fillStyle = colour(line.thin ? line.role : `${line.role}-ink`);
    brush.lineWidth = line.thin ? 1 : 2.5;
    brush.beginPath();
    for (const [x, y] of line.points) brush.lineTo(across(x), down(y));
    brush.stroke();
    if (line.thin) continue;
    for (const [x, y] of line.points) mark(brush, line.role, across(x), down(y));
  }
  brush.textAlign = "right";
  lines.filter((line) => line.name).forEach((line, row) => {
    brush.fillStyle = colour(`${line.role}-ink`);
    brush.fillText(line.name, width - SIDES.right - 24, SIDES.top + 18 + 20 * row);
    mark(brush, line.role, width - SIDES.right - 12, SIDES.top + 14 + 20 * row);
  });
  const told = lines.map(({ name, points }) => {
    const numbers = points.map(([x, y]) => `${x.toFixed(2)}: ${y.toFixed(3)}`);
    return `${name || ""} ${numbers.join(", ")}`.trim();
  });
  canvas.setAttribute("aria-label", `${word(`${props.axes}_y`)}. ${told.slice(0, 2).join("; ")}`);
  canvas.dataset.painted = String(lines.length);
}

paint();
watch("lines", paint);
window.addEventListener("aigc:language", paint);
new ResizeObserver(paint).observe(canvas);
