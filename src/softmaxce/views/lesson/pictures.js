// Pictures that follow the numbers. The table or the text below each holds the same numbers.
"use strict";

const BOX = { left: 26, right: 420, top: 12, bottom: 170 };
const label = (x, y, words, attributes = {}) => element("text", { x, y, ...attributes }, words);

// A figure with axes and their ticks; x and y: from a value to its place.
function figure(title, { x, y, xTicks, yTicks, name }, ...shapes) {
  const { left, right, top, bottom } = BOX;
  const description = `${title}: ${say("the table below holds the same numbers")}`;
  const svg = element(
    "svg",
    { viewBox: "0 0 440 200", role: "img", "aria-label": description },
    element("path", { d: `M${left} ${top}V${bottom}H${right}`, class: "axis" }),
    ...xTicks.map((tick) => label(x(tick), bottom + 20, number(tick), { "text-anchor": "middle" })),
    ...yTicks.map((tick) => label(left - 6, y(tick) + 5, number(tick), { "text-anchor": "end" })),
    label((left + right) / 2, bottom + 20, name, { "text-anchor": "middle", dx: 40 }),
    ...shapes,
  );
  return element("figure", {}, svg);
}

const pathOf = (points) => points.map(([x, y], i) => `${i ? "L" : "M"}${x} ${y}`).join("");
const place = (made, x, y) => Object.entries({ cx: x, cy: y }).forEach(([key, value]) => made.setAttribute(key, value));

// Squared error and cross-entropy against the probability of the true class; the reader's values.
function curves(title) {
  const { left, right, top, bottom } = BOX;
  const highest = 7;
  const x = (p) => left + p * (right - left);
  const y = (loss) => bottom - (Math.min(loss, highest) / highest) * (bottom - top);
  const ps = Array.from({ length: 201 }, (_, i) => Math.exp(highest * (i / 200 - 1))); // as steep as the curve
  const path = (f) => pathOf(ps.map((p) => [x(p), y(f(p))]));
  const dot = element("circle", { r: 6, class: "here" });
  const made = figure(
    title,
    { x, y, xTicks: [0, 0.5, 1], yTicks: [0, 2, 4, 6], name: say("p of the true class") },
    element("path", { d: path((q) => 2 * (1 - q) ** 2), class: "curve second" }),
    element("path", { d: path((q) => -Math.log(q)), class: "curve first" }),
    label(x(0.1), y(2.9), say("cross-entropy"), { class: "first" }),
    label(x(0.1), y(0.15), say("squared error"), { class: "second" }),
    dot,
  );
  return { made, update: ({ p_true, loss }) => place(dot, x(p_true), y(loss)) };
}

// p of the true class over 100 steps of gradient descent under both losses, with a dot that can be moved.
function descent(title) {
  const { left, right, top, bottom } = BOX;
  const losses = [["cross_entropy", "first", say("cross-entropy")], ["squared_error", "second", say("squared error")]];
  const x = (step) => left + (step / 100) * (right - left);
  const y = (p) => bottom - p * (bottom - top);
  const lines = losses.map(([, kind]) => element("path", { class: `curve ${kind}` }));
  const names = losses.map(([, kind, name]) => label(right, 0, name, { class: kind, "text-anchor": "end" }));
  const dots = losses.map(([, kind]) => element("circle", { r: 6, class: `here ${kind}` }));
  const axes = { x, y, xTicks: [0, 50, 100], yTicks: [0, 0.5, 1], name: say("step") };
  const made = figure(title, axes, ...lines, ...names, ...dots);
  const range = element("input", { type: "range", min: 0, max: 100, value: 0, "aria-label": say("Step of gradient descent") });
  const button = element("button", { type: "button" }, `▶ ${say("Play")}`);
  const output = element("output");
  made.append(element("figcaption", { class: "play" }, button, range, output));
  let paths = [];
  const move = () => {
    const step = Number(range.value);
    paths.forEach((path, i) => place(dots[i], x(step), y(path[step])));
    const parts = losses.map(([, , name], i) => `${name} ${number(paths[i][step])}`);
    output.textContent = `${say("step")} ${step}: ${parts.join(", ")}`;
    range.setAttribute("aria-valuetext", output.textContent);
  };
  const play = () => {
    if (Number(range.value) >= 100 || !button.isConnected) return;
    range.value = Number(range.value) + 1;
    move();
    setTimeout(play, 40);
  };
  range.addEventListener("input", move);
  button.addEventListener("click", () => {
    const isStill = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    range.value = isStill ? 99 : 0;
    play();
  });
  const update = (numbers) => {
    paths = losses.map(([loss]) => numbers[`p_${loss}`]);
    const ends = paths.map((path) => path[100]);
    paths.forEach((path, i) => {
      lines[i].setAttribute("d", pathOf(path.map((p, step) => [x(step), y(p)])));
      names[i].setAttribute("y", y(ends[i]) + (ends[i] < ends[1 - i] || (i && ends[0] === ends[1]) ? 18 : -8));
    });
    move();
  };
  return { made, update };
}

const PICTURES = { squared_error: curves, gradient: descent };
