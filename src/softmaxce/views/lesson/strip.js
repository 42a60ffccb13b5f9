// The strip: from the input to the loss in one row of stages, made once and then updated in place.
"use strict";

const MOST_CLASSES = 6; // in the strip: the true class and the five with the highest logits
const HIGHEST_LOSS = 5; // in the curve of −log p
const CURVE = { left: 16, right: 190, top: 6, bottom: 92 };
const stripOf = { classes: "", shown: [], updates: [], full: 0, isDragged: false, numbers: null };

const brief = (value) => number(value, Math.abs(value) < 0.01 ? undefined : 3);

// An element that follows the numbers: set(element, numbers) is called at each change.
function live(made, set) {
  stripOf.updates.push((n) => set(made, n));
  return made;
}

// A number of class k (of none if undefined), which belongs to a term of the formula.
function written(term, k, text) {
  const attributes = { class: "value", "data-term": term, ...(k === undefined ? {} : { "data-k": k }) };
  return live(element("span", attributes), (made, n) => (made.textContent = text(n)));
}

const setLength = (made, share) => (made.style.width = `${Math.max(0, Math.min(1, share)) * 100}%`);

function bar(term, k, share) {
  const length = live(element("i"), (made, n) => setLength(made, share(n)));
  return element("div", { class: "bar", "data-term": term, "data-k": k }, length);
}

// A bar as a slider. drag: what its new length, as a share, does; move: what an arrow key does.
function slidable(made, name, { drag, move, now, text }) {
  const keys = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10 };
  const follow = (event) => {
    const { left, width } = made.getBoundingClientRect();
    drag(Math.max(0.002, Math.min(1, (event.clientX - left) / width)));
  };
  const attributes = { role: "slider", tabindex: 0, "aria-label": name, "aria-valuemin": 0 };
  Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
  made.addEventListener("pointerdown", (event) => {
    made.setPointerCapture(event.pointerId);
    stripOf.isDragged = true; // the scale stays as it is until the bar is released
    follow(event);
  });
  made.addEventListener("pointermove", (event) => made.hasPointerCapture(event.pointerId) && follow(event));
  made.addEventListener("lostpointercapture", () => {
    Object.assign(stripOf, { isDragged: false, full: 0 });
    showStrip();
  });
  made.addEventListener("keydown", (event) => {
    if (!(event.key in keys)) return;
    event.preventDefault();
    move(keys[event.key]);
  });
  return live(made, (_, n) => {
    const [value, largest] = now(n);
    made.setAttribute("aria-valuemax", largest);
    made.setAttribute("aria-valuenow", value);
    made.setAttribute("aria-valuetext", text(n));
  });
}

function stage(name, title, lead, rows, ...foot) {
  const parts = [element("b", {}, title), element("p", { class: "lead" }, ...lead)];
  const body = element("div", { class: "rows" }, ...rows);
  return element("li", { class: `stage ${name}` }, ...parts, body, element("p", { class: "foot" }, ...foot));
}

// A row of class k: its name and numbers, and what is drawn below them.
function rowsOf(numbersOf, drawnOf = () => []) {
  return stripOf.shown.map((k, place) => {
    const name = element("span", { class: "name", title: state.classes[k] }, state.classes[k]);
    const line = element("div", { class: "line" }, name, element("span", { class: "numbers" }, ...numbersOf(k)));
    const row = element("div", { class: `class c${place}` }, line, ...drawnOf(k));
    return live(row, () => row.classList.toggle("is-true", k === state.label));
  });
}

function network() {
  const [height, n_inputs] = [48 * stripOf.shown.length, 5];
  const inputs = Array.from({ length: n_inputs }, (_, i) => ({ cx: 10, cy: (height * (i + 0.5)) / n_inputs }));
  const nodes = stripOf.shown.map((k, place) => ({ k, place, cx: 78, cy: 48 * place + 24 }));
  const lines = nodes.flatMap(({ place, cx, cy }) =>
    inputs.map((i) => element("line", { x1: i.cx, y1: i.cy, x2: cx, y2: cy, class: `c${place}` })),
  );
  const circles = [
    ...inputs.map((at) => element("circle", { ...at, r: 6 })),
    ...nodes.map(({ k, place, cx, cy }) =>
      element("circle", { cx, cy, r: 11, class: `node c${place}`, "data-term": "z", "data-k": k }),
    ),
  ];
  return element("svg", { viewBox: `0 0 92 ${height}`, "aria-hidden": "true" }, ...lines, ...circles);
}

function curveOfLoss() {
  const { left, right, top, bottom } = CURVE;
  const x = (p) => left + p * (right - left);
  const y = (loss) => bottom - (Math.min(loss, HIGHEST_LOSS) / HIGHEST_LOSS) * (bottom - top);
  const points = Array.from({ length: 101 }, (_, i) => Math.exp(HIGHEST_LOSS * (i / 100 - 1)));
  const path = points.map((p, i) => `${i ? "L" : "M"}${x(p)} ${y(-Math.log(p))}`).join("");
  const guide = ({ p_true: p, loss }) => `M${left} ${y(loss)}H${x(p)}V${bottom}`;
  return element(
    "svg",
    { viewBox: "0 0 200 110", "aria-hidden": "true" },
    element("path", { d: `M${left} ${top}V${bottom}H${right}`, class: "axis" }),
    element("path", { d: path, class: "curve" }),
    live(element("path", { class: "guide" }), (made, n) => made.setAttribute("d", guide(n))),
    live(element("circle", { r: 6, class: "here" }), (made, n) => {
      made.setAttribute("cx", x(n.p_true));
      made.setAttribute("cy", y(n.loss));
    }),
    ...[0, 1].map((p) => element("text", { x: x(p), y: bottom + 15, "text-anchor": "middle" }, p)),
    element("text", { x: x(0.5), y: bottom + 15, "text-anchor": "middle" }, "p"),
  );
}

