// A step's template with its numbers, as softmaxce/lesson/step.py renders it, and its text, as
// softmaxce/views/lesson/formatting.py writes it. A test compares both. Nothing here needs a browser.
"use strict";

const say = (word) => DATA.words[word] ?? word;

function difference(left, right) {
  const pairs = Array.isArray(left) ? left.map((a, k) => [a, right[k]]) : [[left, right]];
  const differences = pairs.map(([a, b]) => {
    if (a === b) return 0;
    if (!Number.isFinite(a) || !Number.isFinite(b)) return Infinity;
    return Math.abs(a - b) / Math.max(1, Math.abs(b));
  });
  return maxOf(differences);
}

function carriedOut(check, numbers) {
  const [left, right, tolerance] = [check.left, check.right, check.tolerance].map((value) =>
    typeof value === "string" ? numbers[value] : value,
  );
  const error = difference(left, right);
  const { message, relation } = check;
  const holds = relation === "<" ? left < right : error <= tolerance || (relation === "≤" && left <= right);
  if (!holds) console.error(`a check failed: ${message}`, left, relation, right);
  return { message, left, right, relation, error, holds };
}

function render(template, numbers) {
  const applies = (part) => !part.when || Boolean(numbers[part.when]);
  const partOf = ({ sentences, tables, checks }) => ({
    sentences: sentences.filter(applies).map((part) => part.message),
    tables: tables.filter(applies),
    checks: checks.filter(applies).map((check) => carriedOut(check, numbers)),
  });
  return { ...template, numbers, ...partOf(template), more: partOf(template.more) };
}

function lesson(state) {
  const example = makeExample(state);
  const numbersOf = (template) => template.fixed ?? STEP_NUMBERS[template.name](example);
  return { example, steps: DATA.steps.map((template) => render(template, numbersOf(template))) };
}

function shownClasses({ logits, label }) {
  const all = logits.map((_, k) => k);
  if (all.length <= DATA.constants.max_rows) return all;
  const best = [...all].sort((a, b) => logits[b] - logits[a]).slice(0, 5);
  const kept = new Set([0, 1, all.length - 2, all.length - 1, label, ...best]);
  return [...kept].sort((a, b) => a - b);
}

// -- text --------------------------------------------------------------------------------------

const SUPERSCRIPTS = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

function needsPower(size) {
  const { largest_plain, smallest_plain, decimals, rounding } = DATA.constants;
  if (size >= largest_plain) return true;
  return size > 0 && size < smallest_plain && Math.abs(size - Number(size.toFixed(decimals))) > rounding;
}

function neededDecimals(value) {
  const { decimals, rounding } = DATA.constants;
  if (!Number.isFinite(value) || needsPower(Math.abs(value))) return 0;
  if (Math.abs(value - Math.round(value)) <= rounding) return 0;
  return value.toFixed(decimals).replace(/0+$/, "").split(".")[1].length || decimals;
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
  const decimals = maxOf([0, ...values.map(neededDecimals)]);
  return values.map((value) =>
    column.kind === "power" && !Number.isFinite(value) ? say("too large") : number(value, decimals),
  );
}

// marked: the place of the true class's row, −1 if there is none.
function tableText(table, numbers, shown, label) {
  const { columns } = table;
  const length = numbers[columns[0].values].length;
  const kept = table.per_class ? shown.filter((k) => k < length) : [...Array(length).keys()];
  const texts = columns.map((column) => cells(column, numbers, kept));
  const rows = [];
  let marked = -1;
  kept.forEach((k, place) => {
    const omitted = k - (kept[place - 1] ?? -1) - 1;
    if (omitted) rows.push([say("… {n} more").replace("{n}", omitted)]);
    if (table.per_class && k === label) marked = rows.length;
    rows.push(texts.map((column) => column[place]));
  });
  const isText = (column) => column.kind === "text" || column.kind === "word";
  return { headings: columns.map((column) => column.heading), is_text: columns.map(isText), rows, marked };
}

function checkText(check, numbers) {
  const message = sentence(check.message, numbers);
  if (Array.isArray(check.left)) return `${message} (${say("largest difference")}: ${number(check.error)})`;
  const left = check.right === 0 && check.relation === "=" ? check.right : check.left;
  return `${message}: ${number(left)} ${check.relation} ${number(check.right)}`;
}

function stepText(step, shown, label) {
  const { numbers } = step;
  const partOf = ({ sentences, tables, checks }) => ({
    sentences: sentences.map((message) => sentence(message, numbers)),
    tables: tables.map((table) => tableText(table, numbers, shown, label)),
    checks: checks.map((check) => checkText(check, numbers)),
    failed: checks.map((check) => !check.holds),
  });
  return { title: step.title, claim: sentence(step.claim, numbers), ...partOf(step), more: partOf(step.more) };
}
