// The strip: from the input to the loss in one row of stages, made once and then updated in place.
"use strict";

const MOST_CLASSES = 6; // in the strip: the true class and the five with the highest logits
const ROW = 48; // the height of a class, in pixels, as in page.css
const STEPS_OF_KEYS = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10 };
// full: the power that fills a bar; while one is dragged, it stays. numbers: those shown.
const strip = { names: "", shown: [], updates: [], full: 0, isDragged: false };

// Three decimals, or more if a number is close to a whole one.
function brief(value) {
  const whole = Math.round(value);
  return Math.abs(value - whole) < 0.01 ? number(value, undefined, extraDigits([value, whole])) : number(value, 3);
}

// An element that follows the numbers: set(numbers) is called at each change.
function live(made, set) {
  strip.updates.push(set);
  return made;
}

// What belongs to a term of the formula, and to class k if there is one: a number, or a bar.
const ofTerm = (term, k) => (k === undefined ? { "data-term": term } : { "data-term": term, "data-k": k });
const written = (term, find, write = brief) => (k) => {
  const made = element("span", { class: "value", ...ofTerm(term, k) });
  return live(made, (n) => (made.textContent = write(k === undefined ? find(n) : find(n)[k])));
};

function filled(share, attributes = {}) {
  const made = element("i", attributes);
  return live(made, (n) => (made.style.width = `${Math.min(1, share(n)) * 100}%`));
}

function bar(term, k, share, slider) {
  const made = element("div", { class: "bar", ...ofTerm(term, k) }, filled(share));
  if (slider) makeSlidable(made, slider);
  return made;
}

// drag: what a new length, as a share of the bar, does; move: what arrow keys do; now: value and largest.
function makeSlidable(made, { name, drag, move, now }) {
  setAll(made, { role: "slider", tabindex: 0, "aria-label": name, "aria-valuemin": 0 });
  const follow = ({ clientX, pointerId }) => {
    const { left, width } = made.getBoundingClientRect();
    if (made.hasPointerCapture(pointerId)) drag(Math.max(0.002, Math.min(1, (clientX - left) / width)));
  };
  made.onpointermove = follow;
  made.onpointerdown = (event) => {
    made.setPointerCapture(event.pointerId);
    strip.isDragged = true;
    follow(event);
  };
  made.onlostpointercapture = () => {
    Object.assign(strip, { isDragged: false, full: 0 });
    showStrip();
  };
  made.onkeydown = (event) => {
    if (!(event.key in STEPS_OF_KEYS)) return;
    event.preventDefault();
    move(STEPS_OF_KEYS[event.key]);
  };
  live(made, (n) => {
    const [value, largest] = now(n);
    setAll(made, { "aria-valuemax": largest, "aria-valuenow": value, "aria-valuetext": brief(value) });
  });
}

function stage(name, title, lead, rows, ...foot) {
  const line = ([kind, parts]) => element("p", { class: kind }, ...parts);
  const [above, below] = Object.entries({ lead, foot }).map(line);
  const body = element("div", { class: "rows" }, ...rows);
  return element("li", { class: `stage ${name}` }, element("b", {}, title), above, body, below);
}

// One row a class: its name and numbers, and what is below them.
const rowsOf = (numbersOf, drawnOf = () => []) =>
  strip.shown.map((k, place) => {
    const name = element("span", { class: "name", title: state.classes[k] }, state.classes[k]);
    const line = element("div", { class: "line" }, name, element("span", { class: "numbers" }, ...numbersOf(k)));
    const row = element("div", { class: `class c${place}` }, line, ...drawnOf(k));
    return live(row, () => row.classList.toggle("is-true", k === state.label));
  });

function network() {
  const height = ROW * strip.shown.length;
  const inputs = [0.1, 0.3, 0.5, 0.7, 0.9].map((share) => ({ cx: 8, cy: height * share, r: 6 }));
  const node = (k, place) => ({ cx: 68, cy: ROW * (place + 0.5), r: 11, class: `node c${place}`, ...ofTerm("z", k) });
  const nodes = strip.shown.map(node);
  const line = (from, to) => ({ x1: from.cx, y1: from.cy, x2: to.cx, y2: to.cy, class: to.class });
  const lines = nodes.flatMap((to) => inputs.map((from) => element("line", line(from, to))));
  const circles = [...inputs, ...nodes].map((circle) => element("circle", circle));
  return element("svg", { viewBox: `0 0 80 ${height}`, "aria-hidden": "true" }, ...lines, ...circles);
}

function curveOfLoss() {
  const axes = axesOf({ width: 190, height: 92, most: [1, 5], ticks: [[0, 1], []], name: "p" });
  const [guide, dot] = [element("path", { class: "guide" }), element("circle", { r: 6, class: "here" })];
  const curve = element("path", { d: axes.d(pointsOf((p) => -Math.log(p), 5)), class: "curve" });
  const made = element("svg", { viewBox: "0 0 200 112", "aria-hidden": "true" }, ...axes.shapes, curve, guide, dot);
  return live(made, ({ p_true, loss }) => {
    const { cx, cy } = axes.place(p_true, loss);
    guide.setAttribute("d", `M26 ${cy}H${cx}V92`);
    setAll(dot, { cx, cy });
  });
}

