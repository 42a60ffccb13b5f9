// Pictures that follow the numbers. The table below each holds the same numbers.
"use strict";

const width = () => (window.matchMedia("(max-width: 40rem)").matches ? 350 : 620);

function figure(step, height, shapes) {
  const description = `${step.title}: ${say("the table below holds the same numbers")}`;
  const attributes = { viewBox: `0 0 ${width()} ${height}`, role: "img", "aria-label": description };
  return element("figure", {}, element("svg", attributes, ...shapes));
}

const label = (x, y, words, attributes = {}) => element("text", { x, y, ...attributes }, words);
const ruler = document.createElement("canvas").getContext("2d");
ruler.font = `14px ${getComputedStyle(document.body).fontFamily}`; // as in page.css
const widthOf = (words) => ruler.measureText(words).width;

function short(name, room) {
  if (widthOf(name) <= room) return name;
  const letters = [...name].slice(0, room); // none is narrower than 1 px
  while (widthOf(`${letters.join("")}…`) > room) letters.pop();
  return `${letters.join("")}…`;
}

// One bar per shown class: from the axis to the right if positive, to the left if negative. Of a
// gradient, a negative bar raises the logit (orange) and a positive one lowers it (blue).
function bars(step, values, shown, { signed }) {
  const [rowHeight, numbers] = [26, 92];
  const names = Math.min(maxOf(shown.map((k) => widthOf(step.numbers.classes[k]))), width() / 3);
  const room = signed ? (width() - names) / 2 - numbers : width() - names - numbers;
  const axis = signed ? names + numbers + room : names + 10;
  const largest = signed ? maxOf(values.map(Math.abs)) || 1 : 1;
  const shapes = shown.flatMap((k, place) => {
    const y = place * rowHeight;
    const isNegative = values[k] < 0;
    const length = Math.max((Math.abs(values[k]) / largest) * room, 0.5);
    const x = isNegative ? axis - length : axis;
    const end = isNegative ? x - 6 : x + length + 6;
    return [
      label(names, y + 18, short(step.numbers.classes[k], names), { "text-anchor": "end" }),
      element("rect", { x, y: y + 5, width: length, height: 16, rx: 3, class: isNegative ? "up" : "down" }),
      label(end, y + 18, number(values[k]), { class: "value", "text-anchor": isNegative ? "end" : "start" }),
    ];
  });
  const height = shown.length * rowHeight + 4;
  if (signed) shapes.push(element("line", { x1: axis, x2: axis, y1: 0, y2: height, class: "axis" }));
  return figure(step, height, shapes);
}

// Squared error and cross-entropy against the probability of the true class; the reader's values.
function curves(step) {
  const [left, right, top, bottom, highest] = [24, width() - 12, 10, 190, 7];
  const x = (p) => left + p * (right - left);
  const y = (loss) => bottom - (Math.min(loss, highest) / highest) * (bottom - top);
  const path = (f) =>
    Array.from({ length: 201 }, (_, i) => Math.exp(highest * (i / 200 - 1))) // as steep as the curve
      .map((p, i) => `${i ? "L" : "M"}${x(p)} ${y(f(p))}`)
      .join("");
  const { p_true: p, loss } = step.numbers;
  const shapes = [
    element("line", { x1: left, x2: right, y1: bottom, y2: bottom, class: "axis" }),
    element("line", { x1: left, x2: left, y1: top, y2: bottom, class: "axis" }),
    ...(width() < 500 ? [0, 1] : [0, 0.5, 1]).map((tick) => label(x(tick), bottom + 18, number(tick), { "text-anchor": "middle" })),
    ...[0, 2, 4, 6].map((tick) => label(left - 8, y(tick) + 4, number(tick), { "text-anchor": "end" })),
    element("path", { d: path((q) => 2 * (1 - q) ** 2), class: "curve second" }),
    element("path", { d: path((q) => -Math.log(q)), class: "curve first" }),
    label(x(0.1), y(2.9), say("cross-entropy"), { class: "first" }),
    label(x(0.1), y(0.15), say("squared error"), { class: "second" }),
    element("circle", { cx: x(p), cy: y(loss), r: 6, class: "here" }),
    label(Math.min(x(p) + 10, right - 40), Math.max(y(loss) - 10, 20), say("you"), { class: "value" }),
    label(right, bottom + 18, say("p of the true class"), { "text-anchor": "end", dx: -20 }),
  ];
  return figure(step, 216, shapes);
}

const PICTURES = {
  softmax: (step, shown) => bars(step, step.numbers.probabilities, shown, { signed: false }),
  squared_error: curves,
  gradient: (step, shown) => bars(step, step.numbers.gradient, shown, { signed: true }),
};
