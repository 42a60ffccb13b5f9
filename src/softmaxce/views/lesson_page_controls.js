// The reader's numbers: sliders and fields, and what happens when they change.
"use strict";

const revive = (value) => (value === "-Infinity" ? -Infinity : value);
const initial = { ...DATA.state, logits: DATA.state.logits.map(revive) };
const ofProbabilities = initial.source === "probabilities";
let given = []; // what the fields hold: logits, or probabilities before they are divided by their sum
let state = { ...initial };
const probabilityOf = new Map();
const resets = [];

function change(part) {
  state = { ...state, ...part };
  show();
}

function give(k, value) {
  const next = [...given];
  next[k] = value;
  if (!ofProbabilities) {
    given = next;
    return change({ logits: next });
  }
  const total = sum(next);
  if (!(total > 0)) return undefined; // nothing left to share
  given = next;
  return change({ logits: next.map((p) => Math.log(p / total)) });
}

// A slider and a number field that hold one value together. scale: from the slider's place to it.
function control(id, name, { low, high, least, most, start, step, scale, place, onValue }) {
  const slider = element("input", { type: "range", id: `${id}-slider`, min: low, max: high, step, "aria-label": `${name}, ${say("slider")}` });
  const field = element("input", { type: "number", id, step: "any", min: least, max: most, "aria-label": name });
  const set = (value) => {
    slider.value = place(value);
    slider.setAttribute("aria-valuetext", number(value));
    field.value = Number(value.toPrecision(5)); // what is reckoned with keeps all its digits
    field.removeAttribute("aria-invalid");
  };
  const take = (value, fromSlider) => {
    if (!Number.isFinite(value) || value < least || value > most) {
      field.setAttribute("aria-invalid", "true");
      return;
    }
    field.removeAttribute("aria-invalid");
    if (fromSlider) field.value = value;
    else slider.value = place(value);
    slider.setAttribute("aria-valuetext", number(value));
    onValue(value);
  };
  slider.addEventListener("input", () => take(scale(Number(slider.value)), true));
  field.addEventListener("input", () => take(field.value.trim() === "" ? NaN : Number(field.value), false));
  set(start);
  resets.push(() => set(start));
  return [slider, field];
}

const rounded = (value) => Number(value.toPrecision(3));
const same = (value) => value;

function rangeOfLogits() {
  if (ofProbabilities) return { low: 0, high: 1, least: 0, most: 1, step: 0.01 };
  const largest = maxOf(initial.logits.map(Math.abs));
  const high = largest <= 10 ? 10 : Math.min(largest * 2, Number.MAX_VALUE);
  const step = high === 10 ? 0.05 : high / 200;
  return { low: -high, high, least: -Number.MAX_VALUE, most: Number.MAX_VALUE, step };
}

function classRow(k) {
  const name = state.classes[k];
  const radio = element("input", { type: "radio", name: "true-class", id: `true-${k}`, value: k });
  radio.checked = k === state.label;
  radio.addEventListener("change", () => change({ label: k, label_is_given: true }));
  resets.push(() => (radio.checked = k === initial.label));
  const what = ofProbabilities ? say("probability p") : say("logit z");
  const parts = control(`value-${k}`, `${what}, ${say("class")} ${name}`, {
    ...rangeOfLogits(),
    start: given[k],
    scale: same,
    place: same,
    onValue: (value) => give(k, value),
  });
  const output = element("output", { class: "p", for: `value-${k}` });
  probabilityOf.set(k, output);
  const caption = element("label", { for: `true-${k}` }, radio, element("span", {}, name));
  return element("div", { class: "row" }, caption, ...parts, output);
}

function scalarRow(id, key, name, limits) {
  const parts = control(id, name, {
    low: Math.log10(limits.slider[0]),
    high: Math.log10(limits.slider[1]),
    least: limits.least,
    most: limits.most,
    step: 0.01,
    start: initial[key],
    scale: (place) => rounded(10 ** place),
    place: Math.log10,
    onValue: (value) => change({ [key]: value }),
  });
  return element("div", { class: "row scalar" }, element("label", { for: id }, name), ...parts);
}

function build() {
  given = ofProbabilities ? initial.logits.map(Math.exp) : [...initial.logits];
  const shown = shownClasses(initial);
  document.getElementById("classes").append(...shown.map(classRow));
  const left = initial.logits.length - shown.length;
  const hints = [
    ...(initial.source === "image" ? [say("The first numbers are the image's own logits.")] : []),
    ...(ofProbabilities ? [say("The probabilities are divided by their sum.")] : []),
    ...(left ? [say("… {n} more").replace("{n}", left)] : []),
  ];
  document.getElementById("hint").textContent = hints.join(" ");
  document.getElementById("scalars").append(
    scalarRow("temperature", "temperature", say("Temperature"), { slider: [0.1, 10], least: 0.001, most: 1000 }),
    scalarRow("learning-rate", "learning_rate", say("Learning rate"), { slider: [0.01, 10], least: 1e-6, most: 1000 }),
  );
  document.getElementById("reset").addEventListener("click", () => {
    given = ofProbabilities ? initial.logits.map(Math.exp) : [...initial.logits];
    resets.forEach((reset) => reset());
    change({ ...initial });
  });
  if (window.matchMedia("(max-width: 60rem)").matches) document.getElementById("panel").open = false;
  show();
}

build();
window.addEventListener("resize", show);
window.softmaxce = { state: () => state, lesson };
