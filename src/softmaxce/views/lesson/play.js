// Draw, open a picture or use the camera: the model in this page answers.
"use strict";

const { form, layers, patches, ...PLAY } = DATA.play;
const [paper, pen, video, camera] = ["paper", "pen", "video", "camera"].map((id) => document.getElementById(id));
const option = (id) => document.getElementById(id);
const ink = paper.getContext("2d", { willReadFrequently: true });
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
// source: the picture of a file or of the camera; null if what is on the paper counts. at: where the pen
// is, from 0 to 1; isDown: whether the arrow keys draw.
const drawing = { source: null, at: [0.5, 0.5], isDown: false, frame: 0 };

const numbersOf = (text) => new Float32Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
layers.forEach((layer) => Object.assign(layer, { weights: numbersOf(layer.weights), biases: numbersOf(layer.biases) }));
if (patches) Object.assign(patches, { filters: numbersOf(patches.filters), scales: numbersOf(patches.scales) });

// What was done to the picture, and the model's pixels.
function modelPicture() {
  const onPaper = ink.getImageData(0, 0, paper.width, paper.height);
  const picture = option("centre").checked ? centred(onPaper, form) : prepared(drawing.source ?? onPaper, form);
  const inverts = option("dark").checked && picture.data[0] > 127;
  const done = [
    option("centre").checked && say("cropped and centred"),
    say("scaled to {size}").replace("{size}", `${form.width} × ${form.height}`),
    form.channels === 1 && say("converted to grey"),
    inverts && say("inverted"),
  ];
  fill("done", done.filter(Boolean).join(", "));
  return inverts ? { ...picture, data: picture.data.map((value) => 255 - value) } : picture;
}

function paint(canvas, { width, height }, colourAt) {
  const image = new ImageData(width, height);
  for (let at = 0; at < image.data.length; at += 1)
    image.data[at] = at % 4 === 3 ? 255 : colourAt(Math.floor(at / 4), at % 4);
  Object.assign(canvas, { width, height }).getContext("2d").putImageData(image, 0, 0);
}

function answer() {
  drawing.frame = 0;
  const picture = modelPicture();
  const { channels, data } = picture;
  const sums = patches && sumsOf(patches, picture);
  const inputs = Float64Array.from(patches ? featuresOf(patches, sums) : data, (value) => value * (1 / 255));
  const passed = forward(layers, inputs);
  const logits = [...passed.at(-1)];
  const winner = logits.indexOf(maxOf(logits));
  const added = contributionsOf(layers, passed, winner);
  const atPlace = (_, place) => sum(added.subarray(place * channels, (place + 1) * channels));
  const map = patches ? spread(patches, picture, sums, added) : Array.from({ length: data.length / channels }, atPlace);
  const most = maxOf([...map].map(Math.abs)) || 1;
  const colourAt = (place, c) => data[place * channels + (c % channels)];
  document.querySelectorAll(".seen").forEach((canvas) => paint(canvas, picture, colourAt));
  paint(option("added"), picture, (place, c) => {
    const strength = Math.abs(map[place]) / most;
    return PLAY.colours[map[place] < 0 ? 1 : 0][c] * strength + (1 - strength) * (127 + colourAt(place, c) / 2);
  });
  change(Object.assign(initial, state, { logits, values: logits }));
  const { classes } = state;
  fill("added-text", sentence(say("Contributions to class {winner}: orange raises the logit, blue lowers it."), { winner: classes[winner] }));
  if (option("answer").textContent !== classes[winner]) fill("answer", classes[winner]);
  fill("certainty", `p = ${number(strip.numbers.probabilities[winner])}`);
}

const ask = () => (drawing.frame ||= requestAnimationFrame(answer));

// A paper of the picture's shape; with the options of a drawing, or of a picture.
function clear({ width, height }, isDrawing) {
  const scale = PLAY.paper / Math.max(width, height);
  [paper.width, paper.height] = [width, height].map((side) => Math.max(1, Math.round(side * scale)));
  ink.fillStyle = "#fff";
  ink.fillRect(0, 0, paper.width, paper.height);
  ["centre", "dark"].forEach((id) => (option(id).checked = isDrawing && PLAY.is_dark));
  drawing.source = null;
  ask();
}