function stages() {
  const [z, exponent] = [(n) => n.logits, (n) => n.exponents].map((find) => written("z", find, number));
  const [power, total] = [written("power", (n) => n.powers), written("total", (n) => n.total)];
  const [p, pTrue] = [written("p", (n) => n.probabilities), written("p", (n) => n.p_true)];
  const [y, loss] = [written("y", (n) => n.targets, number), written("loss", (n) => n.loss)];
  const named = (what, k) => `${what}, ${say("class")} ${state.classes[k]}`;
  const powerBar = (k) => bar("power", k, (n) => n.powers[k] / strip.full, {
    name: named(say("power of e"), k),
    drag: (length) => setPower(k, length * strip.full),
    move: (steps) => setValue(k, state.values[k] + steps * range.step),
    now: (n) => [n.powers[k], strip.full],
  });
  const setP = (k, p) => setPower(k, (sum(strip.numbers.powers.with(k, 0)) * p) / (1 - p));
  const pBar = (k) => bar("p", k, (n) => n.probabilities[k], {
    name: named(say("probability p"), k),
    drag: (length) => setP(k, Math.min(length, 0.999)),
    move: (steps) => setP(k, Math.max(0, Math.min(strip.numbers.probabilities[k] + steps / 100, 0.999))),
    now: (n) => [n.probabilities[k], 1],
  });
  const addends = state.logits.length > 3 ? ["Σ"] : strip.shown.flatMap((k, i) => [i ? " + " : "", power(k)]);
  const part = (k, place) => filled((n) => n.probabilities[k], { class: `c${place}`, ...ofTerm("p", k) });
  const exponentials = rowsOf((k) => ["e", element("sup", {}, exponent(k)), " = ", power(k)], (k) => [powerBar(k)]);
  const division = (k) => element("div", { class: "division" }, power(k), " ÷ ", total(), " = ", p(k));
  const divisions = [rowsOf(() => [], (k) => [division(k)]), element("span", { class: "stack" }, ...strip.shown.map(part))];
  const compared = rowsOf((k) => ["p ", p(k), "  y ", y(k)], (k) => [pBar(k), bar("y", k, (n) => n.targets[k])]);
  const { pictures: [image] = [], fixed } = DATA.steps[0];
  const ofImage = () => {
    const lead = say("{n} values").replace("{n}", number(fixed.n_pixels));
    return stage("image", say("Image"), [lead], [element("img", { src: image.source, alt: image.text })]);
  };
  const ofLogits = () => [
    stage("network", say("Network"), [say("one node per class")], [network(), ...rowsOf((k) => ["z ", z(k)])]),
    stage("powers", say("Powers of e"), [say("always positive")], exponentials),
    stage("divide", say("Divide by the sum"), [...addends, " = ", total()], ...divisions),
  ];
  const lossOf = ["−log ", pTrue(), " = ", loss()];
  return [
    ...(image ? [ofImage()] : []),
    ...(isProbabilities ? [] : ofLogits()),
    stage("compare", say("Compare"), [`✓ ${say("true class")}: y = 1`], compared),
    stage("loss", say("Cross-entropy"), [say("−log p of the true class")], [curveOfLoss()], ...lossOf),
  ];
}

function chosenClasses({ logits, label }) {
  const all = [...logits.keys()];
  if (all.length <= MOST_CLASSES) return all;
  const best = all.toSorted((a, b) => logits[b] - logits[a]).slice(0, MOST_CLASSES - 1);
  return [...new Set([...best, label])].sort((a, b) => a - b);
}

function showStrip() {
  const made = document.getElementById("strip");
  const example = makeExample(state);
  const n = { ...example, ...powersOf(example, strip.isDragged ? strip.numbers.shift : undefined) };
  if (isProbabilities) n.powers = state.values;
  const [names, shown, largest] = [JSON.stringify(state.classes), chosenClasses(state), maxOf(n.powers)];
  if (!strip.isDragged && (largest > strip.full || largest < strip.full / 4)) strip.full = 1.6 * largest;
  strip.numbers = n;
  const isOther = shown.join() !== strip.shown.join() && !made.contains(document.activeElement);
  if (names !== strip.names || isOther) {
    Object.assign(strip, { names, shown, updates: [] });
    fill("stages", ...stages());
  }
  const is = { compact: shown.length <= 3, tempered: n.tempered, shifted: n.shift !== 0, isProbabilities };
  Object.entries(is).forEach((entry) => made.classList.toggle(...entry));
  document.getElementById("true-p").dataset.k = state.label;
  strip.updates.forEach((update) => update(n));
}

// Highlights the numbers of one kind and class, and the term of the formula that made them.
function highlight(event) {
  const { term, k } = event.target.closest?.("[data-term]")?.dataset ?? {};
  for (const { dataset, classList } of document.querySelectorAll("[data-term]")) {
    const isSameClass = k === undefined || dataset.k === undefined || dataset.k === k;
    classList.toggle("lit", term !== undefined && dataset.term === term && isSameClass);
  }
}
["pointerover", "focusin", "focusout"].forEach((type) => document.addEventListener(type, highlight));
