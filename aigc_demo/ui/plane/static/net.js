// Small networks by hand: random numbers, forward, backward, the gradient penalty, Adam.
// A batch is one Float64Array, row after row; of points: x0, y0, x1, y1, …
const SLOPE = 0.2; // of LeakyReLU below zero

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

// A fully connected network. theta holds, layer by layer, the weight (in x out) and the bias.
function makeNet(outputs, layers, width, random, inputs = 2) {
  const sizes = [inputs, ...Array(layers).fill(width), outputs];
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
  const n = x.length / sizes[0];
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
  const n = trace[0].length / sizes[0];
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

// Adam, Kingma & Ba 2015, arXiv:1412.6980, algorithm 1; by default with the short memory usual for
// GANs.
const BETAS = [0.5, 0.99];
function adam(net, gradient, rate, betas = BETAS) {
  const { theta, mean, square } = net;
  net.time += 1;
  const whole = 1 - betas[0] ** net.time;
  const wholeSquare = 1 - betas[1] ** net.time;
  for (let i = 0; i < theta.length; i++) {
    mean[i] = betas[0] * mean[i] + (1 - betas[0]) * gradient[i];
    square[i] = betas[1] * square[i] + (1 - betas[1]) * gradient[i] * gradient[i];
    theta[i] -= ((rate / whole) * mean[i]) / (Math.sqrt(square[i] / wholeSquare) + 1e-8);
  }
}

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
