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
  const { relation } = check;
  const holds = relation === "<" ? left < right : error <= tolerance || (relation === "≤" && left <= right);
  if (!holds) console.error(`a check failed: ${check.message}`, left, relation, right);
  return { ...check, left, right, error, holds };
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
  const numbersOf = ({ name, fixed }) => ({ ...example, ...STEP_NUMBERS[name]?.(example), ...fixed });
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

function neededDecimals(value, most = DATA.constants.decimals) {
  if (!Number.isFinite(value) || needsPower(Math.abs(value))) return 0;
  if (Math.abs(value - Math.round(value)) <= DATA.constants.rounding) return 0;
  return value.toFixed(most).replace(/0+$/, "").split(".")[1].length || most;
}

function number(value, decimals, extra = 0) {
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (Math.abs(value) <= DATA.constants.rounding) return (0).toFixed(decimals);
  if (needsPower(Math.abs(value))) {
    const [mantissa, exponent] = value.toExponential(2 + extra).split("e");
    const raised = String(Number(exponent)).replace(/[-\d]/g, (digit) => SUPERSCRIPTS[digit]);
    return `${mantissa.replace(/\.?0+$/, "")}×10${raised}`.replace("-", "−");
  }
  const shown = decimals ?? neededDecimals(value, DATA.constants.decimals + extra);
  return value.toFixed(shown).replace(/^-/, "−").replace(/(?<!\..*)\B(?=(\d{3})+(?!\d))/g, ",");
}

const differ = (a, b) => a !== b && !(Math.abs(a - b) <= DATA.constants.rounding * Math.max(Math.abs(a), Math.abs(b)));

// How many digits more than usual tell different values apart: rounding errors do not count.
function extraDigits(values) {
  const different = [];
  for (const value of [...values].sort((a, b) => (a < b ? -1 : 1))) {
    if (!different.length || differ(different.at(-1), value)) different.push(value);
  }
  const tellApart = (extra) => new Set(different.map((v) => number(v, undefined, extra))).size === different.length;
  let extra = 0;
  while (extra < DATA.constants.max_extra && !tellApart(extra)) extra += 1;
  return extra;
}

const namesIn = (message) => [...message.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);

// A value in a sentence: a negative number that follows a plus sign is in brackets.
function inserted(value, before, extra) {
  if (typeof value !== "number") return String(value);
  const text = number(value, undefined, extra);
  return text.startsWith("−") && before.endsWith("+ ") ? `(${text})` : text;
}

// A message with its {names} filled in, and <<…|separator>> repeated for each class, or a few of many.
function sentence(message, numbers) {
  const single = namesIn(message.replace(/<<.+?>>/g, "")).map((name) => numbers[name]);
  const extra = extraDigits(single.filter((value) => typeof value === "number"));
  return message.replace(/<<(.+?)\|(, | \+ )>>|\{(\w+)\}/g, (_, pattern, separator, name, at) =>
    pattern ? repeated(pattern, separator, numbers) : inserted(numbers[name], message.slice(0, at), extra),
  );
}

function repeated(pattern, separator, numbers) {
  const vectors = namesIn(pattern).map((name) => numbers[name]).filter(Array.isArray);
  const length = maxOf(vectors.map((vector) => vector.length));
  const few = [...new Set([0, 1, numbers.label, length - 1])].sort((a, b) => a - b);
  const kept = length > DATA.constants.max_terms ? few : [...vectors[0].keys()];
  const filled = (k) =>
    pattern.replace(/\{(\w+)\}/g, (_, name, at) => {
      const value = Array.isArray(numbers[name]) ? numbers[name][k] : numbers[name];
      return inserted(value, (k ? separator : "") + pattern.slice(0, at));
    });
  const parts = kept.map((k, place) => (k - (kept[place - 1] ?? -1) > 1 ? `…${separator}${filled(k)}` : filled(k)));
  return parts.join(separator);
}

function cells(column, numbers, rows) {
  const values = rows.map((row) => numbers[column.values][row]);
  if (column.kind === "text") return values;
  if (column.kind === "word") return values.map(say);
  const decimals = maxOf([0, ...values.map((value) => neededDecimals(value))]);
  return values.map((value) =>
    column.kind === "power" && !Number.isFinite(value) ? say("too large") : number(value, decimals),
  );
}

// marked: the place of the true class's row, −1 if there is none.
function tableText(table, numbers, shown, label) {
  const { columns } = table;
  const length = numbers[columns[0].values].length;
  const kept = table.per_class && length > DATA.constants.max_rows ? shown : [...Array(length).keys()];
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

function isRounded(value) {
  const shown = needsPower(Math.abs(value)) ? value.toExponential(2) : value.toFixed(DATA.constants.decimals);
  return differ(Number(shown), value);
}

function checkText({ message, left, right, relation, error, written }, numbers) {
  const start = sentence(message, numbers);
  if (Array.isArray(left)) return `${start} (${say("largest difference")}: ${number(error)})`;
  if (written) {
    const values = [...namesIn(written).map((name) => numbers[name]), right].flat();
    return `${start}: ${sentence(written, numbers)} ${values.some(isRounded) ? "≈" : "="} ${number(right)}`;
  }
  const shown = relation === "=" || (relation === "≤" && left > right) ? right : left; // but for rounding
  const extra = extraDigits([shown, right]);
  return `${start}: ${number(shown, undefined, extra)} ${relation} ${number(right, undefined, extra)}`;
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
