// Clouds of points in the plane: the data of the laboratories, and a distance between two clouds.

// What the real points are drawn from. Each gives one point; all lie within about -1 to 1.
const around = (random, x, y, spread) => [x + spread * random.normal(), y + spread * random.normal()];
const DATA = {
  ring(random) {
    const angle = (random.below(8) * Math.PI) / 4;
    return around(random, 0.85 * Math.cos(angle), 0.85 * Math.sin(angle), 0.04);
  },
  moons(random) {
    const angle = Math.PI * random.uniform();
    const upper = random.below(2) * 2 - 1;
    const [x, y] = [0.7 * Math.cos(angle) - 0.35 * upper, 0.7 * Math.sin(angle) - 0.23];
    return around(random, x, upper * y, 0.05);
  },
  spiral(random) {
    const turn = Math.sqrt(random.uniform());
    const angle = 3.2 * Math.PI * turn;
    return around(random, 0.95 * turn * Math.cos(angle), 0.95 * turn * Math.sin(angle), 0.025);
  },
  grid(random) {
    return around(random, 0.75 * (random.below(3) - 1), 0.75 * (random.below(3) - 1), 0.05);
  },
  gaussian(random) {
    const [a, b] = [random.normal(), random.normal()];
    return [0.25 + 0.3 * a, 0.2 + 0.2 * a + 0.12 * b];
  },
  own(random, drawn) {
    const at = 2 * random.below(drawn.length / 2);
    return around(random, drawn[at], drawn[at + 1], 0.025);
  },
};

function drawData(name, random, n, drawn) {
  const points = new Float64Array(2 * n);
  for (let i = 0; i < n; i++) points.set(DATA[name](random, drawn), 2 * i);
  return points;
}

function meanDistance(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i += 2) {
    for (let j = 0; j < b.length; j += 2) {
      const [x, y] = [a[i] - b[j], a[i + 1] - b[j + 1]];
      sum += Math.sqrt(x * x + y * y);
    }
  }
  return sum / ((a.length * b.length) / 4);
}

// The energy distance, Székely & Rizzo 2013: sqrt(2 E|X-Y| - E|X-X'| - E|Y-Y'|), over all pairs.
// Zero only where both clouds are the same. `within`: E|X-X'|, where it is already known.
function energyDistance(real, fake, within = meanDistance(real, real)) {
  const square = 2 * meanDistance(real, fake) - within - meanDistance(fake, fake);
  return Math.sqrt(Math.max(0, square));
}
