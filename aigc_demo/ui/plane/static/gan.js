// A GAN in the plane: five losses, G against D.
const BATCH = 64;
const PENALTY = 0.1; // lambda of the gradient penalty: the authors' own choice for points in a plane

// Noise: even over the square from -1 to 1, so that G's manifold is that whole square, bent.
function drawNoise(random, n) {
  return Float64Array.from({ length: 2 * n }, () => 2 * random.uniform() - 1);
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
  // Gulrajani 2017, arXiv:1704.00028, eq. 3, with gradientPenalty.
  wasserstein: {
    forD: (r, f) => [f - r, -1, 1],
    forG: (f) => [-f, -1],
    penalty: PENALTY,
    rates: [0.003, 0.001],
    turns: 3,
  },
  // Jolicoeur-Martineau 2018, arXiv:1807.00734, section 4: is this real more real than this fake?
  relativistic: {
    forD: (r, f) => [softplus(f - r), -sigmoid(f - r), sigmoid(f - r)],
    forG: (f, r) => [softplus(r - f), -sigmoid(r - f)],
    rates: [0.003, 0.001],
    turns: 1,
  },
};

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
