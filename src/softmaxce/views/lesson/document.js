// The page: shows the steps for the reader's numbers, again at each change.
"use strict";

const DATA = JSON.parse(document.getElementById("data").textContent);
const SVG_ELEMENTS = ["svg", "rect", "line", "path", "circle", "text"];

function element(name, attributes = {}, ...children) {
  const isSvg = SVG_ELEMENTS.includes(name);
  const made = isSvg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  setAll(made, attributes);
  made.append(...children);
  return made;
}

const setAll = (made, attributes) => Object.entries(attributes).forEach((entry) => made.setAttribute(...entry));
const fill = (id, ...children) => document.getElementById(id).replaceChildren(...children);

function tableOf({ headings, is_text, rows, marked }, title) {
  const kind = (c) => (is_text[c] ? "words" : "number");
  const head = headings.map((heading, c) => element("th", { scope: "col", class: kind(c) }, heading));
  const cellOf = (text, c) =>
    c === 0 && is_text[c]
      ? element("th", { scope: "row", class: "words" }, text)
      : element("td", { class: kind(c) }, text);
  const rowOf = (row, place) =>
    row.length < headings.length
      ? element("tr", {}, element("td", { colspan: headings.length, class: "more" }, ...row))
      : element("tr", place === marked ? { class: "true-class" } : {}, ...row.map(cellOf));
  const caption = element("caption", { class: "hidden" }, title);
  const parts = [element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...rows.map(rowOf))];
  return element("div", { class: "table" }, element("table", {}, caption, ...parts));
}

function checkOf(text, failed) {
  const [mark, word] = failed ? ["✗ ", say("failed")] : ["✓ ", say("passed")];
  const marks = [element("span", { "aria-hidden": "true" }, mark), element("span", { class: "hidden" }, `${word}: `)];
  return element("li", { class: failed ? "fails" : "" }, ...marks, text);
}

function pictureOf({ source, text }) {
  const image = element("img", { src: source, alt: text });
  return element("figure", { class: "pixels" }, image, element("figcaption", {}, text));
}

const paragraphs = (lines) => lines.map((line) => element("p", {}, line));

function evidence({ tables, checks, failed = [] }, title) {
  const items = checks.map((check, c) => checkOf(check, failed[c]));
  const list = items.length ? [element("ul", { class: "checks", "aria-label": say("Checks") }, ...items)] : [];
  return [...tables.map((table) => tableOf(table, title)), ...list];
}

// The choices of a question in increasing order; the first is right. Of two that are written alike, the
// second is left out.
function choicesOf({ choices, when }, numbers) {
  if (when && !numbers[when]) return [];
  const all = choices.map((choice, c) => {
    const value = numbers[choice.answer];
    return { ...choice, value, isRight: c === 0, text: number(value) };
  });
  const isNew = ({ text, value }, c) => value !== null && all.findIndex((other) => other.text === text) === c;
  return all.filter(isNew).sort((a, b) => a.value - b.value);
}

// A step's question. It keeps what was chosen, by its name; the result is hidden until then.
function questionOf(question, body) {
  const [asked, explanation] = [".question", ".explanation"].map((name) => body.querySelector(name));
  const [message, ...buttons] = asked.children;
  const reply = buttons.pop();
  const it = { chosen: null, restart() {
    it.chosen = null;
    explanation.open = true;
  } };
  it.update = (numbers) => {
    const choices = choicesOf(question, numbers);
    message.textContent = sentence(question.message, numbers);
    buttons.forEach((button, c) => {
      const { answer, isRight, text } = choices[c] ?? {};
      const isChosen = answer !== undefined && answer === it.chosen;
      const className = isChosen ? (isRight ? "right" : "wrong") : "";
      Object.assign(button, { hidden: !choices[c], textContent: text, className, ariaPressed: isChosen });
      button.onclick = () => {
        it.chosen = answer;
        explanation.open = !isRight;
        it.update(numbers);
      };
    });
    const choice = choices.find(({ answer }) => answer === it.chosen);
    const text = choice ? `${choice.isRight ? say("Right") : say("Not quite")}: ${sentence(choice.why, numbers)}` : "";
    if (reply.textContent !== text) reply.textContent = text;
    asked.hidden = !asksFirst || choices.length < 2;
    body.classList.toggle("asking", !asked.hidden && !choice);
  };
  return it;
}

// What updates the elements of a step, which step.html holds.
function viewOf({ name, title, pictures = [], question }) {
  const body = document.getElementById(`body-${name}`);
  const [claim, explanation, figures, shown, more] = [".claim", ".explanation", ".figures", ".evidence", ".more"].map(
    (kind) => body.querySelector(kind),
  );
  figures.append(...pictures.map(pictureOf));
  const plot = document.getElementById(`plot-${name}`)?.content.firstElementChild;
  if (plot) figures.append(plot);
  const label = `${title}: ${say("the table below holds the same numbers")}`;
  plot?.querySelector("svg").setAttribute("aria-label", label);
  const updatePlot = plot && PLOTS[name](plot);
  const asked = questionOf(question, body);
  const update = (step, text) => {
    claim.textContent = text.claim;
    explanation.lastChild.replaceChildren(...paragraphs(text.sentences));
    shown.replaceChildren(...evidence(text, title));
    more.lastChild.replaceChildren(...paragraphs(text.more.sentences), ...evidence(text.more, title));
    more.hidden = !more.lastChild.hasChildNodes();
    explanation.hidden = !text.sentences.length;
    updatePlot?.(step.numbers);
    asked.update(step.numbers);
  };
  return { asked, update };
}

let asksFirst = true;
let views;

function toggleQuestions() {
  asksFirst = !asksFirst;
  views.forEach(({ asked }) => asked.restart());
  show();
}

function showMisconceptions() {
  const boxOf = (text) => {
    const parts = [element("h3", {}, text.title), element("p", { class: "claim" }, text.claim)];
    const rest = [...paragraphs(text.sentences), ...evidence(text, text.title)];
    return element("section", { class: "misconception" }, ...parts, ...rest);
  };
  fill("misconceptions", ...DATA.misconceptions.map(boxOf));
  fill("more-misconceptions", ...DATA.more_misconceptions.map(boxOf));
  document.getElementById("more").hidden = DATA.more_misconceptions.length === 0;
}

function show() {
  const { example, steps } = lesson(state);
  const shown = shownClasses(state);
  views ??= DATA.steps.map(viewOf);
  steps.forEach((step, place) => views[place].update(step, stepText(step, shown, state.label)));
  fill("ask", asksFirst ? say("Show all results") : say("Ask me first"));
  makeWideBoxesScrollable();
  announce(example);
}

// A table or formula that is wider than its box can be reached with the tab key and scrolled.
function makeWideBoxesScrollable() {
  const boxes = [...document.querySelectorAll(".table, .formula")];
  boxes.filter((one) => one.scrollWidth > one.clientWidth).forEach((one) => {
    one.tabIndex = 0;
    if (one.className !== "table") return;
    const name = `${say("Table")}: ${one.querySelector("caption").textContent}`;
    setAll(one, { role: "region", "aria-label": name });
  });
}

// What changed, for those who do not see it, when the changes pause.
function announce({ true_class, p_true, loss }) {
  const parts = [[say("true class"), true_class], [say("its probability"), number(p_true)], [say("loss"), number(loss)]];
  clearTimeout(announce.timer);
  announce.timer = setTimeout(() => fill("announcement", parts.map((part) => part.join(" ")).join(", ")), 400);
}
