// What the laboratory looks like: a scene is what the game shows at one moment, as plain numbers.
const REACH = 1.3; // the plane shows -REACH to REACH
const FINE = 30; // squares of the heat map along a side
const CELLS = 14; // of the manifold's grid along a side
const SHOWN = 160; // points of each cloud in sight; the distance is measured on all
const CLOUD = 256;

// The middle of every square of the heat map, and every corner of the grid over the noise.
const lattice = (n, place) =>
  Float64Array.from({ length: 2 * n * n }, (_, i) => place(i % 2 ? Math.floor(i / 2 / n) : (i >> 1) % n));
const PIXELS = lattice(FINE, (i) => ((i + 0.5) / FINE) * 2 * REACH - REACH);
const CORNERS = lattice(CELLS + 1, (i) => (2 * i) / CELLS - 1);

// How real a score looks to D, from 0 to 1; where only differences of scores mean something, seen
// from the fakes' mean (relativistic) or from midway between the two clouds' means (Wasserstein).
function realness(loss, scores, ofReal, ofFake) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / (values.length || 1);
  if (loss === "squares") return scores.map((s) => Math.min(1, Math.max(0, s)));
  let from = 0;
  let scale = 1;
  if (loss === "relativistic") from = mean(ofFake);
  if (loss === "wasserstein") [from, scale] = [(mean(ofReal) + mean(ofFake)) / 2, 4];
  return scores.map((s) => sigmoid(scale * (s - from)));
}

// What there is to see of a GAN.
function lookAt(game, cloud) {
  const { D, G, settings } = game;
  const real = cloud.real.subarray(0, 2 * SHOWN);
  const noise = cloud.noise.subarray(0, 2 * SHOWN);
  const fake = output(G, noise);
  const [ofReal, ofFake] = [output(D, real), output(D, fake)];
  const seen = (scores) => realness(settings.loss, scores, ofReal, ofFake);
  const slopes = real.length ? game.judge(fake, real).slopes : new Float64Array(fake.length);
  return {
    heat: seen(output(D, PIXELS)),
    mesh: output(G, CORNERS),
    arrows: slopes.map((slope) => -slope * SHOWN),
    seenReal: seen(ofReal),
    seenFake: seen(ofFake),
    real,
    noise,
    fake,
  };
}

// Between two arrays: t runs from 0 to 1.
const between = (a, b, t) => a.map((value, i) => value + t * (b[i] - value));

function palette() {
  const style = getComputedStyle(element);
  const names = ["data", "noise", "generator", "discriminator", "loss", "quiet", "body-text-color"];
  const of = (name) => style.getPropertyValue(`--${name}`).trim() || "#888";
  return { ...Object.fromEntries(names.map((name) => [name, of(name)])), font: style.fontFamily };
}

// #rrggbb as three numbers.
const channels = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

const small = document.createElement("canvas");
small.width = small.height = FINE;

// D's opinion of the whole plane: its colour where real, grey where fake, clear where undecided.
function drawHeat({ context, size, colours }, heat) {
  const ink = small.getContext("2d", { willReadFrequently: true });
  const image = ink.createImageData(FINE, FINE);
  const [real, fake] = [channels(colours.discriminator), channels(colours.quiet)];
  for (let i = 0; i < heat.length; i++) {
    const at = 4 * ((FINE - 1 - Math.floor(i / FINE)) * FINE + (i % FINE));
    image.data.set(heat[i] > 0.5 ? real : fake, at);
    image.data[at + 3] = 180 * Math.abs(2 * heat[i] - 1) ** 0.7;
  }
  ink.putImageData(image, 0, 0);
  context.drawImage(small, 0, 0, size, size);
}

// The line along which D is undecided: where the heat crosses one half, square by square.
function drawBoundary({ context, across, down, colours }, heat) {
  context.strokeStyle = colours["body-text-color"];
  context.globalAlpha = 0.6;
  context.lineWidth = 1;
  context.setLineDash([4, 4]);
  context.beginPath();
  for (let row = 0; row + 1 < FINE; row++) {
    for (let column = 0; column + 1 < FINE; column++) {
      const at = row * FINE + column;
      const ring = [at, at + 1, at + FINE + 1, at + FINE, at];
      const ends = [];
      for (let k = 0; k < 4; k++) {
        const [a, b] = [ring[k], ring[k + 1]];
        if (heat[a] > 0.5 === heat[b] > 0.5) continue;
        const t = (0.5 - heat[a]) / (heat[b] - heat[a]);
        const place = (axis) => PIXELS[2 * a + axis] + t * (PIXELS[2 * b + axis] - PIXELS[2 * a + axis]);
        ends.push([across(place(0)), down(place(1))]);
      }
      for (let k = 0; k + 1 < ends.length; k += 2) {
        context.moveTo(...ends[k]);
        context.lineTo(...ends[k + 1]);
      }
    }
  }
  context.stroke();
  context.setLineDash([]);
}

