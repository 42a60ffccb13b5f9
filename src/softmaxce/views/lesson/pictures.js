// Plots that follow the numbers. The text or the table below each holds the same numbers.
"use strict";

// The losses: their names in the numbers, their classes in page.css, and their names for the reader.
const LOSSES = [["cross_entropy", "first", say("cross-entropy")], ["squared_error", "second", say("squared error")]];

// Axes from 0 to the largest x and y, which are in `most`. place: where a point is; d: a path of points.
function axesOf({ left = 26, top = 8, width = 420, height = 170, most, ticks, name }) {
  const x = (value) => left + (value / most[0]) * (width - left);
  const y = (value) => height - (Math.min(value, most[1]) / most[1]) * (height - top);
  const text = (at, words, anchor = "middle") => element("text", { ...at, "text-anchor": anchor }, words);
  const shapes = [
    element("path", { d: `M${left} ${top}V${height}H${width}`, class: "axis" }),
    ...ticks[0].map((tick) => text({ x: x(tick), y: height + 18 }, number(tick))),
    ...ticks[1].map((tick) => text({ x: left - 6, y: y(tick) + 5 }, number(tick), "end")),
    text({ x: left + (width - left) * 0.75, y: height + 18 }, name),
  ];
  const d = (points) => points.map(([a, b], i) => `${i ? "L" : "M"}${x(a)} ${y(b)}`).join("");
  return { place: (a, b) => ({ cx: x(a), cy: y(b) }), d, shapes };
}

// 201 points of a curve, as dense as that of e^−x: from p = e^−highest to 1.
const pointsOf = (f, highest) =>
  Array.from({ length: 201 }, (_, i) => Math.exp(highest * (i / 200 - 1))).map((p) => [p, f(p)]);

// A figure of both losses, each with a path, a name and, if asked for, a dot.
function figureOf(title, axes, n_dots) {
  const both = (name, kind, words = () => []) =>
    LOSSES.map(([, own, said]) => element(name, { class: `${kind} ${own}` }, ...words(said)));
  const [paths, names] = [both("path", "curve"), both("text", "", (said) => [said])];
  const dots = both("circle", "here").slice(0, n_dots);
  const label = `${title}: ${say("the table below holds the same numbers")}`;
  const shapes = [...axes.shapes, ...paths, ...names, ...dots];
  const svg = element("svg", { viewBox: "0 0 440 200", role: "img", "aria-label": label }, ...shapes);
  return { made: element("figure", {}, svg), paths, names, dots };
}

const moveTo = (made, { cx, cy }) => setAll(made, made.localName === "text" ? { x: cx, y: cy } : { cx, cy, r: 6 });

// Squared error and cross-entropy against the probability of the true class; the reader's values.
function curves(title) {
  const axes = axesOf({ most: [1, 7], ticks: [[0, 0.5, 1], [0, 2, 4, 6]], name: say("p of the true class") });
  const { made, paths, names, dots } = figureOf(title, axes, 1);
  const functions = [(p) => -Math.log(p), (p) => 2 * (1 - p) ** 2];
  paths.forEach((path, i) => path.setAttribute("d", axes.d(pointsOf(functions[i], 7))));
  names.forEach((name, i) => moveTo(name, axes.place(0.1, [2.9, 0.15][i])));
  return { made, update: ({ p_true, loss }) => moveTo(dots[0], axes.place(p_true, loss)) };
}

// p of the true class over 100 steps of gradient descent under both losses, with dots that can be moved.
function descent(title) {
  const axes = axesOf({ most: [100, 1], ticks: [[0, 50, 100], [0, 0.5, 1]], name: say("step") });
  const { made, paths, names, dots } = figureOf(title, axes, 2);
  const attributes = { type: "range", min: 0, max: 100, value: 0, "aria-label": say("Step of gradient descent") };
  const [range, output] = [element("input", attributes), element("output")];
  const button = element("button", { type: "button" }, `▶ ${say("Play")}`);
  made.append(element("figcaption", { class: "play" }, button, range, output));
  let courses;
  const goTo = (step) => {
    range.value = step;
    dots.forEach((dot, i) => moveTo(dot, axes.place(step, courses[i][step])));
    const texts = LOSSES.map(([, , name], i) => `${name} ${number(courses[i][step])}`);
    output.textContent = `${say("step")} ${step}, p: ${texts.join(", ")}`;
    range.setAttribute("aria-valuetext", output.textContent);
  };
  const play = (step) => {
    goTo(step);
    if (step < 100) setTimeout(() => Number(range.value) === step && play(step + 1), 40);
  };
  range.oninput = () => goTo(Number(range.value));
  button.onclick = () => play(window.matchMedia("(prefers-reduced-motion: reduce)").matches ? 100 : 0);
  const update = (numbers) => {
    courses = LOSSES.map(([loss]) => numbers[`p_${loss}`]);
    const isAbove = courses[0][100] >= courses[1][100];
    courses.forEach((course, i) => {
      paths[i].setAttribute("d", axes.d([...course.entries()]));
      const { cx, cy } = axes.place(100, course[100]);
      moveTo(names[i], { cx, cy: cy + (isAbove === !i ? -8 : 18) });
      names[i].setAttribute("text-anchor", "end");
    });
    goTo(Number(range.value));
  };
  return { made, update };
}

const PICTURES = { squared_error: curves, gradient: descent };
