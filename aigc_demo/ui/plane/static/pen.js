// Points that a visitor draws on a plane, and how a link holds them; the probe; when to look up.
const UNIT = 1000; // of a drawn point's coordinates: they are whole in units of 1/1000
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const MOST_DRAWN = 4000;
const drawn = []; // the visitor's own points: x0, y0, x1, y1, …
let inSight = false; // whether the laboratory is
let forgot = false; // whether points were drawn that are no longer there

function writePoints() {
  const digits = (value) => {
    const whole = Math.round((value + REACH) * UNIT);
    return LETTERS[whole >> 6] + LETTERS[whole & 63];
  };
  return drawn.map(digits).join("");
}

function readPoints(text) {
  const at = (i) => LETTERS.indexOf(text[i]);
  return Array.from({ length: text.length / 2 }, (_, i) => {
    const value = (64 * at(2 * i) + at(2 * i + 1)) / UNIT - REACH;
    return onGrid(Math.max(-REACH, Math.min(REACH, value)));
  });
}

const onGrid = (value) => Math.round(value * UNIT) / UNIT;

const inside = (value) => Math.max(-REACH, Math.min(REACH, value));

function placeOn(plane, event) {
  const box = plane.getBoundingClientRect();
  const x = ((event.clientX - box.left) / box.width) * 2 - 1;
  const y = 1 - ((event.clientY - box.top) / box.height) * 2;
  return [inside(x * REACH), inside(y * REACH)];
}

// More points, unless one lies on the one before.
function extend(points) {
  for (const [x, y] of points.map((point) => point.map(onGrid))) {
    const [lastX, lastY] = drawn.slice(-2);
    if (Math.hypot(x - lastX, y - lastY) < 0.01) continue;
    if (drawn.length >= 2 * MOST_DRAWN) {
      drawn.splice(0, 2);
      forgot = true;
    }
    drawn.push(x, y);
  }
}

// Strokes on a plane while `drawing()`: `draw` takes their points, `done` follows each stroke.
function holdPen(plane, { drawing, draw, done }) {
  let stroke = null;
  plane.addEventListener("pointerdown", (event) => {
    if (!drawing()) return;
    event.preventDefault();
    plane.setPointerCapture(event.pointerId);
    stroke = placeOn(plane, event);
    draw([stroke]);
  });
  plane.addEventListener("pointermove", (event) => {
    if (!stroke) return;
    const [from, to] = [stroke, placeOn(plane, event)];
    const pieces = Math.ceil(Math.hypot(to[0] - from[0], to[1] - from[1]) / 0.04) || 1;
    draw(Array.from({ length: pieces }, (_, i) => between(from, to, (i + 1) / pieces)));
    stroke = to;
  });
  for (const end of ["pointerup", "pointercancel"]) {
    plane.addEventListener(end, () => {
      if (stroke) done();
      stroke = null;
    });
  }
}

// Clicks and keys on a plane: `put` takes where the probe is now, `add` a point that is drawn there,
// `play` follows the space bar. probe(): where it was, or null.
function holdProbe(plane, { drawing, probe, put, add, play }) {
  plane.addEventListener("click", (event) => {
    if (!drawing()) put(placeOn(plane, event));
  });
  plane.addEventListener("keydown", (event) => {
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const way = ways[event.key];
    if (!way && ![" ", "Enter"].includes(event.key)) return;
    event.preventDefault();
    if (event.key === " ") return void play();
    const at = probe() || [0, 0];
    put(way ? at.map((x, i) => inside(x + way[i] * 0.05)) : at);
    if (!way && drawing()) add(at);
  });
}

// What a laboratory listens to: a link's run, whether it is in sight, the size of its plane, the
// page's language.
function attend(plane, { replay, wake, paint, show }) {
  const opened = () => props.run && replay(props.run);
  opened();
  watch("run", opened);
  new IntersectionObserver((entries) => {
    inSight = entries.at(-1).isIntersecting;
    wake();
  }).observe(element);
  new ResizeObserver(() => paint()).observe(plane);
  window.addEventListener("aigc:language", () => {
    show();
    paint();
  });
}