function pictureStage() {
  const { pictures, fixed } = DATA.steps[0];
  if (!pictures) return [];
  const image = element("img", { src: pictures[0].source, alt: pictures[0].text });
  return [stage("image", say("Image"), [say("{n} values").replace("{n}", number(fixed.n_pixels))], [image])];
}

function stages() {
  const { shown } = stripOf;
  const name = (k) => `${say("class")} ${state.classes[k]}`;
  const z = (k) => written("z", k, (n) => number(n.logits[k]));
  const power = (k) => written("power", k, (n) => brief(n.powers[k]));
  const total = () => written("total", undefined, (n) => brief(n.total));
  const p = (k) => written("p", k, (n) => brief(n.probabilities[k]));
  const y = (k) => written("y", k, (n) => number(n.targets[k]));
  const shareOfP = (k) => bar("p", k, (n) => n.probabilities[k]);
  const powerBar = (k) =>
    slidable(bar("power", k, (n) => n.powers[k] / stripOf.full), `${say("power of e")}, ${name(k)}`, {
      drag: (length) => setPower(k, length * stripOf.full),
      move: (steps) => changeValue(k, values[k] + steps * range.step),
      now: (n) => [n.powers[k], stripOf.full],
      text: (n) => brief(n.powers[k]),
    });
  const setP = (k, share) => setPower(k, (sum(stripOf.numbers.powers.with(k, 0)) * share) / (1 - share));
  const pBar = (k) =>
    slidable(shareOfP(k), `${say("probability p")}, ${name(k)}`, {
      drag: (length) => setP(k, Math.min(length, 0.999)),
      move: (steps) => setP(k, Math.max(0, Math.min(stripOf.numbers.probabilities[k] + steps / 100, 0.999))),
      now: (n) => [n.probabilities[k], 1],
      text: (n) => brief(n.probabilities[k]),
    });
  const addends = shown.length > 3 || shown.length < state.logits.length ? ["Σ"] : shown.flatMap((k, i) => (i ? [" + ", power(k)] : [power(k)]));
  const exponent = (k) => element("sup", {}, written("z", k, (n) => number(n.exponents[k])));
  const trueP = written("p", undefined, (n) => brief(n.p_true));
  const loss = written("loss", undefined, (n) => brief(n.loss));
  const division = (k) => element("div", { class: "division" }, power(k), " ÷ ", total(), " = ", p(k));
  const stacked = shown.map((k, i) => live(element("i", { class: `c${i}`, "data-term": "p", "data-k": k }), (made, n) => setLength(made, n.probabilities[k])));
  const yBar = (k) => bar("y", k, (n) => n.targets[k]);
  return [
    ...(isProbabilities
      ? []
      : [
          ...pictureStage(),
          stage("network", say("Network"), [say("one node per class")], [network(), ...rowsOf((k) => ["z ", z(k)])]),
          stage("powers", say("Powers of e"), [say("always positive")], rowsOf((k) => ["e", exponent(k), " = ", power(k)], (k) => [powerBar(k)])),
          stage("divide", say("Divide by the sum"), [...addends, " = ", total()], rowsOf(() => [], (k) => [division(k)]), element("span", { class: "stack" }, ...stacked)),
        ]),
    stage("compare", say("Compare"), [`✓ ${say("true class")}: y = 1`], rowsOf((k) => ["p ", p(k), "  y ", y(k)], (k) => [pBar(k), yBar(k)])),
    stage("loss", say("Cross-entropy"), [say("−log p of the true class")], [curveOfLoss()], "−log ", trueP, " = ", loss),
  ];
}

// The classes shown: all if they are few, else the five with the highest logits and the true class.
function chosenClasses({ logits, label }) {
  const all = logits.map((_, k) => k);
  if (all.length <= MOST_CLASSES) return all;
  const best = all.toSorted((a, b) => logits[b] - logits[a]).slice(0, MOST_CLASSES - 1);
  return [...new Set([...best, label])].sort((a, b) => a - b);
}

function showStrip() {
  const strip = document.getElementById("strip");
  const [names, shown] = [state.classes.join(), chosenClasses(state)];
  const isOther = names !== stripOf.names || (shown.join() !== stripOf.shown.join() && !strip.contains(document.activeElement));
  const n = stripNumbers(makeExample(state), stripOf.isDragged ? stripOf.numbers.shift : undefined);
  if (isProbabilities) n.powers = values;
  const largest = maxOf(n.powers);
  if (!stripOf.isDragged && (largest > stripOf.full || largest < stripOf.full / 4)) stripOf.full = 1.6 * largest;
  stripOf.numbers = n;
  if (isOther) {
    Object.assign(stripOf, { names, shown, updates: [] });
    fill("stages", ...stages());
    live(document.getElementById("term-true"), (made, { label }) => (made.dataset.k = label));
  }
  strip.classList.toggle("compact", shown.length <= 3);
  strip.classList.toggle("tempered", state.temperature !== 1);
  strip.classList.toggle("shifted", n.shift !== 0);
  strip.classList.toggle("of-probabilities", isProbabilities);
  stripOf.updates.forEach((update) => update(n));
}

// Highlights the numbers of one kind and class, and the term of the formula that made them.
function highlight(event) {
  const { term, k } = event.target.closest?.("[data-term]")?.dataset ?? {};
  for (const other of document.querySelectorAll("[data-term]")) {
    const ofClass = k === undefined || other.dataset.k === undefined || other.dataset.k === k;
    other.classList.toggle("lit", term !== undefined && other.dataset.term === term && ofClass);
  }
}
["pointerover", "focusin", "focusout"].forEach((type) => document.addEventListener(type, highlight));
