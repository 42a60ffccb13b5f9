// A picture → the model's pixels → logits and contributions, as softmaxce/images, patches.py and
// lesson/picture.py compute them. A test compares each. Nothing here needs a browser.
//
// A picture: { width, height, channels, data }, a byte per channel; a file's has four: RGBA.
"use strict";

const ONE = 2 ** 22; // in the fixed-point numbers of Pillow's resizing
const BOX = { support: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) };
const HAMMING = {
  support: 1,
  weight(x) {
    if (x === 0 || Math.abs(x) >= 1) return x === 0 ? 1 : 0;
    const angle = Math.PI * Math.abs(x);
    return (Math.sin(angle) / angle) * (Math.fround(0.54) + Math.fround(0.46) * Math.cos(angle));
  },
};

function halfEven(value) {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

const luma = (r, g, b) => (r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16;
const colourOf = ({ channels, background }) => (channels === 1 ? [luma(...background)] : background);

function over(above, below, alpha) {
  const sum = ((above * alpha + below * (255 - alpha)) << 7) + 0x4000;
  return (((sum >> 8) + sum) >> 8) >> 7;
}

// An RGBA picture on the background colour, with 1 or 3 channels.
function inMode({ width, height, data }, { channels, background }) {
  const [made, rgb] = [new Uint8Array(width * height * channels), new Uint8Array(3)];
  for (let at = 0, to = 0; at < data.length; at += 4, to += channels) {
    for (let c = 0; c < 3; c += 1) rgb[c] = over(data[at + c], background[c], data[at + 3]);
    if (channels === 1) made[to] = luma(rgb[0], rgb[1], rgb[2]);
    else made.set(rgb, to);
  }
  return { width, height, channels, data: made };
}

// Which pixels between start and end each of `size` new pixels averages, and with which factors.
function averagesOf(length, start, end, size, { support, weight }) {
  const scale = Math.fround(Math.fround(end) - Math.fround(start)) / size;
  const stretch = Math.max(scale, 1);
  return Array.from({ length: size }, (_, i) => {
    const centre = Math.fround(start) + (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support * stretch + 0.5));
    const last = Math.min(length, Math.trunc(centre + support * stretch + 0.5));
    const places = Array.from({ length: last - first }, (__, x) => x + first - centre + 0.5);
    const weights = places.map((x) => weight(x * (1 / stretch)));
    const total = weights.reduce((a, b) => a + b, 0);
    return { first, factors: Int32Array.from(weights, (w) => 0.5 + (w / total) * ONE) };
  });
}

// Averages along one axis of data (outer, length, inner): sums divided by `one`.
function averaged(data, outer, length, inner, averages, Values = Uint8ClampedArray) {
  const made = new Values(outer * averages.length * inner);
  for (let o = 0; o < outer; o += 1)
    averages.forEach(({ first, factors, one = ONE }, i) => {
      for (let c = 0; c < inner; c += 1) {
        let total = one / 2;
        const at = (o * length + first) * inner + c;
        for (let k = 0; k < factors.length; k += 1) total += data[at + k * inner] * factors[k];
        made[(o * averages.length + i) * inner + c] = Math.floor(total / one);
      }
    });
  return made;
}

// columns_first: whether Pillow averages columns first if the height shrinks by over twice as many pixels.
function averagedBothWays({ width, height, channels, data }, across, down, { columns_first }) {
  const [w, h] = [across.length, down.length];
  const made = columns_first && height > h && height - h > 2 * (width - w)
    ? averaged(averaged(data, 1, height, width * channels, down), h, width, channels, across)
    : averaged(averaged(data, height, width, channels, across), 1, height, w * channels, down);
  return { width: w, height: h, channels, data: made };
}

function resized(picture, [left, top, right, bottom], [width, height], form) {
  const kernel = (right - left) % width || (bottom - top) % height ? HAMMING : BOX;
  const across = averagesOf(picture.width, left, right, width, kernel);
  return averagedBothWays(picture, across, averagesOf(picture.height, top, bottom, height, kernel), form);
}

// The part of a picture that is kept, and the size to which it is resized.
function frameOf([width, height], { fit, ...form }) {
  const [size, scales] = [[form.width, form.height], [form.width / width, form.height / height]];
  const scale = fit === "crop" ? Math.max(...scales) : Math.min(...scales);
  const sides = [width, height].map((side) => Math.max(1, halfEven(side * scale)));
  const kept = [Math.min(width, size[0] / scale), Math.min(height, size[1] / scale)];
  const [left, top] = [(width - kept[0]) / 2, (height - kept[1]) / 2];
  if (fit === "crop") return [[left, top, left + kept[0], top + kept[1]], size];
  return [[0, 0, width, height], fit === "pad" ? sides : size];
}

// A JPEG file is decoded at the smallest of 1/1, 1/2, 1/4 and 1/8 of its size at which the kept part is large enough.
function draftScale(sides, box, size) {
  const least = sides.map((side, i) => Math.max(1, Math.trunc((side * size[i]) / (box[2 + i] - box[i]))));
  return [8, 4, 2].find((scale) => sides.every((side, i) => Math.floor(side / least[i]) >= scale)) ?? 1;
}

function drawn(width, height, channels, valueAt) {
  const data = Uint8Array.from({ length: width * height * channels }, (_, at) => {
    const place = Math.floor(at / channels);
    return valueAt(place % width, Math.floor(place / width), at % channels);
  });
  return { width, height, channels, data };
}

// The picture with EXIF's orientation applied.
function upright({ width, height, channels, data }, orientation) {
  const [isSideways, flipsX, flipsY] = [[5, 6, 7, 8], [2, 3, 7, 8], [3, 4, 6, 7]].map((those) =>
    those.includes(orientation),
  );
  return drawn(...(isSideways ? [height, width] : [width, height]), channels, (x, y, c) => {
    const [column, row] = isSideways ? [y, x] : [x, y];
    const place = (flipsY ? height - 1 - row : row) * width + (flipsX ? width - 1 - column : column);
    return data[place * channels + c];
  });
}

// The picture in the middle of one of the model's size, or with its corner elsewhere.
function padded({ width, height, data }, form, colour, corner) {
  const middle = [Math.floor((form.width - width) / 2), Math.floor((form.height - height) / 2)];
  const [left, top] = corner ?? middle;
  return drawn(form.width, form.height, form.channels, (column, row, c) => {
    const [x, y] = [column - left, row - top];
    const isInside = x >= 0 && y >= 0 && x < width && y < height;
    return isInside ? data[(y * width + x) * form.channels + c] : colour[c];
  });
}

// The model's pixels of an RGBA picture.
function prepared({ orientation = 1, jpeg, ...source }, form) {
  const turned = (list) => (orientation > 4 ? list.map((_, i) => list[i ^ 1]) : list);
  const sides = [source.width, source.height];
  let [box, size] = frameOf(turned(sides), form).map(turned);
  const scale = jpeg ? draftScale(sides, box, size) : 1;
  const isOurs = scale > 1 || (jpeg && form.channels === 1); // else libjpeg decodes as browsers do
  const picture = isOurs ? jpegPicture(jpeg, 8 / scale, form.channels) : inMode(source, form);
  box = box.map((one, i) => one * ([picture.width, picture.height][i % 2] / sides[i % 2]));
  return padded(upright(resized(picture, box, size, form), orientation), form, colourOf(form));
}

// What each layer passes on, the first of them the inputs, the last the logits.
function forward(layers, inputs) {
  const passed = [inputs];
  layers.forEach(({ weights, biases }, place) => {
    const outputs = Float64Array.from(biases);
    passed.at(-1).forEach((value, i) => {
      const start = i * outputs.length;
      if (value) for (let j = 0; j < outputs.length; j += 1) outputs[j] += value * weights[start + j];
    });
    passed.push(place < layers.length - 1 ? outputs.map((z) => Math.max(0, z)) : outputs);
  });
  return passed;
}

// What each input adds to logit k: gradient × input.
function contributionsOf(layers, passed, k) {
  let slope = Float64Array.from(layers.at(-1).biases, (_, j) => (j === k ? 1 : 0));
  layers.toReversed().forEach(({ weights }, i) => {
    const after = slope;
    slope = passed.at(-2 - i).map((value, row) => {
      const start = row * after.length;
      return value ? after.reduce((total, one, j) => total + one * weights[start + j], 0) : 0;
    });
  });
  return slope.map((one, i) => one * passed[0][i]);
}

// As MNIST was made: the ink cropped, its longer side scaled to 20/28, and centred by mass.
function centred(source, form) {
  const picture = inMode(source, form);
  const paper = [...picture.data.subarray(0, form.channels)];
  const inkOf = ({ width, height, data }) =>
    Array.from({ length: width * height }, (_, at) => {
      const differences = paper.map((value, c) => Math.abs(data[at * form.channels + c] - value));
      return [at % width, Math.floor(at / width), maxOf(differences)];
    });
  const inked = inkOf(picture).filter(([, , ink]) => ink >= 32);
  if (!inked.length) return prepared(source, form);
  const [left, top] = [0, 1].map((i) => -maxOf(inked.map((one) => -one[i])));
  const [right, bottom] = [0, 1].map((i) => maxOf(inked.map((one) => one[i])) + 1);
  const scale = (Math.min(form.width, form.height) * 20) / 28 / Math.max(right - left, bottom - top);
  const size = [right - left, bottom - top].map((side) => Math.max(1, Math.round(side * scale)));
  const small = resized(picture, [left, top, right, bottom], size, form);
  const ink = inkOf(small);
  const corner = [form.width, form.height].map((whole, i) => {
    const middle = sum(ink.map((one) => (one[i] + 0.5) * one[2])) / sum(ink.map((one) => one[2]));
    return Math.max(0, Math.min(whole - size[i], Math.round(whole / 2 - middle)));
  });
  return padded(small, form, paper, corner);
}
