// The page: shows the steps for the reader's numbers, again at each change.
"use strict";

const DATA = JSON.parse(document.getElementById("data").textContent);
const SVG_ELEMENTS = ["svg", "rect", "line", "path", "circle", "text"];

function element(name, attributes = {}, ...children) {
  const isSvg = SVG_ELEMENTS.includes(name);
  const made = isSvg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const fill = (id, ...children) => document.getElementById(id).replaceChildren(...children);

function rowOf(row, { headings, is_text }, attributes) {
  if (row.length < headings.length) {
    return element("tr", {}, element("td", { colspan: headings.length, class: "more" }, ...row));
  }
  const cellOf = (text, c) =>
    c === 0 && is_text[c]
      ? element("th", { scope: "row", class: "words" }, text)
      : element("td", { class: is_text[c] ? "words" : "number" }, text);
  return element("tr", attributes, ...row.map(cellOf));
}

function tableOf(table, title) {
  const headings = table.headings.map((heading, c) =>
    element("th", { scope: "col", class: table.is_text[c] ? "words" : "number" }, heading),
  );
  const rows = table.rows.map((row, place) =>
    rowOf(row, table, place === table.marked ? { class: "true-class" } : {}),
  );
  const caption = element("caption", { class: "hidden" }, title);
  const head = element("thead", {}, element("tr", {}, ...headings));
  const made = element("table", {}, caption, head, element("tbody", {}, ...rows));
  return element("div", { class: "table" }, made);
}

function checkOf(text, failed) {
  return element(
    "li",
    { class: failed ? "fails" : "" },
    element("span", { "aria-hidden": "true" }, failed ? "✗ " : "✓ "),
    element("span", { class: "hidden" }, failed ? `${say("failed")}: ` : `${say("passed")}: `),
    text,
  );
}

function formulaOf(step) {
  const formula = element("div", { class: "formula", role: "img", "aria-label": step.formula.plain });
  formula.innerHTML = step.mathml; // the package's own formula: it holds no name from outside
  return formula;
}

function pictureOf({ source, text, large }) {
  const image = element("img", { src: source, alt: text });
  return element("figure", { class: large ? "pixels large" : "pixels" }, image, element("figcaption", {}, text));
}

// The elements of a step or misconception: its text, with `pictures` above the tables.
function bodyOf(text, formulas = [], pictures = []) {
  const checks = text.checks.map((check, c) => checkOf(check, text.failed?.[c]));
  return [
    element("p", { class: "claim" }, text.claim),
    ...formulas,
    ...text.sentences.map((line) => element("p", {}, line)),
    ...pictures,
    ...text.tables.map((table) => tableOf(table, text.title)),
    ...(checks.length ? [element("ul", { class: "checks", "aria-label": say("Checks") }, ...checks)] : []),
  ];
}

function showMisconceptions() {
  const boxOf = (text) =>
    element("section", { class: "misconception" }, element("h3", {}, text.title), ...bodyOf(text));
  fill("misconceptions", ...DATA.misconceptions.map(boxOf));
  fill("more-misconceptions", ...DATA.more_misconceptions.map(boxOf));
  document.getElementById("more").hidden = DATA.more_misconceptions.length === 0;
}

function show() {
  const { example, steps } = lesson(state);
  const shown = shownClasses(state);
  steps.forEach((step) => {
    const pictures = (step.pictures ?? []).map(pictureOf);
    if (PICTURES[step.name]) pictures.push(PICTURES[step.name](step, shown));
    const formulas = step.formula ? [formulaOf(step)] : [];
    fill(`body-${step.name}`, ...bodyOf(stepText(step, shown, state.label), formulas, pictures));
  });
  makeWideBoxesScrollable();
  showSummary(example);
}

// A table or formula that is wider than its box can be reached with the tab key and scrolled.
function makeWideBoxesScrollable() {
  const boxes = [...document.querySelectorAll(".table, .formula")];
  const wide = boxes.filter((box) => box.scrollWidth > box.clientWidth);
  wide.forEach((box, place) => {
    box.setAttribute("tabindex", "0");
    if (box.className !== "table") return;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", `${say("Table")} ${place + 1}: ${box.querySelector("caption").textContent}`);
  });
}

function showSummary(example) {
  const parts = [
    [say("true class"), example.true_class],
    [say("its probability"), number(example.p_true)],
    [say("loss"), number(example.loss)],
  ];
  fill("summary", ...parts.map(([name, value]) => element("span", {}, `${name} `, element("b", {}, value))));
  clearTimeout(showSummary.timer);
  showSummary.timer = setTimeout(() => {
    fill("announcement", parts.map((part) => part.join(" ")).join(", "));
  }, 400);
  for (const [k, output] of probabilityOf) {
    const p = example.probabilities[k];
    output.textContent = p && p < 0.001 ? "<0.001" : number(p);
    output.style.setProperty("--p", p);
  }
}
