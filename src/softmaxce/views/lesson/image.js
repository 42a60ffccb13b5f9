// The image: the place under the pointer, its values in the vector, what they add to the logits.
// Every number is looked up in the page's data; only indices and sums over channels are computed.
"use strict";

const ARROWS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
const CHANNELS = [say("red"), say("green"), say("blue")];
const N_BESIDE = 4; // values of the vector on either side
const BLACK_ON = 117; // the brightness from which black is easier to read on it than white

const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const percent = (part, whole) => `${(100 * part) / whole}%`;
const decimal = (value) => number(value, value ? DATA.constants.decimals : 0);
const setStyle = (id, style) => Object.assign(document.getElementById(id).style, style);

// onPoint: called with how far to the right and down the pointer is in the element, from 0 to 1.
function followPointer(id, onPoint) {
  const box = document.getElementById(id);
  const follow = ({ clientX, clientY }) => {
    const { left, top, width, height } = box.getBoundingClientRect();
    onPoint((clientX - left) / width, (clientY - top) / height);
  };
  ["pointerdown", "pointermove"].forEach((kind) => box.addEventListener(kind, follow));
}

function exploreImage({ width, height, channels, rows, columns, side, start, ...image }) {
  const pixels = bytesOf(image.pixels);
  const classes = image.classes.map(({ name, contributions }) => {
    const numbers = new DataView(bytesOf(contributions).buffer);
    return { name, at: (index) => numbers.getFloat64(8 * index, true) };
  });
  const isColoured = channels > 1 && classes.length > 0;
  let [row, column] = start;

  function moveTo(...place) {
    [row, column] = [rows, columns].map((n, axis) => Math.max(0, Math.min(Math.floor(place[axis]), n - 1)));
    const frame = { left: percent(column, width), top: percent(row, height) };
    setStyle("cursor", { ...frame, width: percent(side, width), height: percent(side, height) });
    const indices = CHANNELS.slice(0, channels).map((_, c) => (row * columns + column) * channels + c);
    showPlace(indices);
    if (pixels.length) showVector(indices);
  }

  function showPlace(indices) {
    const columnOf = (heading, values, total = "") => ({ heading, values, total });
    const table = classes.map(({ name, at }) => {
      const [heading, added] = [sentence(say("adds to {name}"), { name }), indices.map(at)];
      return columnOf(heading, added.map(decimal), decimal(sum(added)));
    });
    if (pixels.length) table.unshift(columnOf(say("brightness"), indices.map((index) => pixels[index])));
    if (pixels.length) table.unshift(columnOf(say("index"), indices));
    if (isColoured) table.unshift(columnOf(say("channel"), CHANNELS, say("sum")));
    const lines = indices.map((_, channel) => table.map(({ values }) => values[channel]));
    if (isColoured) lines.push(table.map(({ total }) => total));
    const [headings, is_text] = [table.map((c) => c.heading), table.map((c) => c.values === CHANNELS)];
    fill("place", tableOf({ headings, is_text, rows: lines }, sentence(image.title, { row, column, side })));
  }

  // The rows of the image lie end to end in the vector. Marked: the row, the index, the values.
  function showVector(indices) {
    setStyle("image-row", { top: percent(row, rows), height: percent(1, rows) });
    setStyle("vector-row", { left: percent(row, rows), width: percent(1, rows) });
    setStyle("mark", { left: percent(indices[0], pixels.length) });
    const around = Array.from({ length: channels + 2 * N_BESIDE }, (_, i) => indices[0] - N_BESIDE + i);
    fill("cells", ...around.map((index) => {
      const value = pixels[index] ?? ""; // none before the first and after the last
      const cell = element("span", { class: indices.includes(index) ? "here" : "" }, value);
      const color = value < BLACK_ON ? "white" : "black";
      if (value !== "") Object.assign(cell.style, { background: `rgb(${value} ${value} ${value})`, color });
      return cell;
    }));
    fill("index", `${say("index")} = (${row} · ${columns} + ${column}) · ${channels} + 0 = ${indices[0]}`);
  }

  document.getElementById("blend").addEventListener("input", ({ target }) => {
    setStyle("picture", { opacity: 2 - target.value });
    setStyle("overlay", { opacity: target.value });
  });
  setStyle("view", { width: `${22 * Math.min(1, width / height)}rem` });
  followPointer("view", (x, y) => moveTo(y * height - (side - 1) / 2, x * width - (side - 1) / 2));
  followPointer("vector", (x) => moveTo(x * rows, ((x * rows) % 1) * columns));
  document.getElementById("view").addEventListener("keydown", (event) => {
    const [down, right] = (ARROWS[event.key] ?? []).map((step) => step * (event.shiftKey ? 10 : 1));
    if (down === undefined) return;
    event.preventDefault();
    moveTo(row + down, column + right);
  });
  moveTo(...start);
}

if (DATA.image) exploreImage(DATA.image);
