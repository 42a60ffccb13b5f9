// The page: shows the steps for the reader's numbers, again at each change.
"use strict";

const DATA = JSON.parse(document.getElementById("data").textContent);
const NAMESPACES = { line: "http://www.w3.org/2000/svg", circle: "http://www.w3.org/2000/svg" };
const setAll = (made, attributes) => Object.entries(attributes).forEach((each) => made.setAttribute(...each));

function element(name, attributes = {}, ...children) {
  const made = document.createElementNS(NAMESPACES[name] ?? "http://www.w3.org/1999/xhtml", name);
  setAll(made, attributes);
  made.append(...children);
  return made;
}

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
  const spoken = element("span", { class: "hidden" }, `${word}: `);
  const drawn = element("span", { "aria-hidden": "true" }, mark);
  return element("li", { class: failed ? "fails" : "" }, drawn, spoken, text);
}

function pictureOf({ source, text, large }) {
  const image = element("img", { src: source, alt: text });
  return element("figure", { class: large ? "pixels large" : "pixels" }, image, element("figcaption", {}, text));
}

const paragraphs = (lines) => lines.map((line) => element("p", {}, line));

function evidence({ tables, checks, failed = [] }, title) {
  const items = checks.map((check, c) => checkOf(check, failed[c]));
  const list = element("ul", { class: "checks", "aria-label": say("Checks") }, ...items);
  return [...tables.map((table) => tableOf(table, title)), ...(items.length ? [list] : [])];
}

// The choices of a question in increasing order; of two that are written alike, the first in the data,
// where the right one is at the top.
function choicesOf({ choices, when }, numbers) {
  if (when && !numbers[when]) return [];
  const values = choices.map(({ answer }) => numbers[answer]);
  const texts = values.map((value) => number(value));
  const all = choices.map((choice, c) => ({ ...choice, c, isRight: c === 0, text: texts[c] }));
  const kept = all.filter(({ c, text }) => values[c] !== null && texts.indexOf(text) === c);
  return kept.sort((a, b) => values[a.c] - values[b.c]);
}

// What updates a step's question. The result is hidden until something is chosen.
function questionOf(question, body) {
  const [asked, explanation] = [".question", ".explanation"].map((name) => body.querySelector(name));
  const [message, reply] = [asked.firstChild, asked.lastChild];
  return (numbers) => {
    const choices = choicesOf(question, numbers);
    message.textContent = sentence(question.message, numbers);
    asked.querySelectorAll("button").forEach((button, c) => {
      const { answer, isRight, text } = choices[c] ?? {};
      const isChosen = Boolean(choices[c]) && answer === body.dataset.chosen;
      button.className = isChosen ? (isRight ? "right" : "wrong") : "";
      Object.assign(button, { hidden: !choices[c], textContent: text, ariaPressed: isChosen });
      button.onclick = () => {
        body.dataset.chosen = answer;
        explanation.open = !isRight;
        show();
      };
    });
    const { isRight, why } = choices.find(({ answer }) => answer === body.dataset.chosen) ?? {};
    const text = why ? `${isRight ? say("Right") : say("Not quite")}: ${sentence(why, numbers)}` : "";
    if (reply.textContent !== text) reply.textContent = text;
    asked.hidden = !asksFirst || choices.length < 2;
    body.classList.toggle("asking", !asked.hidden && !why);
  };
}

// What updates the elements of a step, which step.html holds.
function viewOf({ name, title, pictures = [], question }) {
  const body = document.getElementById(`body-${name}`);
  const find = (kind) => body.querySelector(`.${kind}`);
  const [explanation, more] = [find("explanation"), find("more")];
  find("figures").append(...pictures.map(pictureOf));
  const plot = document.getElementById(`plot-${name}`)?.content.firstElementChild;
  if (plot) find("figures").append(plot);
  const updates = [questionOf(question, body), ...(plot ? [PLOTS[name](plot)] : [])];
  return (step) => {
    find("claim").textContent = step.claim;
    explanation.lastChild.replaceChildren(...paragraphs(step.sentences));
    find("evidence").replaceChildren(...evidence(step, title));
    more.lastChild.replaceChildren(...paragraphs(step.more.sentences), ...evidence(step.more, title));
    more.hidden = !more.lastChild.hasChildNodes();
    explanation.hidden = !step.sentences.length;
    updates.forEach((update) => update(step.numbers));
  };
}

let asksFirst = true;
let views;

function toggleQuestions() {
  asksFirst = !asksFirst;
  document.querySelectorAll("[data-chosen]").forEach((body) => delete body.dataset.chosen);
  document.querySelectorAll(".explanation").forEach((explanation) => (explanation.open = true));
  show();
}

function showMisconceptions() {
  const boxOf = (text) => {
    const head = [element("h3", {}, text.title), element("p", { class: "claim" }, text.claim)];
    const parts = [...head, ...paragraphs(text.sentences), ...evidence(text, text.title)];
    return element("section", { class: "misconception" }, ...parts);
  };
  fill("misconceptions", ...DATA.misconceptions.map(boxOf));
  fill("more-misconceptions", ...DATA.more_misconceptions.map(boxOf));
  document.getElementById("more").hidden = DATA.more_misconceptions.length === 0;
}

function show() {
  const { example, steps } = lesson(state);
  document.body.classList.toggle("asks", asksFirst); // then the strip, which answers, does not stay
  views ??= DATA.steps.map(viewOf);
  steps.forEach((step, place) => views[place](step));
  fill("ask", asksFirst ? say("Show all results") : say("Ask me first"));
  makeWideBoxesScrollable();
  announce(example);
}

// A table or formula that is wider than its box can be reached with the tab key and scrolled.
function makeWideBoxesScrollable() {
  for (const [place, box] of document.querySelectorAll(".table, .formula").entries()) {
    if (box.scrollWidth <= box.clientWidth) continue;
    box.tabIndex = 0;
    const name = `${say("Table")} ${place + 1}: ${box.querySelector("caption")?.textContent}`;
    if (box.className === "table") setAll(box, { role: "region", "aria-label": name });
  }
}

document.addEventListener("toggle", makeWideBoxesScrollable, true);
window.addEventListener("resize", makeWideBoxesScrollable);

// What changed, for those who do not see it, when the changes pause.
function announce({ true_class, p_true, loss }) {
  const parts = [[say("true class"), true_class], [say("its probability"), number(p_true)]];
  const text = [...parts, [say("loss"), number(loss)]].map((part) => part.join(" ")).join(", ");
  clearTimeout(announce.timer);
  announce.timer = setTimeout(() => fill("announcement", text), 400);
}
