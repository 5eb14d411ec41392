// One map a weight of the KL term, with its prior and its codes, and all of them as points of rate
// and distortion. Rates differ by powers of ten, so their axis is logarithmic.
const maps = element.querySelector(".maps");
const chart = element.querySelector("canvas.chart");

function paintMap(canvas, model) {
  const size = canvas.clientWidth;
  const { context: brush } = sharpen(canvas);
  const unit = size / (2 * model.reach);
  const across = (x) => (x + model.reach) * unit;
  const down = (y) => (model.reach - y) * unit;
  paintAxes(brush, colour("border-color-primary") || "#999", size, across, down);
  brush.font = "10px sans-serif";
  brush.textAlign = "center";
  brush.textBaseline = "middle";
  for (const [x, y, label] of model.points) {
    brush.fillStyle = props.colours[label];
    brush.fillText(String(label), across(x), down(y));
  }
  brush.strokeStyle = colour("noise-ink");
  brush.lineWidth = 2;
  brush.setLineDash([5, 4]);
  brush.beginPath();
  brush.arc(across(0), down(0), Math.max(2, 2 * unit), 0, 2 * Math.PI);
  brush.stroke();
  brush.setLineDash([]);
  const [mx, my] = model.mean;
  const [sx, sy] = model.deviation.map((s) => Math.max(3, 2 * s * unit));
  brush.strokeStyle = colour("discriminator-ink");
  brush.beginPath();
  brush.ellipse(across(mx), down(my), sx, sy, 0, 0, 2 * Math.PI);
  brush.stroke();
  brush.fillStyle = colour("discriminator-ink");
  brush.fillRect(across(mx) - 4, down(my) - 4, 8, 8);
}

function paintChart() {
  const { context: brush, width, height } = sharpen(chart);
  const [left, right, top, bottom] = [44, 26, 32, 38];
  const costs = props.models.map((model) => model.distortion);
  const [low, high] = [Math.min(...costs) - 4, Math.max(...costs) + 4];
  const across = (rate) => left + (Math.log10(Math.max(1, rate)) / 2.5) * (width - left - right);
  const down = (cost) => top + ((high - cost) / (high - low)) * (height - top - bottom);
  brush.font = "12px sans-serif";
  brush.fillStyle = colour("quiet");
  brush.strokeStyle = colour("border-color-primary") || "#999";
  brush.textAlign = "center";
  brush.beginPath();
  for (const tick of [1, 3, 10, 30, 100, 300]) {
    brush.moveTo(across(tick), top);
    brush.lineTo(across(tick), height - bottom);
    brush.fillText(String(tick), across(tick), height - bottom + 14);
  }
  brush.fillText(word("rate"), (left + width - right) / 2, height - 6);
  brush.textAlign = "right";
  for (let tick = Math.ceil(low / 10) * 10; tick <= high; tick += 10) {
    brush.moveTo(left, down(tick));
    brush.lineTo(width - right, down(tick));
    brush.fillText(String(tick), left - 6, down(tick) + 4);
  }
  brush.stroke();
  brush.textAlign = "left";
  brush.fillText(word("distortion"), 4, 14);
  brush.strokeStyle = colour("loss");
  brush.lineWidth = 2;
  brush.beginPath();
  for (const model of props.models) brush.lineTo(across(model.rate), down(model.distortion));
  brush.stroke();
  for (const model of props.models) {
    brush.fillStyle = colour("loss-ink");
    brush.beginPath();
    brush.arc(across(model.rate), down(model.distortion), 6, 0, 2 * Math.PI);
    brush.fill();
    const end = across(model.rate) > width / 2;
    brush.textAlign = end ? "right" : "left";
    brush.fillText(`β = ${model.beta}`, across(model.rate) + (end ? -4 : 10), down(model.distortion) - 10);
  }
  const told = props.models.map((model) => filled(word("stands"), model)).join("; ");
  chart.setAttribute("aria-label", told);
  chart.dataset.painted = told;
}

function paint() {
  if (!props.models || !props.models.length || !element.clientWidth) return;
  if (maps.children.length !== props.models.length) {
    maps.replaceChildren(
      ...props.models.map(() => {
        const figure = document.createElement("figure");
        const canvas = document.createElement("canvas");
        canvas.setAttribute("role", "img");
        figure.append(canvas, document.createElement("figcaption"));
        return figure;
      }),
    );
  }
  props.models.forEach((model, place) => {
    const [canvas, text] = maps.children[place].children;
    text.textContent = filled(word("stands"), model);
    const at = { x: model.mean[0].toFixed(2), y: model.mean[1].toFixed(2) };
    canvas.setAttribute("aria-label", filled(word("map"), { ...model, ...at }));
    paintMap(canvas, model);
  });
  paintChart();
}

paint();
watch("models", paint);
window.addEventListener("aigc:language", paint);
new ResizeObserver(paint).observe(element);
