// The strip: from the input to the loss in one row of stages, made once and then updated in place.
"use strict";

const MOST_CLASSES = 6; // in the strip: the true class and the five with the highest logits
const ROW = 48; // the height of a class, in pixels, as in page.css
const STEPS_OF_KEYS = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10 };
// full: the power that fills a bar; it stays as it is while a bar is dragged. numbers: those shown.
const strip = { made: document.getElementById("strip"), names: "", shown: [], updates: [], full: 0, isDragged: false };

const brief = (value) => number(value, Math.abs(value) < 0.01 ? undefined : 3);

// An element that follows the numbers: set(numbers) is called at each change.
function live(made, set) {
  strip.updates.push(set);
  return made;
}

// What belongs to a term of the formula, and to class k if there is one: a number, or a bar.
const ofTerm = (term, k) => (k === undefined ? { "data-term": term } : { "data-term": term, "data-k": k });
function written(term, k, text) {
  const made = element("span", { class: "value", ...ofTerm(term, k) });
  return live(made, (n) => (made.textContent = text(n)));
}

function bar(term, k, share, slider) {
  const length = element("i");
  const made = element("div", { class: "bar", ...ofTerm(term, k) }, length);
  if (slider) makeSlidable(made, slider);
  return live(made, (n) => (length.style.width = `${Math.min(1, share(n)) * 100}%`));
}

// drag: what a new length of the bar, as a share, does; move: what the arrow keys do; now: value and largest.
function makeSlidable(made, { name, drag, move, now }) {
  const follow = ({ clientX }) => {
    const { left, width } = made.getBoundingClientRect();
    drag(Math.max(0.002, Math.min(1, (clientX - left) / width)));
  };
  made.onpointerdown = (event) => {
    made.setPointerCapture(event.pointerId);
    strip.isDragged = true;
    follow(event);
  };
  made.onpointermove = (event) => made.hasPointerCapture(event.pointerId) && follow(event);
  made.onlostpointercapture = () => {
    Object.assign(strip, { isDragged: false, full: 0 });
    showStrip();
  };
  made.onkeydown = (event) => {
    if (!(event.key in STEPS_OF_KEYS)) return;
    event.preventDefault();
    move(STEPS_OF_KEYS[event.key]);
  };
  setAll(made, { role: "slider", tabindex: 0, "aria-label": name, "aria-valuemin": 0 });
  live(made, (n) => {
    const [value, largest] = now(n);
    setAll(made, { "aria-valuemax": largest, "aria-valuenow": value, "aria-valuetext": brief(value) });
  });
}

function stage(name, title, lead, rows, ...foot) {
  const [above, below] = [["lead", lead], ["foot", foot]].map(([kind, parts]) => element("p", { class: kind }, ...parts));
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
  const inputs = [0.1, 0.3, 0.5, 0.7, 0.9].map((share) => ({ cx: 8, cy: height * share }));
  const nodes = strip.shown.map((k, place) => ({ cx: 68, cy: ROW * (place + 0.5), r: 11, class: `node c${place}`, ...ofTerm("z", k) }));
  const lines = nodes.flatMap((to) => inputs.map(({ cx, cy }) => element("line", { x1: cx, y1: cy, x2: to.cx, y2: to.cy, class: to.class })));
  const circles = [...inputs.map((at) => ({ ...at, r: 6 })), ...nodes].map((circle) => element("circle", circle));
  return element("svg", { viewBox: `0 0 80 ${height}`, "aria-hidden": "true" }, ...lines, ...circles);
}

function curveOfLoss() {
  const axes = axesOf({ width: 190, height: 92, most: [1, 5], ticks: [[0, 1], []], name: "p" });
  const [guide, dot] = [element("path", { class: "guide" }), element("circle", { r: 6, class: "here" })];
  const update = ({ p_true, loss }) => {
    const { cx, cy } = axes.place(p_true, loss);
    guide.setAttribute("d", `M${axes.left} ${cy}H${cx}V${axes.height}`);
    setAll(dot, { cx, cy });
  };
  const curve = axes.path(pointsOf((p) => -Math.log(p), 5), "curve");
  return live(element("svg", { viewBox: "0 0 200 112", "aria-hidden": "true" }, ...axes.shapes, curve, guide, dot), update);
}

