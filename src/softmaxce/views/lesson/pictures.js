// Plots that follow the numbers. The text or the table below each holds the same numbers.
"use strict";

const LOSSES = [["cross_entropy", "first", say("cross-entropy")], ["squared_error", "second", say("squared error")]];
const textAt = (x, y, attributes, words) => element("text", { x, y, "text-anchor": "middle", ...attributes }, words);

// Axes from 0 to the largest x and y, which are in `most`; place: where a point is.
function axesOf({ left = 26, top = 8, width, height, most, ticks, name }) {
  const x = (value) => left + (value / most[0]) * (width - left);
  const y = (value) => height - (Math.min(value, most[1]) / most[1]) * (height - top);
  const place = (a, b) => ({ cx: x(a), cy: y(b) });
  const d = (points) => points.map(([a, b], i) => `${i ? "L" : "M"}${x(a)} ${y(b)}`).join("");
  const shapes = [
    element("path", { d: `M${left} ${top}V${height}H${width}`, class: "axis" }),
    ...ticks[0].map((tick) => textAt(x(tick), height + 18, {}, number(tick))),
    ...ticks[1].map((tick) => textAt(left - 6, y(tick) + 5, { "text-anchor": "end" }, number(tick))),
    textAt((left + width) * 0.75 - left / 2, height + 18, {}, name),
  ];
  return { left, width, height, place, d, shapes, path: (points, kind) => element("path", { d: d(points), class: kind }) };
}

// 201 points of a curve, as dense as that of e^−x: from p = e^−highest to 1.
const pointsOf = (f, highest) =>
  Array.from({ length: 201 }, (_, i) => Math.exp(highest * (i / 200 - 1))).map((p) => [p, f(p)]);

function figure(title, ...shapes) {
  const description = `${title}: ${say("the table below holds the same numbers")}`;
  return element("figure", {}, element("svg", { viewBox: "0 0 440 200", role: "img", "aria-label": description }, ...shapes));
}

// Squared error and cross-entropy against the probability of the true class; the reader's values.
function curves(title) {
  const ticks = [[0, 0.5, 1], [0, 2, 4, 6]];
  const axes = axesOf({ width: 420, height: 170, most: [1, 7], ticks, name: say("p of the true class") });
  const functions = [(p) => -Math.log(p), (p) => 2 * (1 - p) ** 2];
  const dot = element("circle", { r: 6, class: "here" });
  const names = LOSSES.map(([, kind, name], i) => {
    const { cx, cy } = axes.place(0.1, i ? 0.15 : 2.9);
    return textAt(cx, cy, { class: kind, "text-anchor": "start" }, name);
  });
  const paths = LOSSES.map(([, kind], i) => axes.path(pointsOf(functions[i], 7), `curve ${kind}`));
  const made = figure(title, ...axes.shapes, ...paths, ...names, dot);
  return { made, update: ({ p_true, loss }) => setAll(dot, axes.place(p_true, loss)) };
}

// p of the true class over 100 steps of gradient descent under both losses, with dots that can be moved.
function descent(title) {
  const ticks = [[0, 50, 100], [0, 0.5, 1]];
  const axes = axesOf({ width: 420, height: 170, most: [100, 1], ticks, name: say("step") });
  const [lines, names, dots] = ["path", "text", "circle"].map((shape) =>
    LOSSES.map(([, kind]) => element(shape, { class: `${{ path: "curve", text: "", circle: "here" }[shape]} ${kind}` })),
  );
  const made = figure(title, ...axes.shapes, ...lines, ...names, ...dots);
  const slider = { type: "range", min: 0, max: 100, value: 0, "aria-label": say("Step of gradient descent") };
  const [range, output] = [element("input", slider), element("output")];
  const button = element("button", { type: "button" }, `▶ ${say("Play")}`);
  made.append(element("figcaption", { class: "play" }, button, range, output));
  let paths = [];
  const move = () => {
    const step = Number(range.value);
    dots.forEach((dot, i) => setAll(dot, { ...axes.place(step, paths[i][step]), r: 6 }));
    const texts = LOSSES.map(([, , name], i) => `${name} ${number(paths[i][step])}`);
    output.textContent = `${say("step")} ${step}, p: ${texts.join(", ")}`;
    range.setAttribute("aria-valuetext", output.textContent);
  };
  const play = (step) => {
    range.value = step;
    move();
    if (step < 100) setTimeout(() => Number(range.value) === step && play(step + 1), 40);
  };
  range.oninput = move;
  button.onclick = () => play(window.matchMedia("(prefers-reduced-motion: reduce)").matches ? 100 : 0);
  const update = (numbers) => {
    paths = LOSSES.map(([loss]) => numbers[`p_${loss}`]);
    const isAbove = paths[0][100] >= paths[1][100];
    paths.forEach((path, i) => {
      lines[i].setAttribute("d", axes.d([...path.entries()]));
      const { cx, cy } = axes.place(100, path[100]);
      setAll(names[i], { x: cx, y: cy + (isAbove === !i ? -8 : 18), "text-anchor": "end" });
      names[i].textContent = LOSSES[i][2];
    });
    move();
  };
  return { made, update };
}

const PICTURES = { squared_error: curves, gradient: descent };
