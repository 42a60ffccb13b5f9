// The reader's numbers: sliders and fields, and what happens when they change.
"use strict";

const LARGEST = Number.MAX_VALUE;
const MOST_ADDED = 6; // classes, with those of the first numbers
const revived = DATA.state.logits.map(Number); // JSON holds −∞ as text
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

// Sets the power of e of class k, whose logit is its logarithm; with probabilities, the value itself.
function setPower(k, power) {
  if (isProbabilities) setValues(divided(state.values.with(k, power), Math.max(1, power)));
  else setValue(k, state.temperature * (Math.log(power) + strip.numbers.shift));
}

const alike = [(value) => value, (value) => value];

// A row's slider and number field hold one value. scale: from the slider's place to the value, and back.
function bind(row, { limits: [min, max], value, onValue, scale = alike }) {
  const [toValue, toPlace] = scale;
  const [slider, field] = ["range", "number"].map((type) => row.querySelector(`[type=${type}]`));
  // The first form that fits in the field; the state keeps all digits.
  const forms = (given) => [given, Number(given.toPrecision(6)), given.toPrecision(6)];
  const take = (typed) => {
    const isValid = Number.isFinite(typed) && typed >= min && typed <= max;
    field.setAttribute("aria-invalid", !isValid);
    if (isValid) onValue(typed);
  };
  Object.assign(field, { min, max });
  field.onblur = () => refreshes.forEach((refresh) => refresh());
  field.oninput = () => take(field.value.trim() === "" ? NaN : Number(field.value));
  slider.oninput = () => take(toValue(Number(slider.value)));
  refreshes.push(() => {
    if (scale === alike) Object.assign(slider, range);
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
  const row = document.getElementById("class-row").content.firstElementChild.cloneNode(true);
  const name = state.classes[k];
  const [radio, remove] = ["[type=radio]", "button"].map((part) => row.querySelector(part));
  row.querySelector("span").textContent = name;
  Object.assign(radio, { id: `true-${k}`, onchange: () => change({ label: k, label_is_given: true }) });
  refreshes.push(() => {
    row.className = `row c${strip.shown.indexOf(k)}`;
    radio.checked = k === state.label;
  });
  const [what, term] = isProbabilities ? [say("probability p"), "p"] : [say("logit z"), "z"];
  const parts = bind(row, {
    limits: isProbabilities ? [0, 1] : [-LARGEST, LARGEST],
    value: () => state.values[k],
    onValue: (value) => setValue(k, value),
  });
  parts.forEach((part, i) => {
    const [end, spoken] = i ? ["", ""] : ["-slider", `, ${say("slider")}`];
    const label = `${what}, ${say("class")} ${name}${spoken}`;
    setAll(part, { id: `value-${k}${end}`, "aria-label": label, "data-term": term, "data-k": k });
  });
  const ariaLabel = `${say("Remove class")} ${name}`;
  Object.assign(remove, { hidden: k < initial.values.length, ariaLabel, onclick: () => removeClass(k) });
  return row;
}

function buildControls() {
  refreshes = [];
  fill("classes", ...shownClasses(state).map(classRow));
  for (const key of ["temperature", "learning_rate"]) {
    bind(document.getElementById(key).parentNode, {
      limits: DATA.constants[key],
      value: () => state[key],
      onValue: (value) => change({ [key]: value }),
      scale: [(place) => Number((10 ** place).toPrecision(3)), Math.log10],
    });
  }
  document.getElementById("add").hidden = state.source === "image" || state.values.length >= MOST_ADDED;
}

function addClass() {
  const { values, classes } = state;
  const indices = Array.from({ length: MOST_ADDED }, (_, i) => String(values.length + i));
  const names = [...DATA.default_classes.slice(values.length), ...indices];
  const name = names.find((one) => !classes.includes(one));
  setValues([...values, 0], { classes: [...classes, name] });
}

function removeClass(k) {
  const without = (list) => list.toSpliced(k, 1);
  const label = state.label === k ? 0 : state.label - (state.label > k);
  setValues(without(state.values), { classes: without(state.classes), label });
  document.getElementById("add").focus();
}

Object.entries({ reset: () => change(initial), add: addClass, ask: toggleQuestions }).forEach(([id, act]) => {
  document.getElementById(id).onclick = act;
});
showMisconceptions();
change(initial);
window.softmaxce = { state: () => state, lesson, strip };
