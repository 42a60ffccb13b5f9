// The strip: from the input to the loss in one row of stages. page.html holds the stages and, as
// templates, what they hold of each class; their elements are updated in place.

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

// A copy of a template's element for a class, in its colour and with its name.
function elementOf(template, k) {
  const [one, name] = [copyOf(template), state.classes[k]];
  one.classList.add(`c${strip.shown.indexOf(k)}`, "of-class");
  [one, ...one.querySelectorAll("*")].forEach((part) => {
    part.dataset.k = k;
    if (part.className === "name") part.textContent = part.title = name;
    if (part.ariaLabel) part.ariaLabel += `, ${say("class")} ${name}`;
  });
  return one;
}

function fillTemplate(template) {
  template.parentNode.querySelectorAll(":scope > .of-class").forEach((old) => old.remove());
  template.before(...strip.shown.map((k) => elementOf(template, k)));
}

// Lines from the five inputs to the node of each class.
function drawNetwork() {
  const height = ROW * strip.shown.length;
  document.querySelectorAll("#inputs path").forEach((path, place) => {
    const lineFrom = (share) => `M8 ${share * height}L68 ${ROW * (place + 0.5)}`;
    path.setAttribute("d", place in strip.shown ? [0.1, 0.3, 0.5, 0.7, 0.9].map(lineFrom).join("") : "");
  });
}

function showStrip() {
  const example = makeExample(state);
  const n = { ...example, ...powersOf(example, strip.dragged ? strip.numbers.shift : undefined) };
  if (isProbabilities) n.powers = state.values;
  const largest = maxOf(n.powers);
  if (!strip.dragged && (largest > strip.full || largest < strip.full / 4)) strip.full = 1.6 * largest;
  strip.numbers = n;
  const [names, shown] = [JSON.stringify(state.classes), someClasses(state, MOST_CLASSES, 0)];
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
  markLoss(document.getElementById("loss-plot"), n);
}

function updateNumbers(n) {
  const each = (selector, update) => STAGES.querySelectorAll(selector).forEach((one) => update(one, one.dataset));
  each("[data-value]", (one, { value, exact, k }) => {
    const size = valueAt(n[value], k);
    const isLost = value === "p_true" && size <= DATA.constants.rounding && n.finiteLogits; // not 0
    one.textContent = isLost ? "p" : (exact === undefined ? brief : number)(size);
  });
  each("[data-share]", (one, { share, k }) => {
    const [value, max] = [n[share][k], share === "powers" ? strip.full : 1];
    one.style.width = `${Math.min(1, value / max) * 100}%`;
    const slider = one.parentNode.querySelector("input");
    if (slider) Object.assign(slider, { max, value, ariaValueText: brief(value) });
  });
  each(".class", (one, { k }) => one.classList.toggle("is-true", Number(k) === n.label));
  document.getElementById("true-p").dataset.k = n.label;
}

// p of class k, the powers of the other classes staying as they are.
function setP(k, p) {
  const share = Math.max(0, Math.min(p, 0.999));
  setPower(k, (sum(strip.numbers.powers.with(k, 0)) * share) / (1 - share));
}

STAGES.oninput = ({ target }) => {
  strip.dragged = target;
  const [k, value] = [Number(target.dataset.k), target.valueAsNumber];
  if (target.matches(".powers *")) setPower(k, Math.max(value, 0.002 * strip.full));
  else setP(k, value);
};
STAGES.onchange = () => {
  Object.assign(strip, { dragged: null, full: 0 });
  showStrip();
};
STAGES.onkeydown = (event) => {
  const [k, steps] = [Number(event.target.dataset.k), STEPS_OF_KEYS[event.key]];
  if (!steps || !event.target.matches("input")) return;
  event.preventDefault();
  if (event.target.matches(".powers *")) setValue(k, state.values[k] + steps * range.step);
  else setP(k, strip.numbers.probabilities[k] + steps / 100);
};

// The numbers of one kind and class, and the term of the formula that made them.
function highlight(event) {
  const { term, k } = event.target.closest?.("[data-term]")?.dataset ?? {};
  for (const { dataset, classList } of document.querySelectorAll("[data-term]")) {
    const isSameClass = k === undefined || dataset.k === undefined || dataset.k === k;
    classList.toggle("lit", term !== undefined && dataset.term === term && isSameClass);
  }
}
["pointerover", "focusin", "focusout"].forEach((type) => document.addEventListener(type, highlight));
