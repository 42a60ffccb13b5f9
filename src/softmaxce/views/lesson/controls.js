// The reader's numbers: sliders and fields, and what happens when they change.
"use strict";

const LARGEST = Number.MAX_VALUE;
const MOST_ADDED = 6; // classes, with those of the first numbers
const revive = (value) => (value === "-Infinity" ? -Infinity : value);
const initial = { ...DATA.state, logits: DATA.state.logits.map(revive) };
const isProbabilities = initial.source === "probabilities";
const firstValues = isProbabilities ? initial.logits.map(Math.exp) : initial.logits;
const n_first = firstValues.length;
let values = firstValues; // in the fields: logits, or probabilities before division by their sum
let range = rangeOfSliders();
let state = initial;
let refreshes = []; // what sets each control to the state

function change(part) {
  state = { ...state, ...part };
  showStrip();
  if (part.classes) buildControls();
  refreshes.forEach((refresh) => refresh());
  change.waits ??= requestAnimationFrame(() => {
    change.waits = undefined;
    show();
  });
}

function changeValues(next, part = {}) {
  const total = sum(next);
  if (isProbabilities && !(total > 0)) return;
  values = next;
  const isOutside = maxOf(values) > range.max || -maxOf(values.map((z) => -z)) < range.min;
  if (isOutside) range = rangeOfSliders();
  change({ ...part, logits: isProbabilities ? next.map((p) => Math.log(p / total)) : next });
}

const changeValue = (k, value) => Math.abs(value) <= LARGEST && changeValues(values.with(k, value));

// The power of e of class k: its logit is the logarithm. Of probabilities, the value itself.
function setPower(k, power) {
  if (isProbabilities) return changeValues(divided(values.with(k, power), Math.max(1, power)));
  return changeValue(k, state.temperature * (Math.log(power) + strip.numbers.shift));
}

// A slider and a number field that hold one value. toValue, toPlace: from the slider's place to the
// value and back.
function control(id, name, { rangeOf, limits, value, toValue, toPlace, onValue }) {
  const slider = element("input", { type: "range", id: `${id}-slider`, "aria-label": `${name}, ${say("slider")}` });
  const field = element("input", { type: "number", id, step: "any", ...limits, "aria-label": name });
  // The first form that fits in the field; the state keeps all digits.
  const forms = (given) => [given, Number(given.toPrecision(6)), given.toPrecision(6)];
  const take = (typed) => {
    const isValid = Number.isFinite(typed) && typed >= limits.min && typed <= limits.max;
    field.setAttribute("aria-invalid", !isValid);
    if (isValid) onValue(typed);
  };
  slider.addEventListener("input", () => take(toValue(Number(slider.value))));
  field.addEventListener("input", () => take(field.value.trim() === "" ? NaN : Number(field.value)));
  refreshes.push(() => {
    Object.assign(slider, rangeOf());
    slider.value = toPlace(value());
    slider.setAttribute("aria-valuetext", number(value()));
    if (document.activeElement === field) return;
    field.value = forms(value()).find((form) => String(form).length <= 14);
    field.setAttribute("aria-invalid", false);
  });
  return [slider, field];
}

// Softmax depends on differences only, so the range follows the spread of the logits: as much room
// on either side, and at least 2, where a power of e is 7 times as large.
function rangeOfSliders() {
  if (isProbabilities) return { min: 0, max: 1, step: 0.01 };
  const [low, high] = [-maxOf(values.map((z) => -z)), maxOf(values)];
  const size = maxOf(values.map(Math.abs));
  const room = Math.min(Math.max(2, high - low, size / 1e4), LARGEST);
  const unit = 10 ** Math.floor(Math.log10(room));
  const limit = (value) => Math.max(-LARGEST, Math.min(value, LARGEST));
  const [min, max] = [Math.floor((low - room) / unit) * unit, Math.ceil((high + room) / unit) * unit];
  return { min: limit(min), max: limit(max), step: unit / 20 };
}

function classRow(k) {
  const name = state.classes[k];
  const radio = element("input", { type: "radio", name: "true-class", id: `true-${k}`, value: k });
  radio.addEventListener("change", () => change({ label: k, label_is_given: true }));
  refreshes.push(() => (radio.checked = k === state.label));
  const what = isProbabilities ? say("probability p") : say("logit z");
  const parts = control(`value-${k}`, `${what}, ${say("class")} ${name}`, {
    rangeOf: () => range,
    limits: isProbabilities ? { min: 0, max: 1 } : { min: -LARGEST, max: LARGEST },
    value: () => values[k],
    toValue: (place) => place,
    toPlace: (value) => value,
    onValue: (value) => changeValue(k, value),
  });
  parts.forEach((part) => Object.assign(part.dataset, { term: isProbabilities ? "p" : "z", k }));
  const caption = element("label", { for: `true-${k}` }, radio, element("span", {}, name));
  const place = strip.shown.indexOf(k);
  const row = element("div", { class: `row c${place}` }, caption, ...parts);
  if (k >= n_first) {
    const button = element("button", { type: "button", "aria-label": `${say("Remove class")} ${name}` }, "×");
    button.addEventListener("click", () => removeClass(k));
    row.append(button);
  }
  return row;
}

// A positive number on a logarithmic slider from 10^low to 10^high.
function scalarRow(id, key, name, [low, high]) {
  const [min, max] = DATA.constants[key];
  const parts = control(id, name, {
    rangeOf: () => ({ min: low, max: high, step: 0.01 }),
    limits: { min, max },
    value: () => state[key],
    toValue: (place) => Number((10 ** place).toPrecision(3)),
    toPlace: Math.log10,
    onValue: (value) => change({ [key]: value }),
  });
  return element("div", { class: "row" }, element("label", { for: id }, name), ...parts);
}

function buildControls() {
  refreshes = [];
  fill("classes", ...shownClasses(state).map(classRow));
  fill(
    "scalars",
    scalarRow("temperature", "temperature", say("Temperature"), [-1, 1]),
    scalarRow("learning-rate", "learning_rate", say("Learning rate"), [-2, 1]),
  );
  const { logits, source } = state;
  document.getElementById("add").hidden = source === "image" || logits.length >= MOST_ADDED;
}

function addClass() {
  const names = [...DATA.default_classes, ...values.keys(), values.length].map(String);
  const name = names.slice(Math.min(values.length, DATA.default_classes.length)).find((one) => !state.classes.includes(one));
  changeValues([...values, 0], { classes: [...state.classes, name] });
}

function removeClass(k) {
  const without = (list) => list.toSpliced(k, 1);
  const label = state.label === k ? 0 : state.label - (state.label > k);
  changeValues(without(values), { classes: without(state.classes), label });
  document.getElementById("add").focus();
}

function reset() {
  values = firstValues;
  range = rangeOfSliders();
  change(initial);
}

function build() {
  const omitted = n_first - shownClasses(initial).length;
  const hints = [
    initial.source === "image" ? say("The first numbers are the image's own logits.") : "",
    isProbabilities ? say("The probabilities are divided by their sum.") : "",
    omitted ? say("… {n} more").replace("{n}", omitted) : "",
  ];
  fill("hint", hints.filter(Boolean).join(" "));
  document.getElementById("reset").addEventListener("click", reset);
  document.getElementById("add").addEventListener("click", addClass);
  document.getElementById("ask").addEventListener("click", toggleQuestions);
  showMisconceptions();
  change(initial);
}

build();
window.softmaxce = { state: () => state, lesson };
