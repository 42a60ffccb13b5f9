// Draw, open a picture or use the camera: the model in this page answers.
"use strict";

const { form, ...PLAY } = DATA.play;
const byId = (id) => document.getElementById(id);
const [paper, pen, video, camera] = ["paper", "pen", "video", "camera"].map(byId);
const ink = paper.getContext("2d", { willReadFrequently: true });
// source: the picture of a file or the camera; null if what is on the paper counts. at: where the pen is,
// from 0 to 1; isDown: whether the arrow keys draw.
const drawing = { source: null, at: [0.5, 0.5], isDown: false, frame: 0 };
const model = decodedModel(DATA.play);
DATA.constants.rounding_of_weights = PLAY.rounding_of_weights;

function pixelsOf(context) {
  const { width, height, data } = context.getImageData(0, 0, context.canvas.width, context.canvas.height);
  return { width, height, data };
}

function pixelsOfImage(image, width, height) {
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.drawImage(image, 0, 0);
  return pixelsOf(context);
}

// The picture as the model sees it. Writes what was done.
function modelPicture() {
  const [centres, isLight] = ["centre", "dark"].map((id) => byId(id).checked);
  const picture = centres ? centred(pixelsOf(ink), form) : prepared(drawing.source ?? pixelsOf(ink), form);
  const inverts = isLight && picture.data[0] > 127;
  const scaled = say("scaled to {size}").replace("{size}", `${form.width} × ${form.height}`);
  const done = [centres && say("cropped and centred"), scaled, inverts && say("inverted")];
  fill("done", done.filter(Boolean).join(", "));
  return inverts ? { ...picture, data: picture.data.map((value) => 255 - value) } : picture;
}

function paint(canvas, { width, height }, colourAt) {
  const image = new ImageData(width, height);
  const valueAt = (at) => (at % 4 === 3 ? 255 : colourAt(Math.floor(at / 4), at % 4));
  image.data.set(Uint8ClampedArray.from(image.data, (_, at) => valueAt(at)));
  Object.assign(canvas, { width, height }).getContext("2d").putImageData(image, 0, 0);
}

function answer() {
  drawing.frame = 0;
  const picture = modelPicture();
  const { logits, map } = answerTo(model, picture);
  const most = maxOf([...map].map(Math.abs)) || 1;
  const colourAt = (place, c) => picture.data[place * form.channels + (c % form.channels)];
  const greyAt = (place) => luma(...[0, 1, 2].map((c) => colourAt(place, c)));
  document.querySelectorAll(".seen").forEach((canvas) => paint(canvas, picture, colourAt));
  paint(byId("added"), picture, (place, c) => {
    const strength = Math.abs(map[place]) / most;
    return PLAY.colours[map[place] < 0 ? 1 : 0][c] * strength + (1 - strength) * (127 + greyAt(place) / 2);
  });
  change(Object.assign(initial, state, { logits, values: logits }));
  const { winner, p_winner } = strip.numbers;
  const caption = say("Contributions to class {winner}: orange raises the logit, blue lowers it.");
  fill("added-text", caption.replace("{winner}", () => winner));
  if (byId("answer").textContent !== winner) fill("answer", winner);
  fill("certainty", `p = ${number(p_winner)}`);
}

const ask = () => (drawing.frame ||= requestAnimationFrame(answer));

// A drawing is prepared as the training images were, a picture is not.
const prefer = (isDrawing) => ["centre", "dark"].forEach((id) => (byId(id).checked = isDrawing && PLAY.is_dark));

// A white paper of this shape.
function clear(width, height) {
  const scale = PLAY.paper / Math.max(width, height);
  [paper.width, paper.height] = [width, height].map((side) => Math.max(1, Math.round(side * scale)));
  ink.fillStyle = "#fff";
  ink.fillRect(0, 0, paper.width, paper.height);
  drawing.source = null;
  fill("problem");
  ask();
}

// A picture takes the place of the drawing. shown: the same, as the browser draws it.
function take(source, shown, width, height) {
  clear(width, height);
  ink.drawImage(shown, 0, 0, paper.width, paper.height);
  drawing.source = source;
}

async function openFile(file) {
  try {
    const image = await createImageBitmap(file);
    take(await decoded(new Uint8Array(await file.arrayBuffer())), image, image.width, image.height);
    prefer(false);
  } catch {
    fill("problem", `${say("This picture cannot be read")}: ${file.name}`);
  }
}

// Until the camera is switched off, about seven pictures per second; the last one stays.
async function useCamera() {
  camera.ariaPressed = camera.ariaPressed !== "true";
  if (camera.ariaPressed !== "true") return video.srcObject?.getTracks().forEach((track) => track.stop());
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    await video.play();
    prefer(false);
  } catch {
    camera.ariaPressed = false;
    return fill("problem", say("The camera cannot be used here"));
  }
  const next = () => {
    if (camera.ariaPressed !== "true") return;
    const [width, height] = [video.videoWidth, video.videoHeight];
    take(pixelsOfImage(video, width, height), video, width, height);
    setTimeout(next, 150);
  };
  next();
}

function movePen(to, draws) {
  const [from, at] = [drawing.at, to.map((one) => Math.max(0, Math.min(one, 1)))];
  drawing.at = at;
  Object.assign(pen.style, { left: `${100 * at[0]}%`, top: `${100 * at[1]}%` });
  if (!draws) return;
  const lineWidth = (byId("width").value * Math.max(paper.width, paper.height)) / 100;
  Object.assign(ink, { lineCap: "round", lineWidth, strokeStyle: byId("colour").value });
  ink.beginPath();
  ink.moveTo(from[0] * paper.width, from[1] * paper.height);
  ink.lineTo(at[0] * paper.width + 0.01, at[1] * paper.height);
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
  [false, true].forEach((draws) => movePen(placeOf(event), draws));
};
paper.onpointermove = (event) => event.buttons && movePen(placeOf(event), true);
paper.onkeydown = (event) => {
  const [down, right] = ARROWS[event.key] ?? [0, 0];
  if (!ARROWS[event.key] && event.key !== " ") return;
  event.preventDefault();
  if (event.key === " ") pen.classList.toggle("down", (drawing.isDown = !drawing.isDown));
  movePen([drawing.at[0] + right / 28, drawing.at[1] + down / 28], drawing.isDown);
};
document.ondragover = (event) => event.preventDefault();
document.ondrop = (event) => {
  event.preventDefault();
  [...event.dataTransfer.files].slice(0, 1).forEach(openFile);
};
byId("file").onchange = ({ target }) => [...target.files].forEach(openFile);
byId("clear").onclick = () => {
  clear(form.width, form.height);
  prefer(true);
};
byId("save").onclick = () =>
  element("a", { href: document.querySelector(".seen").toDataURL(), download: "picture.png" }).click();
camera.onclick = useCamera;
["centre", "dark"].forEach((id) => (byId(id).onchange = ask));
byId("clear").click();
