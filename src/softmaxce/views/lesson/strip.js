// The strip: from the input to the loss in one row of stages. page.html holds the stages and, as
// templates, what they hold of each class; their elements are updated in place.
"use strict";

const MOST_CLASSES = 6; // in the strip: the true class and the five with the highest logits
const ROW = 56; // the height of a class, in pixels, as in page.css
const STEPS_OF_KEYS = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10 };
const STAGES = document.getElementById("stages");
// full: the power that fills a bar; dragged: the bar whose scale therefore stays as it is.
const strip = { names: "", shown: [], full: 0, dragged: null, numbers: null };

// Three decimals, or more if a number is close to a whole one.
function brief(value) {
  const whole = Math.round(value);
  if (Math.abs(value - whole) >= 0.01) return number(value, 3);
  return number(value, undefined, extraDigits([value, whole]));
}

function chosenClasses({ logits, label }) {
  if (logits.length <= MOST_CLASSES) return [...logits.keys()];
  return [...new Set([...best(logits), label])].sort((a, b) => a - b);
}

// A template's element for each class, in the class's colour and with its name.
function fillTemplate(template) {
  const made = strip.shown.map((k, place) => {
    const one = template.content.firstElementChild.cloneNode(true);
    one.classList.add(`c${place}`, "of-class");
    [one, ...one.querySelectorAll("*")].forEach((part) => (part.dataset.k = k));
    const name = one.querySelector(".name");
    if (name) name.textContent = name.title = state.classes[k];
    const bar = one.querySelector("[role=slider]");
    bar?.setAttribute("aria-label", `${bar.ariaLabel}, ${say("class")} ${state.classes[k]}`);
    return one;
  });
  template.parentNode.querySelectorAll(":scope > .of-class").forEach((old) => old.remove());
  template.before(...made);
}

function drawNetwork() {
  const height = ROW * strip.shown.length;
  const inputs = [0.1, 0.3, 0.5, 0.7, 0.9].map((share) => ({ cx: 8, cy: height * share, r: 6 }));
  const nodes = strip.shown.map((k, place) => {
    const at = { cx: 68, cy: ROW * (place + 0.5), r: 11 };
    return { ...at, class: `node c${place}`, "data-term": "z", "data-k": k };
  });
  const lineOf = (from, to) => ({ x1: from.cx, y1: from.cy, x2: to.cx, y2: to.cy, class: to.class });
  const lines = nodes.flatMap((to) => inputs.map((from) => element("line", lineOf(from, to))));
  fill("nodes", ...lines, ...[...inputs, ...nodes].map((circle) => element("circle", circle)));
  document.getElementById("nodes").setAttribute("viewBox", `0 0 80 ${height}`);
}

function showStrip() {
  const example = makeExample(state);
  const n = { ...example, ...powersOf(example, strip.dragged ? strip.numbers.shift : undefined) };
  if (isProbabilities) n.powers = state.values;
  const largest = maxOf(n.powers);
  if (!strip.dragged && (largest > strip.full || largest < strip.full / 4)) strip.full = 1.6 * largest;
  strip.numbers = n;
  const [names, shown] = [JSON.stringify(state.classes), chosenClasses(state)];
  const isOther = shown.join() !== strip.shown.join() && !STAGES.contains(document.activeElement);
  if (names !== strip.names || isOther) {
    Object.assign(strip, { names, shown });
    STAGES.querySelectorAll("template").forEach(fillTemplate);
    drawNetwork();
  }
  const { classList } = document.getElementById("strip");
  const [compact, many] = [shown.length <= 3, n.n_classes > 3];
  const is = { compact, many, tempered: n.tempered, shifted: n.shift !== 0, isProbabilities };
  Object.entries(is).forEach((entry) => classList.toggle(...entry));
  updateNumbers(n);
  updatePlot(n);
}

function updateNumbers(n) {
  const valueOf = (name, { k }) => (Array.isArray(n[name]) ? n[name][k] : n[name]);
  const each = (selector, update) => {
    for (const one of STAGES.querySelectorAll(selector)) update(one, one.dataset);
  };
  each("[data-value]", (one, { value, exact, k }) => {
    const size = valueOf(value, { k });
    const isLost = value === "p_true" && size <= DATA.constants.rounding && n.finiteLogits; // not 0
    one.textContent = isLost ? "p" : (exact === undefined ? brief : number)(size);
  });
  each("[data-share]", (one, { share, k }) => {
    const [value, full] = [valueOf(share, { k }), share === "powers" ? strip.full : 1];
    one.style.width = `${Math.min(1, value / full) * 100}%`;
    const [now, most] = [value, full].map((size) => Math.min(size, 1e20).toFixed(6)); // without an exponent
    const attributes = { "aria-valuemax": most, "aria-valuenow": now, "aria-valuetext": brief(value) };
    if (one.parentNode.role === "slider") setAll(one.parentNode, attributes);
  });
  each(".class", (one, { k }) => one.classList.toggle("is-true", Number(k) === n.label));
  document.getElementById("true-p").dataset.k = n.label;
}

function updatePlot({ p_true, loss }) {
  const { svg, place, d } = plotOf(document.getElementById("loss-plot"));
  const [curve, guide, dot] = [".curve", ".guide", ".here"].map((name) => svg.querySelector(name));
  if (!curve.hasAttribute("d")) curve.setAttribute("d", d(pointsOf((p) => -Math.log(p), 5)));
  guide.setAttribute("d", d([[0, loss], [p_true, loss], [p_true, 0]]));
  moveTo(dot, place(p_true, loss));
}

// p of class k, the powers of the other classes staying as they are.
function setP(k, p) {
  const share = Math.max(0, Math.min(p, 0.999));
  setPower(k, (sum(strip.numbers.powers.with(k, 0)) * share) / (1 - share));
}

function drag({ clientX }) {
  const { left, width } = strip.dragged.getBoundingClientRect();
  const length = Math.max(0.002, Math.min(1, (clientX - left) / width));
  const { term, k } = strip.dragged.dataset;
  if (term === "power") setPower(Number(k), length * strip.full);
  else setP(Number(k), length);
}

STAGES.addEventListener("pointerdown", (event) => {
  strip.dragged = event.target.closest("[role=slider]");
  if (!strip.dragged) return;
  strip.dragged.setPointerCapture(event.pointerId);
  drag(event);
});
STAGES.addEventListener("pointermove", (event) => strip.dragged && drag(event));
STAGES.addEventListener("lostpointercapture", () => {
  Object.assign(strip, { dragged: null, full: 0 });
  showStrip();
});
STAGES.addEventListener("keydown", (event) => {
  const steps = event.target.role === "slider" && STEPS_OF_KEYS[event.key];
  if (!steps) return;
  event.preventDefault();
  const [{ term }, k] = [event.target.dataset, Number(event.target.dataset.k)];
  if (term === "power") setValue(k, state.values[k] + steps * range.step);
  else setP(k, strip.numbers.probabilities[k] + steps / 100);
});

// The numbers of one kind and class, and the term of the formula that made them.
function highlight(event) {
  const { term, k } = event.target.closest?.("[data-term]")?.dataset ?? {};
  for (const { dataset, classList } of document.querySelectorAll("[data-term]")) {
    const isSameClass = k === undefined || dataset.k === undefined || dataset.k === k;
    classList.toggle("lit", term !== undefined && dataset.term === term && isSameClass);
  }
}
["pointerover", "focusin", "focusout"].forEach((type) => document.addEventListener(type, highlight));
