// The mathematics of the laboratory: two small networks, five losses, Adam, a distance between
// clouds. It knows no page. A batch of n points is one Float64Array, row after row: x0 y0 x1 y1 …
const SLOPE = 0.2; // of LeakyReLU below zero
const BATCH = 64;
const PENALTY = 0.1; // lambda of the gradient penalty: the authors' own choice for points in a plane

// Random numbers that a seed repeats: mulberry32, and Box and Muller's pair for the normal law.
function seeded(seed) {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const normal = () =>
    Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return { uniform, normal, below: (n) => Math.floor(uniform() * n) };
}

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
    return around(random, 0.6 * Math.cos(angle) - 0.3 * upper, upper * (0.6 * Math.sin(angle) - 0.2), 0.05);
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

// Noise: even over the square from -1 to 1, so that G's manifold is that whole square, bent.
function drawNoise(random, n) {
  return Float64Array.from({ length: 2 * n }, () => 2 * random.uniform() - 1);
}

// A fully connected network. theta holds, layer by layer, the weight (in x out) and the bias.
function makeNet(outputs, layers, width, random) {
  const sizes = [2, ...Array(layers).fill(width), outputs];
  const places = [];
  let end = 0;
  for (let k = 0; k + 1 < sizes.length; k++) {
    places.push({ weight: end, bias: end + sizes[k] * sizes[k + 1] });
    end += (sizes[k] + 1) * sizes[k + 1];
  }
  const theta = new Float64Array(end);
  for (let k = 0; k < places.length; k++) {
    // He 2015, arXiv:1502.01852, eq. 15: a deviation of sqrt(2 / ((1 + slope^2) inputs)).
    const spread = Math.sqrt(2 / ((1 + SLOPE * SLOPE) * sizes[k]));
    for (let i = places[k].weight; i < places[k].bias; i++) theta[i] = spread * random.normal();
  }
  return { sizes, places, theta, mean: new Float64Array(end), square: new Float64Array(end), time: 0 };
}

// Adds the matrix product A B to a matrix in `into`, four rows at a time, which is twice as fast.
// A matrix: where it stands in which array, and how far its next row and its next column are.
function addProduct(into, rows, columns, inner, A, B) {
  const [a, b, c] = [A.values, B.values, into.values];
  for (let row = 0; row < rows; row += 4) {
    const left = rows - row; // where fewer than four are left, the first is computed again
    const one = A.at + row * A.down;
    const two = left > 1 ? one + A.down : one;
    const three = left > 2 ? two + A.down : one;
    const four = left > 3 ? three + A.down : one;
    for (let column = 0; column < columns; column++) {
      let s = 0;
      let t = 0;
      let u = 0;
      let v = 0;
      let at = B.at + column * B.next;
      for (let step = 0; step < inner * A.next; step += A.next) {
        const factor = b[at];
        s += a[one + step] * factor;
        t += a[two + step] * factor;
        u += a[three + step] * factor;
        v += a[four + step] * factor;
        at += B.down;
      }
      const to = into.at + row * into.down + column * into.next;
      c[to] += s;
      if (left > 1) c[to + into.down] += t;
      if (left > 2) c[to + 2 * into.down] += u;
      if (left > 3) c[to + 3 * into.down] += v;
    }
  }
}

const matrix = (values, columns, at = 0) => ({ values, at, down: columns, next: 1 });
const transposed = ({ values, at, down, next }) => ({ values, at, down: next, next: down });

// h_0 = x, h_k = LeakyReLU(h_(k-1) W_k + b_k), the last layer without LeakyReLU. Gives all h_k.
// With `signs`, the h_k of another batch, the network is taken as the linear one that it is around
// that batch: each unit's slope as it was there, no biases.
function forward(net, x, signs = null) {
  const { sizes, places, theta } = net;
  const n = x.length / 2;
  const trace = [x];
  for (let k = 0; k < places.length; k++) {
    const [inputs, outputs] = [sizes[k], sizes[k + 1]];
    const h = new Float64Array(n * outputs);
    const bias = theta.subarray(places[k].bias, places[k].bias + outputs);
    if (!signs) for (let row = 0; row < n; row++) h.set(bias, row * outputs);
    const weight = matrix(theta, outputs, places[k].weight);
    addProduct(matrix(h, outputs), n, outputs, inputs, matrix(trace[k], inputs), weight);
    if (k < places.length - 1) bend(h, signs ? signs[k + 1] : h);
    trace.push(h);
  }
  return trace;
}