// G's manifold: the square of the noise, bent by G. Each cell holds as many points, so the smaller
// the darker, in a few shades: of a shade all cells are filled in one go.
const SHADES = 8;
function drawMesh({ context, across, down, colours }, mesh) {
  const corner = (row, column) => 2 * (row * (CELLS + 1) + column);
  const shades = Array.from({ length: SHADES + 1 }, () => new Path2D());
  for (let row = 0; row < CELLS; row++) {
    for (let column = 0; column < CELLS; column++) {
      const ring = [[0, 0], [0, 1], [1, 1], [1, 0]].map(([i, j]) => corner(row + i, column + j));
      const twice = ring.reduce((sum, a, k) => {
        const b = ring[(k + 1) % 4];
        return sum + mesh[a] * mesh[b + 1] - mesh[b] * mesh[a + 1];
      }, 0);
      const density = (2 / CELLS) ** 2 / (Math.abs(twice / 2) + 1e-9);
      const path = shades[Math.min(SHADES, Math.ceil(density))];
      ring.forEach((a, k) => path[k ? "lineTo" : "moveTo"](across(mesh[a]), down(mesh[a + 1])));
    }
  }
  context.fillStyle = context.strokeStyle = colours.generator;
  shades.forEach((path, shade) => {
    context.globalAlpha = 0.06 * shade;
    context.fill(path);
  });
  context.globalAlpha = 0.45;
  context.lineWidth = 0.8;
  context.beginPath();
  for (let line = 0; line <= CELLS; line += 2) {
    for (let k = 0; k <= CELLS; k++) {
      const at = corner(line, k);
      context[k ? "lineTo" : "moveTo"](across(mesh[at]), down(mesh[at + 1]));
    }
    for (let k = 0; k <= CELLS; k++) {
      const at = corner(k, line);
      context[k ? "lineTo" : "moveTo"](across(mesh[at]), down(mesh[at + 1]));
    }
  }
  context.stroke();
}

// Of a radius, around a point; each cloud has a shape of its own.
const SHAPES = {
  square: (context, x, y, r) => context.rect(x - 0.8 * r, y - 0.8 * r, 1.6 * r, 1.6 * r),
  disc: (context, x, y, r) => context.arc(x, y, r, 0, 2 * Math.PI),
  diamond(context, x, y, r) {
    context.moveTo(x, y - 1.2 * r);
    for (const [i, j] of [[1, 0], [0, 1], [-1, 0]]) context.lineTo(x + 1.2 * r * i, y + 1.2 * r * j);
    context.closePath();
  },
};

// Points of one shape, in one go. With `seen`: filled by what D takes each for, real or fake.
function drawPoints(view, points, shape, colour, seen) {
  const { context, size, across, down, colours } = view;
  const radius = Math.min(3.2, Math.max(2.2, size / 150));
  const some = (wanted) => {
    context.beginPath();
    for (let i = 0; i < points.length; i += 2) {
      if (!wanted(i / 2)) continue;
      const [x, y] = [across(points[i]), down(points[i + 1])];
      context.moveTo(x + radius, y);
      SHAPES[shape](context, x, y, radius);
    }
    context.stroke();
    context.fill(); // over the inner half of the outline, and over the outlines of neighbours
  };
  context.lineWidth = seen ? 3 : 1.6;
  context.strokeStyle = seen ? colour : "#fff";
  context.fillStyle = colour;
  if (!seen) return some(() => true);
  context.fillStyle = colours.discriminator;
  some((i) => seen[i] > 0.5);
  context.fillStyle = colours.quiet;
  some((i) => !(seen[i] > 0.5));
}

// An arrow, for a path under way; tip: the length of its sides.
function addArrow(context, x, y, toX, toY, tip) {
  context.moveTo(x, y);
  context.lineTo(toX, toY);
  const angle = Math.atan2(toY - y, toX - x);
  for (const side of [2.6, -2.6]) {
    context.moveTo(toX, toY);
    context.lineTo(toX + tip * Math.cos(angle + side), toY + tip * Math.sin(angle + side));
  }
}

// Where G is pushed: from each fake against the slope of G's loss; the steeper, the longer, up to 0.2.
function drawArrows({ context, across, down, colours }, fake, arrows, grown) {
  context.strokeStyle = colours.loss;
  context.lineWidth = 1.3;
  context.beginPath();
  for (let i = 0; i < fake.length; i += 2) {
    const norm = Math.hypot(arrows[i], arrows[i + 1]);
    const factor = (grown * 0.12) / (1 + 0.6 * norm);
    const [x, y] = [across(fake[i]), down(fake[i + 1])];
    const toX = across(fake[i] + factor * arrows[i]);
    const toY = down(fake[i + 1] + factor * arrows[i + 1]);
    if (Math.hypot(toX - x, toY - y) < 1) continue;
    addArrow(context, x, y, toX, toY, 4);
  }
  context.stroke();
}

function drawProbe({ context, across, down, colours }, probe) {
  const [x, y] = [across(probe[0]), down(probe[1])];
  context.strokeStyle = colours["body-text-color"];
  context.lineWidth = 2;
  context.beginPath();
  context.arc(x, y, 7, 0, 2 * Math.PI);
  for (const [i, j] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
    context.moveTo(x + 7 * i, y + 7 * j);
    context.lineTo(x + 12 * i, y + 12 * j);
  }
  context.stroke();
}

// A canvas of the plane, cleared, and where its coordinates are on it.
function viewOf(canvas, colours) {
  const { context, width: size } = sharpen(canvas);
  return {
    context,
    size,
    colours,
    across: (x) => ((x + REACH) / (2 * REACH)) * size,
    down: (y) => ((REACH - y) / (2 * REACH)) * size,
  };
}

// The whole plane of a GAN. show: which layers {heat, mesh, arrows, noise, judged, grown}; probe or null.
function drawPlane(canvas, scene, show, probe, colours) {
  const view = viewOf(canvas, colours);
  if (show.heat) {
    drawHeat(view, scene.heat);
    drawBoundary(view, scene.heat);
  }
  if (show.mesh) drawMesh(view, scene.mesh);
  view.context.globalAlpha = 1;
  const seen = show.judged ? [scene.seenReal, scene.seenFake] : [];
  drawPoints(view, scene.real, "square", colours.data, seen[0]);
  if (show.noise) drawPoints(view, scene.noise, "diamond", colours.noise);
  else drawPoints(view, scene.fake, "disc", colours.generator, seen[1]);
  if (show.arrows) drawArrows(view, scene.fake, scene.arrows, show.grown);
  if (probe) drawProbe(view, probe);
}
