// A step's template with its numbers, as softmaxce/lesson/step.py renders it, and its text, as
// softmaxce/views/lesson/formatting.py writes it. A test compares both. Nothing here needs a browser.

const say = (word) => DATA.words[word] ?? word;

function difference(a, b) {
  if (a === b) return 0;
  return Number.isFinite(a) && Number.isFinite(b) ? Math.abs(a - b) / Math.max(1, Math.abs(b)) : Infinity;
}

function carriedOut(check, numbers) {
  const { relation } = check;
  const [left, right, tolerance] = [check.left, check.right, check.tolerance].map((of) => numbers[of] ?? of);
  const error = maxOf([left].flat().map((value, k) => difference(value, [right].flat()[k])));
  const holds = relation === "<" ? left < right : error <= tolerance || (relation === "≤" && left <= right);
  if (!holds) console.error(`a check failed: ${check.message}`, left, relation, right);
  return { ...check, left, right, error, holds };
}

const inOrder = (indices) => [...new Set(indices)].sort((a, b) => a - b);

// At most so many classes: the true one, the five with the highest logits, and n at either end.
function someClasses({ logits, label }, most, n) {
  const all = [...logits.keys()];
  if (all.length <= most) return all;
  const best = all.toSorted((a, b) => logits[b] - logits[a]).slice(0, 5);
  return inOrder([...all.slice(0, n), ...all.slice(all.length - n), ...best, label]);
}

const shownClasses = (state) => someClasses(state, DATA.constants.max_rows, 2);

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
    const power = String(Number(exponent)).replace(/[-\d]/g, (digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit] ?? "⁻");
    return `${mantissa.replace(/\.?0+$/, "")}×10${power}`.replace("-", "−");
  }
  const shown = decimals ?? neededDecimals(value, DATA.constants.decimals + extra);
  return value.toFixed(shown).replace(/^-/, "−").replace(/(?<!\..*)\B(?=(\d{3})+(?!\d))/g, ",");
}

function differ(a, b) {
  const size = Math.max(Math.abs(a), Math.abs(b));
  return a !== b && !(Math.abs(a - b) <= DATA.constants.rounding * size);
}

// How many digits more than usual tell different values apart: rounding errors do not count.
function extraDigits(values) {
  const isNew = (value, i, all) => !i || differ(all[i - 1], value);
  const different = values.toSorted((a, b) => (a < b ? -1 : 1)).filter(isNew);
  const n_written = (extra) => new Set(different.map((value) => number(value, undefined, extra))).size;
  let extra = 0;
  while (extra < DATA.constants.max_extra && n_written(extra) < different.length) extra += 1;
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
  const few = inOrder([0, 1, numbers.label, length - 1]);
  const kept = length > DATA.constants.max_terms ? few : [...vectors[0].keys()];
  const before = (k, at) => (k ? separator : "") + pattern.slice(0, at);
  const filled = (k) =>
    pattern.replace(/\{(\w+)\}/g, (_, name, at) => inserted(valueAt(numbers[name], k), before(k, at)));
  const isAfterGap = (k, place) => k - (kept[place - 1] ?? -1) > 1;
  return kept.flatMap((k, place) => [...(isAfterGap(k, place) ? ["…"] : []), filled(k)]).join(separator);
}

function cells(column, numbers, rows) {
  const values = rows.map((row) => numbers[column.values][row]);
  if (column.kind === "text") return values;
  if (column.kind === "word") return values.map(say);
  const decimals = maxOf([0, ...values.map((value) => neededDecimals(value))]);
  const isTooLarge = (value) => column.kind === "power" && !Number.isFinite(value);
  return values.map((value) => (isTooLarge(value) ? say("too large") : number(value, decimals)));
}

// marked: the place of the true class's row, −1 if there is none.
function tableText({ columns, per_class }, numbers, shown) {
  const { length } = numbers[columns[0].values];
  const kept = per_class && length > DATA.constants.max_rows ? shown : [...Array(length).keys()];
  const texts = columns.map((column) => cells(column, numbers, kept));
  const rows = [];
  let marked = -1;
  kept.forEach((k, place) => {
    const omitted = k - (kept[place - 1] ?? -1) - 1;
    if (omitted) rows.push([say("… {n} more").replace("{n}", omitted)]);
    if (per_class && k === numbers.label) marked = rows.length;
    rows.push(texts.map((column) => column[place]));
  });
  const is_text = columns.map(({ kind }) => kind === "text" || kind === "word");
  return { headings: columns.map(({ heading }) => heading), is_text, rows, marked };
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

// The sentences, tables and checks of a step or of its `more` that its numbers call for.
function partText(part, numbers, shown) {
  const [sentences, tables, all] = [part.sentences, part.tables, part.checks].map((items) =>
    items.filter(({ when }) => !when || numbers[when]),
  );
  const checks = all.map((check) => carriedOut(check, numbers));
  return {
    sentences: sentences.map(({ message }) => sentence(message, numbers)),
    tables: tables.map((table) => tableText(table, numbers, shown)),
    checks: checks.map((check) => checkText(check, numbers)),
    failed: checks.map(({ holds }) => !holds),
  };
}

function lesson(state) {
  const example = makeExample(state);
  const shown = shownClasses(state);
  const steps = DATA.steps.map(({ name, title, claim, fixed, more, ...part }) => {
    const numbers = { ...example, ...STEP_NUMBERS[name]?.(example), ...fixed };
    const [text, rest] = [part, more].map((one) => partText(one, numbers, shown));
    return { name, title, numbers, claim: sentence(claim, numbers), ...text, more: rest };
  });
  return { example, steps };
}
