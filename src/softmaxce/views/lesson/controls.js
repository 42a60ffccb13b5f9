// The reader's numbers: sliders and fields, and what happens when they change.

const LARGEST = Number.MAX_VALUE;
const MOST_ADDED = 6; // classes, with those of the first numbers
const isProbabilities = DATA.state.source === "probabilities";
const initial = { ...DATA.state, logits: DATA.state.logits.map(Number) }; // JSON holds −∞ as text
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

// A row's slider and number field hold one value. toValue: from the slider's place to it; toPlace: back.
function bind(row, { value, onValue, toValue = Number, toPlace = Number }) {
  const [slider, field] = ["range", "number"].map((type) => row.querySelector(`[type=${type}]`));
  // The first form that fits in the field; the state keeps all digits.
  const forms = (given) => [given, Number(given.toPrecision(6)), given.toPrecision(6)];
  field.onblur = () => refreshes.forEach((refresh) => refresh());
  field.oninput = () => field.validity.valid && onValue(field.valueAsNumber);
  slider.oninput = () => onValue(toValue(slider.valueAsNumber));
  refreshes.push(() => {
    slider.value = toPlace(value());
    slider.ariaValueText = number(value());
    if (document.activeElement === field) return;
    field.value = forms(value()).find((form) => String(form).length <= 14);
  });
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
  const row = elementOf(document.getElementById("class-row"), k);
  const [radio, slider, field, remove] = row.querySelectorAll("input, button");
  row.querySelectorAll("[id]").forEach((input) => (input.id = input.id.replace("k", k)));
  [radio.value, field.name] = [k, field.id];
  radio.onchange = () => change({ label: k, label_is_given: true });
  Object.assign(remove, { hidden: k < initial.values.length, onclick: () => removeClass(k) });
  refreshes.push(() => {
    row.className = `row c${strip.shown.indexOf(k)}`;
    radio.checked = k === state.label;
    Object.assign(slider, range);
  });
  bind(row, {
    value: () => state.values[k],
    onValue: (value) => setValue(k, value),
  });
  return row;
}

function buildControls() {
  refreshes = [];
  fill("classes", ...shownClasses(state).map(classRow));
  for (const key of ["temperature", "learning_rate"]) {
    bind(document.getElementById(key).parentNode, {
      value: () => state[key],
      onValue: (value) => change({ [key]: value }),
      toValue: (place) => Number((10 ** place).toPrecision(3)),
      toPlace: Math.log10,
    });
  }
  document.getElementById("add").hidden = !canAdd();
}

const canAdd = () => state.source !== "image" && state.values.length < MOST_ADDED;

function addClass() {
  const { values, classes } = state;
  const name = DATA.more_classes.find((one) => !classes.includes(one));
  setValues([...values, 0], { classes: [...classes, name] });
}

function removeClass(k) {
  const without = (list) => list.toSpliced(k, 1);
  const label = state.label === k ? 0 : state.label - (state.label > k);
  setValues(without(state.values), { classes: without(state.classes), label });
  document.getElementById("add").focus();
}

// A link holds the numbers of the form: #true-class=1&value-0=0.2&value-1=0.3
function readAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  while (given.has(`value-${state.values.length}`) && canAdd()) addClass();
  // Twice: probabilities cannot all be 0, even while they are set one by one.
  for (const [name, value] of [...given, ...given]) {
    const field = document.getElementById(name === "true-class" ? `true-${value}` : name);
    if (field?.matches("#classes [type=radio]")) field.click();
    if (field?.matches("#controls [type=number]")) Object.assign(field, { value }).oninput();
  }
}

Object.entries({ reset: () => change(initial), add: addClass, ask: toggleQuestions }).forEach(([id, act]) => {
  document.getElementById(id).onclick = act;
});
["misconceptions", "more_misconceptions"].forEach((id) => fill(id, ...DATA[id].map(misconceptionOf)));
change(initial);
readAddress();
window.onhashchange = readAddress;
window.softmaxce = { state: () => state, lesson, strip };
