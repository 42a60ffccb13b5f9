// The page: shows the steps for the reader's numbers, again at each change.

const DATA = JSON.parse(document.getElementById("data").textContent);
const setAll = (made, attributes) => Object.entries(attributes).forEach((each) => made.setAttribute(...each));

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  setAll(made, attributes);
  made.append(...children);
  return made;
}

// A copy of the element in a template, with more children.
function copyOf(template, ...children) {
  const made = template.content.firstElementChild.cloneNode(true);
  made.append(...children);
  return made;
}

const fill = (id, ...children) => document.getElementById(id).replaceChildren(...children);

function tableOf({ headings, is_text, rows, marked }, title) {
  const kind = (c) => (is_text[c] ? "words" : "number");
  const head = headings.map((heading, c) => element("th", { scope: "col", class: kind(c) }, heading));
  const cellOf = (text, c) => element(is_text[c] ? "th" : "td", { class: kind(c) }, text);
  const rowOf = (row, place) => {
    const gap = { colspan: headings.length, class: "more" };
    const cells = row.length < headings.length ? [element("td", gap, ...row)] : row.map(cellOf);
    return element("tr", { class: place === marked ? "true-class" : "" }, ...cells);
  };
  const caption = element("caption", { class: "hidden" }, title);
  const parts = [element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...rows.map(rowOf))];
  const box = { class: "table", role: "group", "aria-label": title };
  return element("div", box, element("table", {}, caption, ...parts));
}

const paragraphs = (lines) => lines.map((line) => element("p", {}, line));

function evidence({ tables, checks, failed = [] }, title) {
  const mark = (c) => document.getElementById(failed[c] ? "failed" : "passed");
  const items = checks.map((check, c) => copyOf(mark(c), check));
  const list = element("ul", { class: "checks", "aria-label": say("Checks") }, ...items);
  return [...tables.map((table) => tableOf(table, title)), ...(items.length ? [list] : [])];
}

// The choices of a question in increasing order; of two that are written alike, the first in the data,
// where the right one is at the top.
function choicesOf({ choices, when }, numbers) {
  if (when && !numbers[when]) return [];
  const all = choices.map((choice) => ({ ...choice, value: numbers[choice.answer] }));
  const texts = all.map(({ value }) => number(value));
  const kept = all.filter(({ value }, c) => value !== null && texts.indexOf(texts[c]) === c);
  return kept.sort((a, b) => a.value - b.value);
}

// What updates a step's question. The result is hidden until something is chosen.
function questionOf(question, body) {
  const [asked, explanation] = [".question", ".explanation"].map((name) => body.querySelector(name));
  const [message, reply] = [asked.firstChild, asked.lastChild];
  return (numbers) => {
    const choices = choicesOf(question, numbers);
    const chosen = choices.find(({ answer }) => answer === body.dataset.chosen);
    message.textContent = sentence(question.message, numbers);
    asked.querySelectorAll("button").forEach((button, c) => {
      const { answer, mark, value = 0 } = choices[c] ?? {};
      const isChosen = Boolean(chosen) && choices[c] === chosen;
      const className = isChosen ? mark : "";
      Object.assign(button, { hidden: !choices[c], textContent: number(value), ariaPressed: isChosen, className });
      button.onclick = () => {
        body.dataset.chosen = answer;
        explanation.open = mark === "wrong";
        show();
      };
    });
    const text = chosen ? sentence(chosen.reply, numbers) : "";
    if (reply.textContent !== text) reply.textContent = text;
    asked.hidden = !document.body.matches(".asks") || choices.length < 2;
    body.classList.toggle("asking", !asked.hidden && !chosen);
  };
}

// What updates the elements of a step, which step.html holds.
function viewOf({ name, title, question }) {
  const body = document.getElementById(`body-${name}`);
  const find = (kind) => body.querySelector(`.${kind}`);
  const [explanation, more] = [find("explanation"), find("more")];
  const updates = [questionOf(question, body), PLOTS[name]?.(find("figures"))];
  return (step) => {
    find("claim").textContent = step.claim;
    explanation.lastChild.replaceChildren(...paragraphs(step.sentences));
    find("evidence").replaceChildren(...evidence(step, title));
    more.lastChild.replaceChildren(...paragraphs(step.more.sentences), ...evidence(step.more, title));
    updates.forEach((update) => update?.(step.numbers));
  };
}

function toggleQuestions() {
  document.body.classList.toggle("asks");
  document.querySelectorAll("[data-chosen]").forEach((body) => delete body.dataset.chosen);
  document.querySelectorAll(".explanation").forEach((explanation) => (explanation.open = true));
  show();
}

function misconceptionOf(text) {
  const head = [element("h3", {}, text.title), element("p", { class: "claim" }, text.claim)];
  const parts = [...head, ...paragraphs(text.sentences), ...evidence(text, text.title)];
  return element("section", { class: "misconception" }, ...parts);
}

function show() {
  const { example, steps } = lesson(state);
  steps.forEach((step, place) => VIEWS[place](step));
  makeWideBoxesScrollable();
  document.getElementById("link").href = `#${new URLSearchParams(new FormData(document.forms.controls))}`;
  announce(example);
}

// A table or formula that is wider than its box can be reached with the tab key and scrolled.
function makeWideBoxesScrollable() {
  for (const box of document.querySelectorAll(".table, .formula"))
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
}

const VIEWS = DATA.steps.map(viewOf);
document.addEventListener("toggle", makeWideBoxesScrollable, true);
window.addEventListener("resize", makeWideBoxesScrollable);

// What changed, for those who do not see it, when the changes pause.
function announce(example) {
  const text = sentence(say("true class {true_class}, its probability {p_true}, loss {loss}"), example);
  clearTimeout(announce.timer);
  announce.timer = setTimeout(() => fill("announcement", text), 400);
}
