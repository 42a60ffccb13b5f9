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

function formulaOf({ plain }, mathml) {
  const made = element("div", { class: "formula", role: "img", "aria-label": plain });
  made.innerHTML = mathml; // the package's own formula: it holds no name from outside
  return made;
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

const box = (title, content) => element("details", {}, element("summary", {}, title), content);

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

// A question that keeps what was chosen, by its name. onChoice(isRight) is called after a choice.
function makeQuestion(question, onChoice) {
  const message = element("legend");
  const buttons = [0, 1, 2].map(() => element("button", { type: "button" }));
  const reply = element("p", { role: "status" });
  const made = element("fieldset", { class: "question" }, message, ...buttons, reply);
  const asked = { made, chosen: null, isOpen: true };
  asked.update = (numbers) => {
    const choices = choicesOf(question, numbers);
    message.textContent = sentence(question.message, numbers);
    buttons.forEach((button, c) => {
      const { answer, isRight, text } = choices[c] ?? {};
      const isChosen = answer !== undefined && answer === asked.chosen;
      Object.assign(button, { hidden: !choices[c], textContent: text });
      button.className = isChosen ? (isRight ? "right" : "wrong") : "";
      button.setAttribute("aria-pressed", isChosen);
      button.onclick = () => {
        asked.chosen = answer;
        asked.update(numbers);
        onChoice(isRight);
      };
    });
    const choice = choices.find(({ answer }) => answer === asked.chosen);
    const word = choice?.isRight ? say("Right") : say("Not quite");
    const text = choice ? `${word}: ${sentence(choice.why, numbers)}` : "";
    if (reply.textContent !== text) reply.textContent = text;
    made.hidden = !asksFirst || choices.length < 2;
    made.parentNode.classList.toggle("asking", !made.hidden && asked.chosen === null);
  };
  return asked;
}

// The elements of a step, made once. The result is hidden until its question is answered.
function makeView({ name, title, mathml, formula, pictures = [], question }) {
  const body = document.getElementById(`body-${name}`);
  const claim = element("p", { class: "claim" });
  const [sentences, shown, extra] = [0, 1, 2].map(() => element("div"));
  const [explanation, more] = [box(say("Explanation"), sentences), box(say("More"), extra)];
  const plot = PICTURES[name]?.(title);
  const asked = question && makeQuestion(question, (isRight) => (explanation.open = !isRight));
  const figures = [...pictures.map(pictureOf), ...(plot ? [plot.made] : [])];
  const result = element("div", { class: "result" }, asked ? explanation : sentences, ...figures, shown, more);
  body.append(claim, ...(formula ? [formulaOf(formula, mathml)] : []), ...(asked ? [asked.made] : []), result);
  const update = (step, text) => {
    claim.textContent = text.claim;
    sentences.replaceChildren(...paragraphs(text.sentences));
    shown.replaceChildren(...evidence(text, title));
    extra.replaceChildren(...paragraphs(text.more.sentences), ...evidence(text.more, title));
    more.hidden = !extra.hasChildNodes();
    explanation.hidden = !sentences.hasChildNodes();
    plot?.update(step.numbers);
    asked?.update(step.numbers);
  };
  explanation.open = true;
  return { asked, explanation, update };
}

let asksFirst = true;
let views;

function toggleQuestions() {
  asksFirst = !asksFirst;
  views.filter(({ asked }) => asked).forEach(({ asked, explanation }) => {
    asked.chosen = null;
    explanation.open = true;
  });
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
  views ??= DATA.steps.map(makeView);
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
