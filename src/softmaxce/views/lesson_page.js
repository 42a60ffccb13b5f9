// The page: plays the scripts with the reader's numbers and shows the outcome, again at each change.
"use strict";

const DATA = JSON.parse(document.getElementById("data").textContent);
const MOST_CORRECTIONS = 3;
const MAX_ROWS = 12;
const say = (word) => DATA.words[word] ?? word;

// -- playing a script --------------------------------------------------------------------------

function difference(left, right) {
  const pairs = Array.isArray(left) ? left.map((a, k) => [a, right[k]]) : [[left, right]];
  return maxOf(
    pairs.map(([a, b]) => {
      if (a === b) return 0;
      return Number.isFinite(a) && Number.isFinite(b) ? Math.abs(a - b) / Math.max(1, Math.abs(b)) : Infinity;
    }),
  );
}

function prove(claim, numbers) {
  const [left, right, tolerance] = [claim.left, claim.right, claim.tolerance].map((value) =>
    typeof value === "string" ? numbers[value] : value,
  );
  const error = difference(left, right);
  const holds = claim.relation === "<" ? left < right : (claim.relation === "≤" && left <= right) || error <= tolerance;
  if (!holds) console.error(`a proof fails: ${claim.message}`, left, claim.relation, right);
  return { claim: claim.message, left, right, relation: claim.relation, tolerance, error, holds };
}

function play(script, numbers) {
  const holds = (item) => !item.when || Boolean(numbers[item.when]);
  return {
    ...script,
    numbers,
    sentences: script.sentences.filter(holds).map((item) => item.message),
    tables: script.tables.filter(holds),
    proofs: script.claims.filter(holds).map((claim) => prove(claim, numbers)),
  };
}

function lesson(state) {
  const example = makeExample(state);
  const steps = DATA.scripts.map((script) =>
    play(script, script.fixed ?? STEP_NUMBERS[script.name](example)),
  );
  const corrections = DATA.corrections
    .map((script) => play(script, CORRECTION_NUMBERS[script.name](example)))
    .sort((a, b) => b.numbers.fit - a.numbers.fit);
  return { example, steps, corrections };
}

// -- numbers as text, as softmaxce/views/lesson_words.py writes them -----------------------------

const SUPERSCRIPTS = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

function needsPower(size) {
  if (size >= 1e6) return true;
  return size > 0 && size < 1e-3 && Math.abs(size - Number(size.toFixed(4))) > 1e-12;
}

function neededDecimals(value) {
  if (!Number.isFinite(value) || needsPower(Math.abs(value))) return 0;
  if (Math.abs(value - Math.round(value)) <= 1e-12) return 0;
  return value.toFixed(4).replace(/0+$/, "").split(".")[1].length || 4;
}

function number(value, decimals = neededDecimals(value)) {
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (needsPower(Math.abs(value))) {
    const [mantissa, exponent] = value.toExponential(2).split("e");
    const raised = String(Number(exponent)).replace(/[-\d]/g, (digit) => SUPERSCRIPTS[digit]);
    return `${mantissa.replace(/\.?0+$/, "")}×10${raised}`.replace("-", "−");
  }
  return value.toFixed(decimals).replace(/^-/, "−");
}

const sentence = (message, numbers) =>
  message.replace(/\{(\w+)\}/g, (_, name) => {
    const value = numbers[name];
    return typeof value === "number" ? number(value) : String(value);
  });

function cells(column, numbers, rows) {
  const values = rows.map((row) => numbers[column.values][row]);
  if (column.kind === "text") return values;
  if (column.kind === "word") return values.map(say);
  const decimals = Math.max(0, ...values.map(neededDecimals));
  return values.map((value) =>
    column.kind === "power" && !Number.isFinite(value) ? say("too big") : number(value, decimals),
  );
}

function proofText(proof, numbers) {
  const said = sentence(proof.claim, numbers);
  if (Array.isArray(proof.left)) return `${said} (${say("largest difference")}: ${number(proof.error)})`;
  const left = proof.right === 0 && proof.relation === "=" ? proof.right : proof.left;
  return `${said}: ${number(left)} ${proof.relation} ${number(proof.right)}`;
}

function shownClasses({ logits, label }) {
  const all = logits.map((_, k) => k);
  if (all.length <= MAX_ROWS) return all;
  const best = [...all].sort((a, b) => logits[b] - logits[a]).slice(0, 5);
  const kept = new Set([0, 1, all.length - 2, all.length - 1, label, ...best]);
  return [...kept].sort((a, b) => a - b);
}

// -- building the document -----------------------------------------------------------------------

