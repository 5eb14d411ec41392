// Flow matching in the plane: a network learns which way a point on its way should go.
const FLOW_BATCH = 128;
const SIGMA = 0.5; // deviation of the noise: so wide that most of it lies in the plane
const UNTOLD = 0.2; // the share of points whose class is not told (Ho & Salimans 2022)
const INPUTS = 7; // x, y, t, two waves of t, and the class in two places
const MEMORY = [0.9, 0.99]; // of Adam
const AVERAGED = 0.99; // of the weights' average stays at each step

// Two classes of each data set, 0 and 1, by where a point lies.
const CLASS_OF = {
  ring: (x, y) => (Math.round((4 * Math.atan2(y, x)) / Math.PI) + 8) % 2,
  moons(x, y) {
    if (Math.abs(y) > 0.23) return Number(y < 0);
    const off = (side) => Math.abs(Math.hypot(x + 0.35 * side, y + 0.23 * side) - 0.7);
    return Number(off(-1) < off(1));
  },
  spiral: (x, y) => Number(Math.hypot(x, y) > 0.65),
  grid: (x, y) => (Math.round(x / 0.75) + Math.round(y / 0.75) + 4) % 2,
  gaussian: (x) => Number(x > 0.25),
  own: (x) => Number(x > 0),
};

// The points of one class, or all for -1.
function ofClass(data, points, kind) {
  const keep = (i) => kind < 0 || CLASS_OF[data](points[i - (i % 2)], points[i - (i % 2) + 1]) === kind;
  return points.filter((_, i) => keep(i));
}

// What the network reads of a point at its time: the class as (1, 0), (0, 1), or (0, 0) untold.
function features(points, times, classes) {
  const rows = new Float64Array((INPUTS * points.length) / 2);
  for (let i = 0; i < points.length / 2; i++) {
    const t = times[i];
    rows.set([points[2 * i], points[2 * i + 1], t, Math.sin(Math.PI * t), Math.cos(Math.PI * t)], INPUTS * i);
    if (classes[i] >= 0) rows[INPUTS * i + 5 + classes[i]] = 1;
  }
  return rows;
}

function drawNormal(random, n) {
  return Float64Array.from({ length: 2 * n }, () => SIGMA * random.normal());
}

// The network and its training. A batch: {data, noise, times, classes}, a class being 0, 1, or -1
// where it is not told.
class PlaneFlow {
  constructor(settings) {
    this.settings = settings;
    const { seed, layers, width } = settings;
    this.random = seeded(3 * seed + 2);
    this.net = makeNet(2, layers, width, seeded(3 * seed), INPUTS);
    this.average = { ...this.net, theta: this.net.theta.slice() }; // of its weights: what draws
    this.step = 0;
    this.loss = NaN;
  }

  batch() {
    const { random } = this;
    const { data, drawn: own } = this.settings;
    const points = drawData(data, random, FLOW_BATCH, own);
    const classes = Array.from({ length: FLOW_BATCH }, (_, i) =>
      random.uniform() < UNTOLD ? -1 : CLASS_OF[data](points[2 * i], points[2 * i + 1]),
    );
    const first = random.uniform(); // times spread evenly over 0 to 1
    const times = classes.map((_, i) => (i + first) / FLOW_BATCH);
    return { data: points, noise: drawNormal(random, FLOW_BATCH), times, classes };
  }

  // One step down the loss, the mean squared distance of the velocity from data - noise (Lipman et
  // al. 2023, arXiv:2210.02747, eq. 23). Gives the gradient.
  learn({ data, noise, times, classes } = this.batch()) {
    const at = data.map((x, i) => (1 - times[i >> 1]) * noise[i] + times[i >> 1] * x);
    const trace = forward(this.net, features(at, times, classes));
    const velocity = trace.at(-1);
    let loss = 0;
    const slope = velocity.map((v, i) => {
      const error = v - (data[i] - noise[i]);
      loss += error * error;
      return (4 * error) / data.length;
    });
    const gradient = new Float64Array(this.net.theta.length);
    backward(this.net, trace, slope, gradient);
    adam(this.net, gradient, this.settings.rate, MEMORY);
    this.loss = (2 * loss) / data.length;
    this.step += 1;
    const share = 1 - Math.min(AVERAGED, this.step / (this.step + 9)); // short at first
    const [now, mean] = [this.net.theta, this.average.theta];
    for (let i = 0; i < mean.length; i++) mean[i] += share * (now[i] - mean[i]);
    return gradient;
  }

  // The velocities of points at one time. kind: the class, or -1; guidance: how many times as far
  // as the class's own velocity is from the one without a class (arXiv:2207.12598, eq. 6).
  velocity(points, t, kind, guidance) {
    const n = points.length / 2;
    const times = new Float64Array(n).fill(t);
    const told = (one) => output(this.average, features(points, times, new Int8Array(n).fill(one)));
    if (kind < 0 || guidance === 0) return told(-1);
    if (guidance === 1) return told(kind);
    const untold = told(-1);
    return told(kind).map((v, i) => untold[i] + guidance * (v - untold[i]));
  }

  // The points after each of so many steps of Euler's, from a time on; the first among them.
  path(points, steps, kind, guidance, from = 0) {
    const size = (1 - from) / steps;
    const found = [points];
    for (let step = 0; step < steps; step++) {
      const slope = this.velocity(found[step], from + step * size, kind, guidance);
      found.push(found[step].map((x, i) => x + size * slope[i]));
    }
    return found;
  }
}

// The share of some points that have one of others close by.
function covered(real, made, near = 0.12) {
  let count = 0;
  for (let i = 0; i < real.length; i += 2) {
    for (let j = 0; j < made.length; j += 2) {
      if (!(Math.hypot(real[i] - made[j], real[i + 1] - made[j + 1]) <= near)) continue;
      count += 1;
      break;
    }
  }
  return count / (real.length / 2);
}