// From the reader's image, if there is one, to the loss.
function stages() {
  const { shown } = strip;
  const named = (what, k) => `${what}, ${say("class")} ${state.classes[k]}`;
  const [z, power, p] = [["z", "logits"], ["power", "powers"], ["p", "probabilities"]].map(
    ([term, values], i) => (k) => written(term, k, (n) => (i ? brief : number)(n[values][k])),
  );
  const [total, loss, trueP] = [["total", "total"], ["loss", "loss"], ["p", "p_true"]].map(
    ([term, value]) => () => written(term, undefined, (n) => brief(n[value])),
  );
  const exponent = (k) => element("sup", {}, written("z", k, (n) => number(n.exponents[k])));
  const setP = (k, share) => setPower(k, (sum(strip.numbers.powers.with(k, 0)) * share) / (1 - share));
  const bars = {
    power: (k) => bar("power", k, (n) => n.powers[k] / strip.full, {
      name: named(say("power of e"), k),
      drag: (length) => setPower(k, length * strip.full),
      move: (steps) => changeValue(k, values[k] + steps * range.step),
      now: (n) => [n.powers[k], strip.full],
    }),
    p: (k) => bar("p", k, (n) => n.probabilities[k], {
      name: named(say("probability p"), k),
      drag: (length) => setP(k, Math.min(length, 0.999)),
      move: (steps) => setP(k, Math.max(0, Math.min(strip.numbers.probabilities[k] + steps / 100, 0.999))),
      now: (n) => [n.probabilities[k], 1],
    }),
    y: (k) => bar("y", k, (n) => n.targets[k]),
  };
  const isShort = state.logits.length <= 3;
  const addends = isShort ? shown.flatMap((k, i) => [i ? " + " : "", power(k)]) : ["Σ"];
  const division = (k) => element("div", { class: "division" }, power(k), " ÷ ", total(), " = ", p(k));
  const parts = shown.map((k, place) => {
    const part = element("i", { class: `c${place}`, ...ofTerm("p", k) });
    return live(part, (n) => (part.style.width = `${n.probabilities[k] * 100}%`));
  });
  const { pictures: [image] = [], fixed } = DATA.steps[0];
  const n_values = image && say("{n} values").replace("{n}", number(fixed.n_pixels));
  return [
    image && stage("image", say("Image"), [n_values], [element("img", { src: image.source, alt: image.text })]),
    !isProbabilities && stage("network", say("Network"), [say("one node per class")],
      [network(), ...rowsOf((k) => ["z ", z(k)])]),
    !isProbabilities && stage("powers", say("Powers of e"), [say("always positive")],
      rowsOf((k) => ["e", exponent(k), " = ", power(k)], (k) => [bars.power(k)])),
    !isProbabilities && stage("divide", say("Divide by the sum"), [...addends, " = ", total()],
      rowsOf(() => [], (k) => [division(k)]), element("span", { class: "stack" }, ...parts)),
    stage("compare", say("Compare"), [`✓ ${say("true class")}: y = 1`],
      rowsOf((k) => ["p ", p(k), "  y ", written("y", k, (n) => number(n.targets[k]))], (k) => [bars.p(k), bars.y(k)])),
    stage("loss", say("Cross-entropy"), [say("−log p of the true class")], [curveOfLoss()], "−log ", trueP(), " = ", loss()),
  ].filter(Boolean);
}

function chosenClasses({ logits, label }) {
  const all = [...logits.keys()];
  if (all.length <= MOST_CLASSES) return all;
  const best = all.toSorted((a, b) => logits[b] - logits[a]).slice(0, MOST_CLASSES - 1);
  return [...new Set([...best, label])].sort((a, b) => a - b);
}

function showStrip() {
  const { made, isDragged } = strip;
  const example = makeExample(state);
  const n = { ...example, ...powersOf(example, isDragged ? strip.numbers.shift : undefined) };
  if (isProbabilities) n.powers = values;
  const [names, shown, largest] = [JSON.stringify(state.classes), chosenClasses(state), maxOf(n.powers)];
  if (!isDragged && (largest > strip.full || largest < strip.full / 4)) strip.full = 1.6 * largest;
  strip.numbers = n;
  const isOther = shown.join() !== strip.shown.join() && !made.contains(document.activeElement);
  if (names !== strip.names || isOther) {
    Object.assign(strip, { names, shown, updates: [] });
    fill("stages", ...stages());
  }
  const classes = { compact: shown.length <= 3, tempered: state.temperature !== 1, shifted: n.shift !== 0 };
  Object.entries({ ...classes, probabilities: isProbabilities }).forEach((entry) => made.classList.toggle(...entry));
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
