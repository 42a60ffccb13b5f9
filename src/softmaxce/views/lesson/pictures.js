// Plots that follow the numbers: the HTML holds their axes, names and fixed curves. The text or the table
// below each holds the same numbers.

// A plot whose attribute data-plot says where its x axis begins and ends, where its y axis does, and
// which x and y are the largest. place: where a point is; d: a path of points.
function plotOf(svg) {
  const [left, right, bottom, top, most_x, most_y] = svg.dataset.plot.split(" ").map(Number);
  const place = (x, y) => [
    left + (x / most_x) * (right - left),
    bottom - (Math.min(y, most_y) / most_y) * (bottom - top),
  ];
  const d = (points) => points.map((point, i) => `${i ? "L" : "M"}${place(...point).join(" ")}`).join("");
  return { place, d };
}

const moveTo = (circle, [cx, cy]) => setAll(circle, { cx, cy });

// The reader's values on the curve of the cross-entropy, and lines to both axes.
function markLoss(svg, { p_true, loss }) {
  const { place, d } = plotOf(svg);
  svg.querySelector(".guide").setAttribute("d", d([[0, loss], [p_true, loss], [p_true, 0]]));
  moveTo(svg.querySelector(".here"), place(p_true, loss));
}

// Each takes the figure and returns what updates it.
const PLOTS = {
  squared_error: (figure) => (numbers) => markLoss(figure.querySelector("svg"), numbers),

  // p of the true class over 100 steps of gradient descent under both losses, with dots that can be moved.
  gradient(figure) {
    const { place, d } = plotOf(figure.querySelector("svg"));
    const [range, button, output] = ["input", "button", "output"].map((name) => figure.querySelector(name));
    const [paths, dots, texts] = [".curve", "circle", "output b"].map((name) => figure.querySelectorAll(name));
    let courses;
    const goTo = (step) => {
      range.value = step;
      dots.forEach((dot, i) => moveTo(dot, place(step, courses[i][step])));
      const written = [step, ...courses.map((course) => number(course[step]))];
      texts.forEach((text, i) => (text.textContent = written[i]));
      range.ariaValueText = output.textContent;
    };
    const play = (step) => {
      goTo(step);
      if (step < 100) setTimeout(() => Number(range.value) === step && play(step + 1), 40);
    };
    range.oninput = () => goTo(Number(range.value));
    button.onclick = () => play(window.matchMedia("(prefers-reduced-motion: reduce)").matches ? 100 : 0);
    return ({ p_cross_entropy, p_squared_error }) => {
      courses = [p_cross_entropy, p_squared_error];
      paths.forEach((path, i) => path.setAttribute("d", d([...courses[i].entries()])));
      goTo(Number(range.value));
    };
  },
};
