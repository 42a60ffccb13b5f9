// Pictures that follow the numbers. Each has the table below it as its twin.
"use strict";

const width = () => (window.matchMedia("(max-width: 40rem)").matches ? 350 : 620);

function figure(height, description, ...shapes) {
  const svg = element(
    "svg",
    { viewBox: `0 0 ${width()} ${height}`, role: "img", "aria-label": description },
    ...shapes,
  );
  return element("figure", {}, svg);
}

const label = (x, y, words, attributes = {}) => element("text", { x, y, ...attributes }, words);
const short = (name) => (name.length > 12 ? `${name.slice(0, 11)}…` : name);

// One bar for each shown class: to the right of the middle where above 0, to the left where below.
function bars(step, values, shown, { signed }) {
  const rowHeight = 26;
  const names = 90;
  const room = signed ? (width() - names) / 2 - 80 : width() - names - 80;
  const start = signed ? names + 80 + room : names + 10;
  const largest = signed ? maxOf(values.map(Math.abs)) || 1 : 1;
  const shapes = shown.flatMap((k, place) => {
    const y = place * rowHeight;
    const length = (Math.abs(values[k]) / largest) * room;
    const left = values[k] < 0 ? start - length : start;
    const kind = values[k] < 0 ? "down" : "up";
    return [
      label(names, y + 18, short(step.numbers.classes[k]), { "text-anchor": "end" }),
      element("rect", { x: left, y: y + 5, width: Math.max(length, 0.5), height: 16, rx: 3, class: signed ? kind : "bar" }),
      label(signed ? (values[k] < 0 ? left - 6 : left + length + 6) : start + length + 6, y + 18, number(values[k]), {
        class: "value",
        "text-anchor": values[k] < 0 ? "end" : "start",
      }),
    ];
  });
  const height = shown.length * rowHeight + 4;
  if (signed) shapes.push(element("line", { x1: start, x2: start, y1: 0, y2: height, class: "axis" }));
  return figure(height, `${step.title}: ${say("the table below holds the same numbers")}`, ...shapes);
}

// Squared error and cross-entropy against the probability of the true class, and the reader's place.
function curves(step) {
  const [left, right, top, bottom, highest] = [24, width() - 12, 10, 190, 7];
  const x = (p) => left + p * (right - left);
  const y = (loss) => bottom - (Math.min(loss, highest) / highest) * (bottom - top);
  const path = (f) =>
    Array.from({ length: 200 }, (_, i) => 0.0009 + (i / 199) * 0.9991)
      .map((p, i) => `${i ? "L" : "M"}${x(p).toFixed(1)} ${y(f(p)).toFixed(1)}`)
      .join("");
  const { p_true: p, loss } = step.numbers;
  const shapes = [
    element("line", { x1: left, x2: right, y1: bottom, y2: bottom, class: "axis" }),
    element("line", { x1: left, x2: left, y1: top, y2: bottom, class: "axis" }),
    ...[0, 0.5, 1].map((tick) => label(x(tick), bottom + 18, number(tick), { "text-anchor": "middle" })),
    ...[0, 2, 4, 6].map((tick) => label(left - 8, y(tick) + 4, number(tick), { "text-anchor": "end" })),
    element("path", { d: path((q) => 2 * (1 - q) ** 2), class: "curve second" }),
    element("path", { d: path((q) => -Math.log(q)), class: "curve first" }),
    label(x(0.1), y(2.9), say("cross-entropy"), { class: "first" }),
    label(x(0.1), y(0.5), say("squared error"), { class: "second" }),
    element("circle", { cx: x(p), cy: y(loss), r: 6, class: "here" }),
    label(Math.min(x(p) + 10, right - 40), Math.max(y(loss) - 10, 20), say("you"), { class: "value" }),
    label(right, bottom + 18, say("p of the true class"), { "text-anchor": "end", dx: -20 }),
  ];
  return figure(216, `${step.title}: ${say("the table below holds the same numbers")}`, ...shapes);
}

const PICTURES = {
  softmax: (step, shown) => bars(step, step.numbers.probabilities, shown, { signed: false }),
  squared_error: curves,
  gradient: (step, shown) => bars(step, step.numbers.gradient, shown, { signed: true }),
};
