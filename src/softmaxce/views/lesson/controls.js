// The reader's numbers: sliders and fields, and what happens when they change.
"use strict";

const LARGEST = Number.MAX_VALUE;
const MOST_ADDED = 6; // classes, with those of the first numbers
const revived = DATA.state.logits.map((value) => (value === "-Infinity" ? -Infinity : value));
const isProbabilities = DATA.state.source === "probabilities";
// values: those in the fields, which are logits, or probabilities before division by their sum.
const initial = { ...DATA.state, logits: revived, values: isProbabilities ? revived.map(Math.exp) : revived };
let state = initial;
let range = rangeOfSliders(initial.values);
let refreshes = []; // what sets each control to the state

function change(part) {
  state = { ...state, ...part };
  const { values } = state;
  const isOutside = values.some((value) => value < range.min || value > range.max);
  if (isOutside || part === initial) range = rangeOfSliders(values);
  showStrip();
  if (part.classes) buildControls();
  refreshes.forEach((refresh) => refresh());
  change.frame ||= requestAnimationFrame(() => {
    change.frame = 0;
    show();
  });
}

function setValues(values, part = {}) {
  const total = sum(values);
  if (isProbabilities && !(total > 0)) return;
  change({ ...part, values, logits: isProbabilities ? values.map((p) => Math.log(p / total)) : values });
}

const setValue = (k, value) => Math.abs(value) <= LARGEST && setValues(state.values.with(k, value));

// The power of e of class k: its logit is the logarithm. Of probabilities, the value itself.
function setPower(k, power) {
  if (isProbabilities) setValues(divided(state.values.with(k, power), Math.max(1, power)));
  else setValue(k, state.temperature * (Math.log(power) + strip.numbers.shift));
}

// A slider and a number field that hold one value. scale: from the slider's place to the value and back.
function control(id, name, { rangeOf, limits, value, onValue, scale: [toValue, toPlace] = [(x) => x, (x) => x] }) {
  const slider = element("input", { type: "range", id: `${id}-slider`, "aria-label": `${name}, ${say("slider")}` });
  const field = element("input", { type: "number", id, step: "any", ...limits, "aria-label": name });
  // The first form that fits in the field; the state keeps all digits.
  const forms = (given) => [given, Number(given.toPrecision(6)), given.toPrecision(6)];
  const take = (typed) => {
    const isValid = Number.isFinite(typed) && typed >= limits.min && typed <= limits.max;
    field.setAttribute("aria-invalid", !isValid);
    if (isValid) onValue(typed);
  };
  slider.oninput = () => take(toValue(Number(slider.value)));
  field.oninput = () => take(field.value.trim() === "" ? NaN : Number(field.value));
  refreshes.push(() => {
    Object.assign(slider, { ...rangeOf(), value: toPlace(value()) });
    slider.setAttribute("aria-valuetext", number(value()));
    if (document.activeElement === field) return;
    field.value = forms(value()).find((form) => String(form).length <= 14);
    field.setAttribute("aria-invalid", false);
  });
  return [slider, field];
}

// Softmax depends on differences only, so the range follows the spread of the logits: as much room
// on either side, and at least 2, where a power of e is 7 times as large.
function rangeOfSliders(values) {
  if (isProbabilities) return { min: 0, max: 1, step: 0.01 };
  const [low, high] = [-maxOf(values.map((z) => -z)), maxOf(values)];
  const room = Math.min(Math.max(2, high - low, maxOf(values.map(Math.abs)) / 1e4), LARGEST);
  const unit = 10 ** Math.floor(Math.log10(room));
  const limit = (value) => Math.max(-LARGEST, Math.min(value, LARGEST));
  const [min, max] = [Math.floor((low - room) / unit) * unit, Math.ceil((high + room) / unit) * unit];
  return { min: limit(min), max: limit(max), step: unit / 20 };
}

function classRow(k) {
  const name = state.classes[k];
  const radio = element("input", { type: "radio", name: "true-class", id: `true-${k}`, value: k });
  radio.onchange = () => change({ label: k, label_is_given: true });
  refreshes.push(() => (radio.checked = k === state.label));
  const [what, term] = isProbabilities ? [say("probability p"), "p"] : [say("logit z"), "z"];
  const parts = control(`value-${k}`, `${what}, ${say("class")} ${name}`, {
    rangeOf: () => range,
    limits: isProbabilities ? { min: 0, max: 1 } : { min: -LARGEST, max: LARGEST },
    value: () => state.values[k],
    onValue: (value) => setValue(k, value),
  });
  parts.forEach((part) => setAll(part, ofTerm(term, k)));
  const button = element("button", { type: "button", "aria-label": `${say("Remove class")} ${name}` }, "×");
  button.onclick = () => removeClass(k);
  const caption = element("label", { for: `true-${k}` }, radio, element("span", {}, name));
  const isAdded = k >= initial.values.length;
  return element("div", { class: `row c${strip.shown.indexOf(k)}` }, caption, ...parts, ...(isAdded ? [button] : []));
}

// A positive number on a logarithmic slider from 10^low to 10^high.
function scalarRow(id, key, name, [low, high]) {
  const [min, max] = DATA.constants[key];
  const parts = control(id, name, {
    rangeOf: () => ({ min: low, max: high, step: 0.01 }),
    limits: { min, max },
    value: () => state[key],
    onValue: (value) => change({ [key]: value }),
    scale: [(place) => Number((10 ** place).toPrecision(3)), Math.log10],
  });
  return element("div", { class: "row" }, element("label", { for: id }, name), ...parts);
}

function buildControls() {
  refreshes = [];
  fill("classes", ...shownClasses(state).map(classRow));
  const temperature = scalarRow("temperature", "temperature", say("Temperature"), [-1, 1]);
  fill("scalars", temperature, scalarRow("learning-rate", "learning_rate", say("Learning rate"), [-2, 1]));
  document.getElementById("add").hidden = state.source === "image" || state.values.length >= MOST_ADDED;
}

function addClass() {
  const { values, classes } = state;
  const names = [...DATA.default_classes, ...Array(2 * MOST_ADDED).keys()].map(String);
  const name = names.slice(values.length).find((one) => !classes.includes(one));
  setValues([...values, 0], { classes: [...classes, name] });
}

function removeClass(k) {
  const without = (list) => list.toSpliced(k, 1);
  const label = state.label === k ? 0 : state.label - (state.label > k);
  setValues(without(state.values), { classes: without(state.classes), label });
  document.getElementById("add").focus();
}

const omitted = initial.values.length - shownClasses(initial).length;
const hints = [
  initial.source === "image" ? say("The first numbers are the image's own logits.") : "",
  isProbabilities ? say("The probabilities are divided by their sum.") : "",
  omitted ? say("… {n} more").replace("{n}", omitted) : "",
];
fill("hint", hints.filter(Boolean).join(" "));
Object.entries({ reset: () => change(initial), add: addClass, ask: toggleQuestions }).forEach(([id, act]) => {
  document.getElementById(id).onclick = act;
});
showMisconceptions();
change(initial);
window.softmaxce = { state: () => state, lesson };
