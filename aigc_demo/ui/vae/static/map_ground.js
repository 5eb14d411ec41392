// What lies under the map's point: density or grid, axes, and the test digits where the encoder
// puts them. Painted once for a view, then copied in each frame.
const canvas = element.querySelector("canvas.plane");
const context = canvas.getContext("2d");
const boxes = { density: element.querySelector(".density"), grid: element.querySelector(".grid") };
const reach = props.reach;
const view = { x: 0, y: 0, half: reach }; // the square that is seen
const ground = document.createElement("canvas");
const tile = new ImageData(SIDE, SIDE);
let size = 0; // of the plane, in CSS pixels
let dots = 1; // of the screen, for each of them
let painted = ""; // what the ground shows
let mesh = null; // the grid of decoded digits
let heat = null; // the density
let layers = null; // the decoder, once it is here
let points = []; // [x, y, label, deviation of x, deviation of y]

const across = (x) => ((x - view.x) / (2 * view.half) + 0.5) * size;
const down = (y) => ((view.y - y) / (2 * view.half) + 0.5) * size;

// A decoded point as an opaque picture.
function picture(x, y) {
  const pixels = decode(layers, [x, y]);
  for (let i = 0; i < pixels.length; i++) {
    tile.data.fill(Math.round(255 * pixels[i]), 4 * i, 4 * i + 3);
    tile.data[4 * i + 3] = 255;
  }
  return tile;
}

// Decodes the grid, a few milliseconds a frame. Returns whether some of it is left to do.
function growMesh() {
  const times = Math.max(1, Math.floor(dots + 0.25)); // screen pixels a pixel, always whole
  const columns = Math.floor(canvas.width / (SIDE * times));
  const key = [canvas.width, times, view.x, view.y, view.half].join();
  if (mesh?.key !== key) {
    const sheet = document.createElement("canvas");
    sheet.width = sheet.height = SIDE * columns;
    const margin = Math.floor((canvas.width - SIDE * times * columns) / 2);
    mesh = { key, sheet, times, margin, next: 0 };
  }
  const ink = mesh.sheet.getContext("2d");
  const until = performance.now() + 8;
  const place = (k) => (mesh.margin + (k + 0.5) * SIDE * times) / canvas.width - 0.5;
  while (mesh.next < columns ** 2 && performance.now() < until) {
    const column = mesh.next % columns;
    const row = Math.floor(mesh.next / columns);
    const [x, y] = [view.x + place(column) * 2 * view.half, view.y - place(row) * 2 * view.half];
    ink.putImageData(picture(x, y), column * SIDE, row * SIDE);
    mesh.next += 1;
  }
  return mesh.next < columns ** 2;
}

function paintMesh(brush) {
  const wide = mesh.sheet.width * mesh.times;
  brush.save();
  brush.setTransform(1, 0, 0, 1, 0, 0);
  brush.imageSmoothingEnabled = false;
  brush.drawImage(mesh.sheet, mesh.margin, mesh.margin, wide, wide);
  brush.restore();
}

// The density on one scale whatever the zoom: 0 is clear, the prior's highest is well seen.
function heatOf(colour) {
  const key = [view.x, view.y, view.half, points.length, colour].join();
  if (heat?.key === key) return heat.sheet;
  const side = 230;
  const sheet = document.createElement("canvas");
  sheet.width = sheet.height = side;
  const ink = sheet.getContext("2d");
  ink.fillStyle = colour;
  ink.fillRect(0, 0, side, side);
  const pixels = ink.getImageData(0, 0, side, side);
  density(points, view, side).forEach((value, i) => {
    pixels.data[4 * i + 3] = 210 * (1 - Math.exp(-Math.sqrt(value / 0.1)));
  });
  ink.putImageData(pixels, 0, 0);
  heat = { key, sheet };
  return sheet;
}

function paintDensity(brush, colour) {
  brush.globalCompositeOperation = boxes.grid.checked ? "screen" : "source-over";
  brush.drawImage(heatOf(colour), 0, 0, size, size);
  brush.globalCompositeOperation = "source-over";
}

function paintPoints(brush, halo) {
  brush.font = `bold ${{ 1: 10, 2: 12, 4: 14 }[Math.round(reach / view.half)]}px sans-serif`;
  brush.textAlign = "center";
  brush.textBaseline = "middle";
  brush.lineWidth = 3;
  brush.lineJoin = "round";
  brush.strokeStyle = halo;
  for (const [x, y, label] of points) {
    brush.fillStyle = props.colours[label];
    if (boxes.density.checked) brush.strokeText(label, across(x), down(y));
    brush.fillText(label, across(x), down(y));
  }
}

// Paints the ground if anything about it has changed, and copies it onto the plane.
function paintGround() {
  size = canvas.clientWidth;
  dots = window.devicePixelRatio || 1;
  const wide = Math.round(size * dots);
  if (canvas.width !== wide || canvas.height !== wide) canvas.width = canvas.height = wide;
  const unfinished = boxes.grid.checked && layers !== null && growMesh();
  const style = getComputedStyle(element);
  const [line, halo, noise] = ["border-color-primary", "background-fill-secondary", "noise"].map(
    (name) => style.getPropertyValue(`--${name}`).trim() || "#999",
  );
  const ticked = [boxes.density.checked, boxes.grid.checked, boxes.grid.checked && mesh?.next];
  const wanted = [wide, view.x, view.y, view.half, points.length, line, noise, ticked].join();
  if (painted !== wanted) {
    painted = wanted;
    ground.width = ground.height = wide;
    const brush = ground.getContext("2d");
    brush.setTransform(dots, 0, 0, dots, 0, 0);
    if (boxes.grid.checked && mesh) paintMesh(brush);
    if (boxes.density.checked) paintDensity(brush, noise);
    paintAxes(brush, line, size, across, down);
    if (!boxes.grid.checked) paintPoints(brush, halo);
  }
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, wide, wide);
  context.drawImage(ground, 0, 0);
  context.setTransform(dots, 0, 0, dots, 0, 0);
  return unfinished;
}