// LeakyReLU, or its slope as a factor: what is not above zero counts SLOPE times.
function bend(values, signs) {
  for (let i = 0; i < values.length; i++) if (!(signs[i] > 0)) values[i] *= SLOPE;
}

const output = (net, x) => forward(net, x).at(-1);

// The chain rule, from the last layer back: given dL/d(output), gives dL/dx and, where a gradient
// array is given, adds dL/d(theta) to it. `signs` as in forward.
function backward(net, trace, slope, gradient = null, signs = null) {
  const { sizes, places, theta } = net;
  const n = trace[0].length / 2;
  let above = slope;
  for (let k = places.length - 1; k >= 0; k--) {
    const [inputs, outputs] = [sizes[k], sizes[k + 1]];
    const delta = matrix(above, outputs);
    if (gradient) {
      const toWeight = matrix(gradient, outputs, places[k].weight);
      addProduct(toWeight, inputs, outputs, n, transposed(matrix(trace[k], inputs)), delta);
      const bias = places[k].bias;
      if (!signs) for (let i = 0; i < above.length; i++) gradient[bias + (i % outputs)] += above[i];
    }
    const below = new Float64Array(n * inputs);
    const weight = matrix(theta, outputs, places[k].weight);
    addProduct(matrix(below, inputs), n, inputs, outputs, delta, transposed(weight));
    if (k > 0) bend(below, (signs || trace)[k]);
    above = below;
  }
  return above;
}

// Adam, Kingma & Ba 2015, arXiv:1412.6980, algorithm 1, with the short memory usual for GANs.
const BETAS = [0.5, 0.99];
function adam(net, gradient, rate) {
  const { theta, mean, square } = net;
  net.time += 1;
  const whole = 1 - BETAS[0] ** net.time;
  const wholeSquare = 1 - BETAS[1] ** net.time;
  for (let i = 0; i < theta.length; i++) {
    mean[i] = BETAS[0] * mean[i] + (1 - BETAS[0]) * gradient[i];
    square[i] = BETAS[1] * square[i] + (1 - BETAS[1]) * gradient[i] * gradient[i];
    theta[i] -= ((rate / whole) * mean[i]) / (Math.sqrt(square[i] / wholeSquare) + 1e-8);
  }
}

const sigmoid = (s) => 1 / (1 + Math.exp(-s));
const softplus = (s) => Math.max(s, 0) + Math.log1p(Math.exp(-Math.abs(s))); // -log sigmoid(-s)

// The losses of one real score r and one fake score f, and their slopes: D's is [loss, dL/dr,
// dL/df], G's is [loss, dL/df]. A batch's loss is the mean. rates: of D and of G; turns: of D a
// turn of G; both as they train well here.
const crossEntropy = (r, f) => [softplus(-r) + softplus(f), -sigmoid(-r), sigmoid(f)];
const LOSSES = {
  // Goodfellow 2014, arXiv:1406.2661, eq. 1: D climbs log D(x) + log(1 - D(G(z))), G goes down it.
  minimax: {
    forD: crossEntropy,
    forG: (f) => [-softplus(f), -sigmoid(f)],
    rates: [0.003, 0.001],
    turns: 1,
  },
  // The same paper, section 3: G climbs log D(G(z)) instead, whose slope is large where D is sure.
  saturating_not: {
    forD: crossEntropy,
    forG: (f) => [softplus(-f), -sigmoid(-f)],
    rates: [0.003, 0.001],
    turns: 1,
  },
  // Mao 2017, arXiv:1611.04076, eq. 9: real to 1, fake to 0; G wants 1.
  squares: {
    forD: (r, f) => [((r - 1) ** 2 + f * f) / 2, r - 1, f],
    forG: (f) => [(f - 1) ** 2 / 2, f - 1],
    rates: [0.003, 0.001],
    turns: 1,
  },
  // Gulrajani 2017, arXiv:1704.00028, eq. 3, with its gradient penalty below.
  wasserstein: {
    forD: (r, f) => [f - r, -1, 1],
    forG: (f) => [-f, -1],
    penalty: PENALTY,
    rates: [0.003, 0.001],
    turns: 1,
  },
  // Jolicoeur-Martineau 2018, arXiv:1807.00734, section 4.1: is this real more real than this fake?
  relativistic: {
    forD: (r, f) => [softplus(f - r), -sigmoid(f - r), sigmoid(f - r)],
    forG: (f, r) => [softplus(r - f), -sigmoid(r - f)],
    rates: [0.003, 0.001],
    turns: 1,
  },
};