function pixelsOf(image, width, height) {
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.drawImage(image, 0, 0);
  return context.getImageData(0, 0, width, height);
}

// A picture takes the place of the drawing. shown: the same, as the browser draws it.
function take(source, shown) {
  clear({ width: shown.videoWidth ?? shown.width, height: shown.videoHeight ?? shown.height }, false);
  ink.drawImage(shown, 0, 0, paper.width, paper.height);
  drawing.source = source;
}

async function open(file) {
  try {
    const bytes = new Uint8Array(await file.arrayBuffer());
    const bitmap = await createImageBitmap(file, { colorSpaceConversion: "none" });
    const { width, height, data } = isPng(bytes) ? {} : pixelsOf(bitmap, bitmap.width, bitmap.height);
    const isJpeg = bytes[0] === 0xff;
    take(isPng(bytes) ? await decodePng(bytes) : { width, height, data, isJpeg }, bitmap);
  } catch (error) {
    fill("done", `${say("This picture cannot be read")}: ${error.message}`);
  }
}

// Until the camera is switched off, about seven pictures per second; the last one stays.
async function useCamera() {
  const isOn = camera.ariaPressed === "true";
  camera.ariaPressed = !isOn;
  if (isOn) return video.srcObject?.getTracks().forEach((track) => track.stop());
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    await video.play();
  } catch {
    camera.ariaPressed = false;
    return fill("done", say("The camera cannot be used here"));
  }
  const next = () => {
    if (camera.ariaPressed !== "true") return;
    const { width, height, data } = pixelsOf(video, video.videoWidth, video.videoHeight);
    take({ width, height, data }, video);
    setTimeout(next, 150);
  };
  next();
}

function movePen(to, draws) {
  const [from, [x, y]] = [drawing.at, to.map((one) => Math.max(0, Math.min(one, 1)))];
  Object.assign(drawing, { at: [x, y] });
  Object.assign(pen.style, { left: `${100 * x}%`, top: `${100 * y}%` });
  if (!draws) return;
  const longest = Math.max(paper.width, paper.height);
  Object.assign(ink, { lineCap: "round", lineWidth: (option("width").value * longest) / 100, strokeStyle: option("colour").value });
  ink.beginPath();
  ink.moveTo(from[0] * paper.width, from[1] * paper.height);
  ink.lineTo(x * paper.width + 0.01, y * paper.height);
  ink.stroke();
  drawing.source = null;
  ask();
}

function placeOf({ clientX, clientY }) {
  const { left, top, width, height } = paper.getBoundingClientRect();
  return [(clientX - left) / width, (clientY - top) / height];
}

paper.onpointerdown = (event) => {
  paper.setPointerCapture(event.pointerId);
  movePen(placeOf(event), false);
  movePen(placeOf(event), true);
};
paper.onpointermove = (event) => event.buttons && movePen(placeOf(event), true);
paper.onkeydown = (event) => {
  const step = ARROWS[event.key];
  if (!step && event.key !== " ") return;
  event.preventDefault();
  if (!step) pen.classList.toggle("down", (drawing.isDown = !drawing.isDown));
  movePen(drawing.at.map((one, i) => one + (step ?? [0, 0])[i] / 28), drawing.isDown);
};
document.ondragover = (event) => event.preventDefault();
document.ondrop = (event) => {
  event.preventDefault();
  if (event.dataTransfer.files.length) open(event.dataTransfer.files[0]);
};
option("file").onchange = ({ target }) => target.files.length && open(target.files[0]);
option("clear").onclick = () => clear(form, true);
option("save").onclick = () =>
  element("a", { href: document.querySelector(".seen").toDataURL(), download: "picture.png" }).click();
camera.onclick = useCamera;
["centre", "dark"].forEach((id) => (option(id).onchange = ask));
clear(form, true);
