// The posterior of one digit in a plane of the latent space: its mean, one and two deviations, samples.
const canvas = element.querySelector("canvas");

function paint() {
  const size = canvas.clientWidth;
  if (!size || !props.mean) return;
  const { context } = sharpen(canvas);
  const reach = props.reach;
  const across = (x) => ((x + reach) / (2 * reach)) * size;
  const down = (y) => ((reach - y) / (2 * reach)) * size;
  paintAxes(context, colour("border-color-primary") || "#999", size, across, down);
  context.font = "10px sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillStyle = colour("quiet");
  context.globalAlpha = 0.55;
  for (const [x, y, label] of props.points || []) context.fillText(label, across(x), down(y));
  context.globalAlpha = 1;
  const [mx, my] = props.mean;
  const [sx, sy] = props.deviation;
  const unit = size / (2 * reach);
  context.strokeStyle = colour("discriminator");
  for (const times of [1, 2]) {
    context.lineWidth = 4 - times;
    context.beginPath();
    context.ellipse(across(mx), down(my), sx * times * unit, sy * times * unit, 0, 0, 2 * Math.PI);
    context.stroke();
  }
  context.fillStyle = colour("noise");
  context.strokeStyle = colour("background-fill-primary") || "#fff";
  context.lineWidth = 1;
  for (const [x, y] of props.samples || []) {
    context.beginPath();
    context.moveTo(across(x), down(y) - 6);
    context.lineTo(across(x) + 6, down(y) + 5);
    context.lineTo(across(x) - 6, down(y) + 5);
    context.fill();
    context.stroke();
  }
  context.fillStyle = colour("discriminator");
  context.fillRect(across(mx) - 4, down(my) - 4, 8, 8);
  const told = `μ = (${mx.toFixed(2)}, ${my.toFixed(2)}), σ = (${sx.toFixed(2)}, ${sy.toFixed(2)})`;
  canvas.setAttribute("aria-label", `${word("plane")} ${told}`);
  canvas.dataset.painted = told;
}

paint();
for (const name of ["mean", "deviation", "samples"]) watch(name, paint);
window.addEventListener("aigc:language", paint);
new ResizeObserver(paint).observe(canvas);