// lambda E[(|grad_x D(x)| - 1)^2] at points x between real and fake; adds its gradient.
// Around each x the network is linear (LeakyReLU's slopes do not move), so D's change along a
// direction v is that linear network at v, and its weights' gradient is ordinary backpropagation.
function gradientPenalty(net, x, strength, gradient) {
  const n = x.length / 2;
  const trace = forward(net, x);
  const ones = new Float64Array(n).fill(1);
  const slopes = backward(net, trace, ones);
  const direction = new Float64Array(2 * n);
  let loss = 0;
  for (let i = 0; i < n; i++) {
    const norm = Math.max(Math.hypot(slopes[2 * i], slopes[2 * i + 1]), 1e-12);
    loss += (strength * (norm - 1) ** 2) / n;
    const factor = (2 * strength * (norm - 1)) / (n * norm);
    direction[2 * i] = factor * slopes[2 * i];
    direction[2 * i + 1] = factor * slopes[2 * i + 1];
  }
  backward(net, forward(net, direction, trace), ones, gradient, trace);
  return loss;
}

// The two networks and their game. A batch: {real, noise, mix}, mix being where between a real and
// a fake point the penalty is taken.
class Game {
  constructor(settings) {
    this.settings = settings;
    const { seed, layers, width } = settings;
    this.random = seeded(3 * seed + 2);
    this.G = makeNet(2, layers, width, seeded(3 * seed));
    this.D = makeNet(1, layers, width, seeded(3 * seed + 1));
    this.step = 0;
    this.lossD = this.lossG = NaN;
  }

  batch() {
    const { data, drawn } = this.settings;
    return {
      real: drawData(data, this.random, BATCH, drawn),
      noise: drawNoise(this.random, BATCH),
      mix: Float64Array.from({ length: BATCH }, this.random.uniform),
    };
  }

  // One step of D down its loss, G held still. Gives the gradient.
  learnD({ real, noise, mix } = this.batch()) {
    const { D } = this;
    const { forD, penalty } = LOSSES[this.settings.loss];
    const n = real.length / 2;
    const fake = output(this.G, noise);
    const [onReal, onFake] = [forward(D, real), forward(D, fake)];
    const [slopeReal, slopeFake] = [new Float64Array(n), new Float64Array(n)];
    let loss = 0;
    for (let i = 0; i < n; i++) {
      const [value, byReal, byFake] = forD(onReal.at(-1)[i], onFake.at(-1)[i]);
      loss += value / n;
      slopeReal[i] = byReal / n;
      slopeFake[i] = byFake / n;
    }
    const gradient = new Float64Array(D.theta.length);
    backward(D, onReal, slopeReal, gradient);
    backward(D, onFake, slopeFake, gradient);
    if (penalty) {
      const between = real.map((x, i) => mix[i >> 1] * x + (1 - mix[i >> 1]) * fake[i]);
      loss += gradientPenalty(D, between, penalty, gradient);
    }
    adam(D, gradient, this.settings.rateD);
    this.lossD = loss;
    return gradient;
  }

  // G's loss, and its slope at each fake point: where G should move that point, up to the sign.
  judge(fake, real) {
    const { forG } = LOSSES[this.settings.loss];
    const n = fake.length / 2;
    const trace = forward(this.D, fake);
    const onReal = output(this.D, real);
    const slope = new Float64Array(n);
    let loss = 0;
    for (let i = 0; i < n; i++) {
      const [value, byFake] = forG(trace.at(-1)[i], onReal[i]);
      loss += value / n;
      slope[i] = byFake / n;
    }
    return { loss, slopes: backward(this.D, trace, slope) };
  }

  // One step of G down its loss; the slope comes through D, which is held still.
  learnG({ real, noise } = this.batch()) {
    const trace = forward(this.G, noise);
    const { loss, slopes } = this.judge(trace.at(-1), real);
    const gradient = new Float64Array(this.G.theta.length);
    backward(this.G, trace, slopes, gradient);
    adam(this.G, gradient, this.settings.rateG);
    this.lossG = loss;
    return gradient;
  }

  // One step as the visitor counts: of D, of G, or D's turns and then G's.
  advance(who) {
    if (who !== "G") for (let i = who === "D" ? 1 : this.settings.turns; i > 0; i--) this.learnD();
    if (who !== "D") this.learnG();
    this.step += 1;
  }
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