function element(name, attributes = {}, ...children) {
  const svg = ["svg", "rect", "line", "path", "circle", "text"].includes(name);
  const made = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function tableOf(table, step, shown) {
  const length = step.numbers[table.columns[0].values].length;
  const rows = table.per_class ? shown.filter((k) => k < length) : [...Array(length).keys()];
  const isText = (column) => column.kind === "text" || column.kind === "word";
  const side = (column) => (isText(column) ? "words" : "number");
  const head = table.columns.map((c) => element("th", { scope: "col", class: side(c) }, c.heading));
  const texts = table.columns.map((column) => cells(column, step.numbers, rows));
  const body = [];
  rows.forEach((row, place) => {
    const skipped = row - (place ? rows[place - 1] : -1) - 1;
    if (skipped) {
      const more = say("… {n} more").replace("{n}", skipped);
      body.push(element("tr", {}, element("td", { colspan: table.columns.length, class: "more" }, more)));
    }
    const marks = table.per_class && row === state.label ? { class: "true-class" } : {};
    const cellsOfRow = table.columns.map((column, c) =>
      element(c || !isText(column) ? "td" : "th", { class: side(column), ...(c || !isText(column) ? {} : { scope: "row" }) }, texts[c][place]),
    );
    body.push(element("tr", marks, ...cellsOfRow));
  });
  const caption = element("caption", { class: "hidden" }, step.title);
  const made = element("table", {}, caption, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...body));
  return element("div", { class: "table" }, made);
}

function bodyOf(step, shown) {
  const parts = [element("p", { class: "claim" }, sentence(step.claim, step.numbers))];
  if (step.mathml) {
    const formula = element("div", { class: "formula", role: "img", "aria-label": step.formula.plain });
    formula.innerHTML = step.mathml; // the package's own formula, no name from outside
    parts.push(formula);
  }
  parts.push(...step.sentences.map((message) => element("p", {}, sentence(message, step.numbers))));
  for (const picture of step.pictures ?? []) {
    const image = element("img", { src: picture.source, alt: picture.text });
    parts.push(element("figure", { class: "pixels" }, image, element("figcaption", {}, picture.text)));
  }
  if (PICTURES[step.name]) parts.push(PICTURES[step.name](step, shown));
  parts.push(...step.tables.map((table) => tableOf(table, step, shown)));
  const proofs = step.proofs.map((proof) =>
    element(
      "li",
      { class: proof.holds ? "" : "fails" },
      element("span", { "aria-hidden": "true" }, proof.holds ? "✓ " : "✗ "),
      element("span", { class: "hidden" }, `${proof.holds ? say("proved") : say("fails")}: `),
      proofText(proof, step.numbers),
    ),
  );
  if (proofs.length) parts.push(element("ul", { class: "proofs", "aria-label": say("Proofs") }, ...proofs));
  return parts;
}

function show() {
  const { example, steps, corrections } = lesson(state);
  const shown = shownClasses(state);
  steps.forEach((step) => document.getElementById(`body-${step.name}`).replaceChildren(...bodyOf(step, shown)));
  const fitting = DATA.all ? corrections : corrections.slice(0, MOST_CORRECTIONS).filter((c) => c.numbers.fit);
  const boxOf = (step) =>
    element("section", { class: "correction" }, element("h3", {}, step.title), ...bodyOf(step, shown));
  document.getElementById("fitting").replaceChildren(...fitting.map(boxOf));
  document.getElementById("others").replaceChildren(...corrections.filter((c) => !fitting.includes(c)).map(boxOf));
  document.getElementById("more-corrections").hidden = fitting.length === corrections.length;
  letWideOnesBeScrolled();
  showSummary(example);
}

// What is wider than its place can be reached by the tab key and scrolled; nothing else need be.
function letWideOnesBeScrolled() {
  const boxes = [...document.querySelectorAll(".table, .formula")];
  const wide = boxes.map((box) => box.scrollWidth > box.clientWidth);
  boxes.forEach((box, k) => {
    if (!wide[k]) return;
    box.setAttribute("tabindex", "0");
    if (box.className !== "table") return;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", `${say("Table")}: ${box.querySelector("caption").textContent}`);
  });
}

function showSummary(example) {
  const p = number(example.probabilities[example.label]);
  const parts = [
    [say("true class"), example.name(example.label)],
    [say("its probability"), p],
    [say("loss"), number(example.loss)],
  ];
  document.getElementById("summary").replaceChildren(
    ...parts.map(([name, value]) => element("span", {}, `${name} `, element("b", {}, value))),
  );
  clearTimeout(showSummary.timer);
  showSummary.timer = setTimeout(() => {
    document.getElementById("announcement").textContent = parts.map((part) => part.join(" ")).join(", ");
  }, 400);
  for (const [k, output] of probabilityOf) {
    const p = example.probabilities[k];
    output.textContent = p && p < 0.001 ? "<0.001" : number(p);
    output.style.setProperty("--p", p);
  }
}
