// The image: the place under the pointer, its values in the vector, what they add to the logits.
// Every number is looked up in the page's data; only indices and sums over channels are computed.

const ARROWS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
const CHANNELS = [say("red"), say("green"), say("blue")];
const N_BESIDE = 4; // values of the vector on either side

const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const decimal = (value) => number(value, value ? DATA.constants.decimals : 0);

// Numbers from which page.css computes what lies where.
function setStyle(numbers) {
  const { style } = document.getElementById("explorer");
  Object.entries(numbers).forEach(([name, value]) => style.setProperty(`--${name}`, value));
}

// onPoint: called with how far to the right and down the pointer is in the element, from 0 to 1.
function followPointer(id, onPoint) {
  const box = document.getElementById(id);
  const follow = ({ offsetX, offsetY }) => onPoint(offsetX / box.clientWidth, offsetY / box.clientHeight);
  Object.assign(box, { onpointerdown: follow, onpointermove: follow });
}

function exploreImage({ width, height, channels, rows, columns, side, start, ...image }) {
  const pixels = bytesOf(image.pixels);
  const numbersOf = (text) => new Float64Array(bytesOf(text).buffer);
  const classes = image.classes.map((one) => ({ ...one, contributions: numbersOf(one.contributions) }));
  const isColoured = channels > 1 && classes.length > 0;
  let [row, column] = start;

  function moveTo(...place) {
    [row, column] = [rows, columns].map((n, axis) => Math.max(0, Math.min(Math.floor(place[axis]), n - 1)));
    const indices = CHANNELS.slice(0, channels).map((_, c) => (row * columns + column) * channels + c);
    setStyle({ row, column, mark: indices[0] / pixels.length });
    showPlace(indices);
    if (pixels.length) showVector(indices);
  }

  function showPlace(indices) {
    const table = classes.map(({ name, contributions }) => {
      const added = indices.map((index) => contributions[index]);
      return [sentence(say("adds to {name}"), { name }), ...[...added, sum(added)].map(decimal)];
    });
    const brightness = [say("brightness"), ...indices.map((index) => pixels[index]), ""];
    if (pixels.length) table.unshift([say("index"), ...indices, ""], brightness);
    if (isColoured) table.unshift([say("channel"), ...CHANNELS, say("sum")]);
    const length = 1 + indices.length + isColoured; // with the headings and, if there are names, the sums
    const [headings, ...rows] = Array.from({ length }, (_, line) => table.map((column) => column[line]));
    const is_text = headings.map((heading) => heading === say("channel"));
    fill("place", tableOf({ headings, is_text, rows }, sentence(image.title, { row, column, side })));
  }

  // The values beside the place in the vector, in which the rows of the image lie end to end.
  function showVector(indices) {
    const around = Array.from({ length: channels + 2 * N_BESIDE }, (_, i) => indices[0] - N_BESIDE + i);
    fill("cells", ...around.map((index) => {
      const value = pixels[index] ?? ""; // none before the first and after the last
      const cell = element("span", { class: indices.includes(index) ? "here" : "" }, value);
      cell.style.setProperty("--grey", value);
      return cell;
    }));
    fill("index", `${say("index")} = (${row} · ${columns} + ${column}) · ${channels} + 0 = ${indices[0]}`);
  }

  document.getElementById("blend").oninput = ({ target }) => setStyle({ blend: target.value });
  setStyle({ width, height, rows, side, blend: 0 });
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
