// Plots that follow the numbers: page.html holds their axes and names. The text or the table below each
// holds the same numbers.
"use strict";

// A plot whose attribute data-plot says where its x axis begins and ends, where its y axis does, and
// which x and y are the largest. place: where a point is; d: a path of points.
function plotOf(svg) {
  const [left, right, bottom, top, most_x, most_y] = svg.dataset.plot.split(" ").map(Number);
  const place = (x, y) => [
    left + (x / most_x) * (right - left),
    bottom - (Math.min(y, most_y) / most_y) * (bottom - top),
  ];
  const d = (points) => points.map((point, i) => `${i ? "L" : "M"}${place(...point).join(" ")}`).join("");
  const find = (name) => ["first", "second"].map((kind) => svg.querySelector(`${name}.${kind}`));
  return { svg, place, d, find };
}

// 201 points of a curve, as dense as that of e^−x: from p = e^−highest to 1.
const pointsOf = (f, highest) =>
  Array.from({ length: 201 }, (_, i) => Math.exp(highest * (i / 200 - 1))).map((p) => [p, f(p)]);

const moveTo = (made, [x, y]) => setAll(made, made.localName === "text" ? { x, y } : { cx: x, cy: y });

// Each takes the figure and returns what updates it.
const PLOTS = {
  // Squared error and cross-entropy against the probability of the true class; the reader's values.
  squared_error(figure) {
    const { svg, place, d, find } = plotOf(figure.querySelector("svg"));
    const functions = [(p) => -Math.log(p), (p) => 2 * (1 - p) ** 2];
    find("path").forEach((path, i) => path.setAttribute("d", d(pointsOf(functions[i], 7))));
    find("text").forEach((name, i) => moveTo(name, place(0.1, [2.9, 0.15][i])));
    return ({ p_true, loss }) => moveTo(svg.querySelector("circle"), place(p_true, loss));
  },

  // p of the true class over 100 steps of gradient descent under both losses, with dots that can be moved.
  gradient(figure) {
    const { place, d, find } = plotOf(figure.querySelector("svg"));
    const [range, button, output] = ["input", "button", "output"].map((name) => figure.querySelector(name));
    const [paths, names, dots] = ["path", "text", "circle"].map(find);
    let courses;
    const goTo = (step) => {
      range.value = step;
      dots.forEach((dot, i) => moveTo(dot, place(step, courses[i][step])));
      const texts = names.map((name, i) => `${name.textContent} ${number(courses[i][step])}`);
      output.textContent = `${say("step")} ${step}, p: ${texts.join(", ")}`;
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
      const isAbove = courses[0][100] >= courses[1][100];
      courses.forEach((course, i) => {
        paths[i].setAttribute("d", d([...course.entries()]));
        const [x, y] = place(100, course[100]);
        moveTo(names[i], [x, y + (isAbove === !i ? -8 : 18)]);
      });
      goTo(Number(range.value));
    };
  },
};
