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

function pictureOf({ source, text }) {
  const image = element("img", { src: source, alt: text });
  return element("figure", { class: "pixels" }, image, element("figcaption", {}, text));
}

// What explains the claim: the sentences; and what shows it: pictures, tables and checks.
const paragraphs = (lines) => lines.map((line) => element("p", {}, line));

function evidence(part, title) {
  const checks = part.checks.map((check, c) => checkOf(check, part.failed?.[c]));
  const list = element("ul", { class: "checks", "aria-label": say("Checks") }, ...checks);
  return [...part.tables.map((table) => tableOf(table, title)), ...(checks.length ? [list] : [])];
}

// The three choices of a question, in increasing order; of two that are written alike, only one.
function choicesOf({ answer, why, wrong }, numbers) {
  const all = [{ answer, why, isRight: true }, ...wrong].map((choice) => ({ ...choice, value: numbers[choice.answer] }));
  const texts = all.map(({ value }) => number(value));
  return all
    .map((choice, c) => ({ ...choice, text: texts[c] }))
    .filter(({ text }, c) => texts.indexOf(text) === c)
    .sort((a, b) => a.value - b.value);
}

// A step's elements, made once. `update` fills them; until its question is answered, the result is hidden.
function makeView({ name, title, mathml, formula, pictures = [], question }) {
  const body = document.getElementById(`body-${name}`);
  const claim = element("p", { class: "claim" });
  const sentences = element("div");
  const explanation = element("details", { open: "" }, element("summary", {}, say("Explanation")), sentences);
  const picture = PICTURES[name]?.(title);
  const shown = element("div");
  const extra = element("div");
  const more = element("details", {}, element("summary", {}, say("More")), extra);
  const message = element("legend");
  const buttons = [0, 1, 2].map(() => element("button", { type: "button" }));
  const reply = element("p", { role: "status" });
  const asked = element("fieldset", { class: "question" }, message, ...buttons, reply);
  const figures = [...pictures.map(pictureOf), ...(picture ? [picture.made] : [])];
  const result = element("div", { class: "result" }, question ? explanation : sentences, ...figures, shown, more);
  body.append(claim, ...(formula ? [formulaOf({ formula, mathml })] : []), ...(question ? [asked] : []), result);
  const view = { name, chosen: null, explanation, ask };
  let numbers = {};

  function ask() {
    if (!question) return;
    const choices = choicesOf(question, numbers);
    message.textContent = sentence(question.message, numbers);
    buttons.forEach((button, c) => {
      button.hidden = !choices[c];
      if (!choices[c]) return;
      const isChosen = choices[c].answer === view.chosen;
      button.textContent = choices[c].text;
      button.className = isChosen ? (choices[c].isRight ? "right" : "wrong") : "";
      button.setAttribute("aria-pressed", isChosen);
      button.onclick = () => {
        view.chosen = choices[c].answer;
        explanation.open = !choices[c].isRight;
        ask();
      };
    });
    const choice = choices.find(({ answer }) => answer === view.chosen);
    const word = choice?.isRight ? say("Right") : say("Not quite");
    const text = choice ? `${word}: ${sentence(choice.why, numbers)}` : "";
    if (reply.textContent !== text) reply.textContent = text;
    body.classList.toggle("asking", asksFirst && view.chosen === null && choices.length > 1);
    asked.hidden = !asksFirst || choices.length < 2;
  }

  view.update = (step, text) => {
    numbers = step.numbers;
    claim.textContent = text.claim;
    sentences.replaceChildren(...paragraphs(text.sentences));
    shown.replaceChildren(...evidence(text, title));
    extra.replaceChildren(...paragraphs(text.more.sentences), ...evidence(text.more, title));
    more.hidden = !extra.hasChildNodes();
    explanation.hidden = !text.sentences.length;
    picture?.update(numbers);
    ask();
  };
  return view;
}

let asksFirst = true;
const VIEWS = [];

function toggleQuestions() {
  asksFirst = !asksFirst;
  VIEWS.forEach((view) => {
    view.chosen = null;
    view.explanation.open = true;
  });
  show();
}

function showMisconceptions() {
  const boxOf = (text) => {
    const parts = [element("p", { class: "claim" }, text.claim), ...paragraphs(text.sentences)];
    const title = element("h3", {}, text.title);
    return element("section", { class: "misconception" }, title, ...parts, ...evidence(text, text.title));
  };
  fill("misconceptions", ...DATA.misconceptions.map(boxOf));
  fill("more-misconceptions", ...DATA.more_misconceptions.map(boxOf));
  document.getElementById("more").hidden = DATA.more_misconceptions.length === 0;
}

function show() {
  const { example, steps } = lesson(state);
  const shown = shownClasses(state);
  if (!VIEWS.length) VIEWS.push(...DATA.steps.map(makeView));
  steps.forEach((step, place) => VIEWS[place].update(step, stepText(step, shown, state.label)));
  fill("ask", asksFirst ? say("Show all results") : say("Ask me first"));
  makeWideBoxesScrollable();
  announce(example);
}

// A table or formula that is wider than its box can be reached with the tab key and scrolled.
function makeWideBoxesScrollable() {
  const boxes = [...document.querySelectorAll(".table, .formula")];
  const wide = boxes.filter((box) => box.scrollWidth > box.clientWidth);
  wide.forEach((box) => {
    box.setAttribute("tabindex", "0");
    if (box.className !== "table") return;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", `${say("Table")}: ${box.querySelector("caption").textContent}`);
  });
}

// What changed, for those who do not see it, when the changes pause.
function announce({ true_class, p_true, loss }) {
  const parts = [say("true class"), true_class, say("its probability"), number(p_true), say("loss"), number(loss)];
  clearTimeout(announce.timer);
  announce.timer = setTimeout(() => fill("announcement", parts.join(" ")), 400);
}
