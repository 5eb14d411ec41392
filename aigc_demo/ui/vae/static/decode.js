// The map's decoder, the same as on the server: linear layers, a SiLU after each but the last,
// a sigmoid at the end. And the density of the encoded digits. Mathematics alone, no painting.

// The layers out of what the server sends: sizes, bits a number, and base64 of little-endian floats.
function readDecoder({ sizes, bits, data }) {
  const letters = atob(data);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = letters.charCodeAt(i);
  const sent = new DataView(bytes.buffer);
  const words = new Uint32Array((8 * bytes.length) / bits);
  const numbers = new Float32Array(words.buffer); // the same memory
  for (let i = 0; i < words.length; i++) {
    if (bits === 32) {
      words[i] = sent.getUint32(4 * i, true);
      continue;
    }
    // Half precision has five bits of exponent, single has eight, with a bias larger by 112.
    const half = sent.getUint16(2 * i, true);
    words[i] = ((half & 0x8000) << 16) | ((half & 0x7fff) << 13);
    numbers[i] *= 2 ** 112;
  }
  let from = 0;
  const take = (count) => numbers.subarray(from, (from += count));
  return sizes.slice(1).map((outputs, k) => ({
    inputs: sizes[k],
    weight: take(outputs * sizes[k]),
    bias: take(outputs),
    result: new Float32Array(outputs),
  }));
}

// Pixel probabilities of a latent point, 784 of them. The array is written anew by the next call.
function decode(layers, point) {
  let x = point;
  layers.forEach(({ inputs, weight, bias, result }, k) => {
    const last = k === layers.length - 1;
    for (let row = 0; row < result.length; row++) {
      const start = row * inputs;
      let sum = bias[row];
      let [second, third, fourth] = [0, 0, 0]; // sums in turns: none has to wait for another
      let i = 0;
      for (; i + 3 < inputs; i += 4) {
        sum += weight[start + i] * x[i];
        second += weight[start + i + 1] * x[i + 1];
        third += weight[start + i + 2] * x[i + 2];
        fourth += weight[start + i + 3] * x[i + 3];
      }
      for (; i < inputs; i++) sum += weight[start + i] * x[i];
      sum += second + third + fourth;
      const sigmoid = 1 / (1 + Math.exp(-sum));
      result[row] = last ? sigmoid : sum * sigmoid;
    }
    x = result;
  });
  return x;
}

// The share of a standard normal below t; Abramowitz and Stegun 7.1.26, within 1e-7.
function below(t) {
  const x = Math.abs(t) / Math.SQRT2;
  const k = 1 / (1 + 0.3275911 * x);
  const series = [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592];
  const tail = (series.reduce((sum, term) => sum * k + term, 0) * k * Math.exp(-x * x)) / 2;
  return t > 0 ? 1 - tail : tail;
}

// q(z), the mean of Gaussians [x, y, label, deviation of x, deviation of y]: its mean over each
// cell of a square view, side by side of them, row by row from the top left.
function density(points, view, side) {
  const cell = (2 * view.half) / side;
  const field = new Float32Array(side * side);
  const shares = (centre, deviation) => {
    const place = (cells) => Math.max(0, Math.min(side, cells));
    const first = place(Math.floor((centre - 5 * deviation + view.half) / cell));
    const end = place(Math.ceil((centre + 5 * deviation + view.half) / cell));
    const edges = [];
    for (let i = first; i <= end; i++) edges.push(below((i * cell - view.half - centre) / deviation));
    return { first, shares: edges.slice(1).map((edge, i) => edge - edges[i]) };
  };
  for (const [x, y, , wide, tall] of points) {
    const across = shares(x - view.x, wide);
    const down = shares(view.y - y, tall);
    down.shares.forEach((share, row) => {
      const start = (down.first + row) * side + across.first;
      const height = share / (cell * cell * points.length);
      across.shares.forEach((width, column) => (field[start + column] += width * height));
    });
  }
  return field;
}
