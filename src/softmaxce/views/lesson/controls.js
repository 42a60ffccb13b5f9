// The reader's numbers: sliders and fields, and what happens when they change.
"use strict";

const revive = (value) => (value === "-Infinity" ? -Infinity : value);
const initial = { ...DATA.state, logits: DATA.state.logits.map(revive) };
const isProbabilities = initial.source === "probabilities";
const initialValues = isProbabilities ? initial.logits.map(Math.exp) : initial.logits;
let values = initialValues; // in the fields: logits, or probabilities before division by their sum
let state = initial;
const probabilityOf = new Map();
const resets = [];
const LARGEST = Number.MAX_VALUE;
const shownRows = shownClasses(initial);

function change(part) {
  state = { ...state, ...part };
  show();
}

function changeValue(k, value) {
  const next = values.with(k, value);
  const total = sum(next);
  if (isProbabilities && !(total > 0)) return;
  values = next;
  if (!isProbabilities) fitSliders(value);
  change({ logits: isProbabilities ? next.map((p) => Math.log(p / total)) : next });
}

// A slider and a number field that hold one value. toValue, toPlace: from the slider's place to the
// value and back.
function control(id, name, { slider: range, field: limits, start, toValue, toPlace, onValue }) {
  const slider = element("input", { type: "range", id: `${id}-slider`, ...range, "aria-label": `${name}, ${say("slider")}` });
  const field = element("input", { type: "number", id, step: "any", ...limits, "aria-label": name });
  const setSlider = (value) => (slider.value = toPlace(value));
  // The first form that fits in the field; the state keeps all digits.
  const forms = (value) => [value, Number(value.toPrecision(6)), value.toPrecision(6)];
  const setField = (value) => (field.value = forms(value).find((form) => String(form).length <= 14));
  const take = (value, setOther) => {
    const isValid = Number.isFinite(value) && value >= limits.min && value <= limits.max;
    if (!isValid) return field.setAttribute("aria-invalid", "true");
    field.removeAttribute("aria-invalid");
    setOther(value);
    slider.setAttribute("aria-valuetext", number(value));
    return onValue(value);
  };
  slider.addEventListener("input", () => take(toValue(Number(slider.value)), setField));
  field.addEventListener("input", () => take(field.value.trim() === "" ? NaN : Number(field.value), setSlider));
  const reset = () => {
    Object.assign(slider, range);
    setSlider(start);
    setField(start);
    slider.setAttribute("aria-valuetext", number(start));
    field.removeAttribute("aria-invalid");
  };
  reset();
  resets.push(reset);
  return [slider, field];
}

function rangesOfValues() {
  if (isProbabilities) return { slider: { min: 0, max: 1, step: 0.01 }, field: { min: 0, max: 1 } };
  return { slider: rangeOfSlider(values), field: { min: -LARGEST, max: LARGEST } };
}

// Softmax depends on differences only, so the range follows the spread of the logits: as much room
// on either side, and at least 2, where a power of e is 7 times as large.
function rangeOfSlider(logits) {
  const [low, high] = [-maxOf(logits.map((z) => -z)), maxOf(logits)];
  const size = maxOf(logits.map(Math.abs));
  const room = Math.min(Math.max(2, high - low, size / 1e4), LARGEST);
  const unit = 10 ** Math.floor(Math.log10(room));
  const limit = (value) => Math.max(-LARGEST, Math.min(value, LARGEST));
  const [min, max] = [Math.floor((low - room) / unit) * unit, Math.ceil((high + room) / unit) * unit];
  return { min: limit(min), max: limit(max), step: unit / 20 };
}

// If a typed value is outside the sliders' range, all of them get a range that contains it.
function fitSliders(value) {
  const sliders = [...document.querySelectorAll("#classes [type=range]")];
  if (value >= sliders[0].min && value <= sliders[0].max) return;
  sliders.forEach((slider, place) => Object.assign(slider, rangeOfSlider(values), { value: values[shownRows[place]] }));
}

function classRow(k) {
  const name = state.classes[k];
  const radio = element("input", { type: "radio", name: "true-class", id: `true-${k}`, value: k });
  radio.checked = k === state.label;
  radio.addEventListener("change", () => change({ label: k, label_is_given: true }));
  resets.push(() => (radio.checked = k === initial.label));
  const what = isProbabilities ? say("probability p") : say("logit z");
  const parts = control(`value-${k}`, `${what}, ${say("class")} ${name}`, {
    ...rangesOfValues(),
    start: initialValues[k],
    toValue: (place) => place,
    toPlace: (value) => value,
    onValue: (value) => changeValue(k, value),
  });
  const output = element("output", { class: "p", for: `value-${k}` });
  probabilityOf.set(k, output);
  const caption = element("label", { for: `true-${k}` }, radio, element("span", {}, name));
  return element("div", { class: "row" }, caption, ...parts, output);
}

// A positive number on a logarithmic slider from 10^low to 10^high.
function scalarRow(id, key, name, [low, high]) {
  const [min, max] = DATA.constants[key];
  const parts = control(id, name, {
    slider: { min: low, max: high, step: 0.01 },
    field: { min, max },
    start: initial[key],
    toValue: (place) => Number((10 ** place).toPrecision(3)),
    toPlace: Math.log10,
    onValue: (value) => change({ [key]: value }),
  });
  return element("div", { class: "row" }, element("label", { for: id }, name), ...parts);
}

function build() {
  fill("classes", ...shownRows.map(classRow));
  const omitted = initial.logits.length - shownRows.length;
  const hints = [
    initial.source === "image" ? say("The first numbers are the image's own logits.") : "",
    isProbabilities ? say("The probabilities are divided by their sum.") : "",
    omitted ? say("… {n} more").replace("{n}", omitted) : "",
  ];
  fill("hint", hints.filter(Boolean).join(" "));
  fill(
    "scalars",
    scalarRow("temperature", "temperature", say("Temperature"), [-1, 1]),
    scalarRow("learning-rate", "learning_rate", say("Learning rate"), [-2, 1]),
  );
  document.getElementById("reset").addEventListener("click", () => {
    values = initialValues;
    resets.forEach((reset) => reset());
    change(initial);
  });
  if (window.matchMedia("(max-width: 60rem)").matches) document.getElementById("panel").open = false;
  showMisconceptions();
  show();
}

build();
window.addEventListener("resize", show);
window.softmaxce = { state: () => state, lesson };
