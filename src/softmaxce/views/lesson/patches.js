// Patch features and what each place contributes, as softmaxce/patches.py computes them: the same
// bytes, because its sums are exact.
"use strict";

const SIDE = 6; // of a patch, in pixels, as in patches.py
const THRESHOLDS = [0.25, 0.625, 1.25];
const CONTRAST = 100;
const [PIXEL_STEPS, GRID_STEPS] = [16, 4];

// For each of n places in a row: the points of the grid near it, and its weights there.
function nearness(n, grid) {
  return Array.from({ length: n }, (_, place) => {
    const position = halfEven((GRID_STEPS * ((2 * place + 1) * grid - n)) / (2 * n)) / GRID_STEPS;
    const inside = Math.max(0, Math.min(position, grid - 1));
    const weights = Array.from({ length: grid }, (__, point) => [point, 1 - Math.abs(inside - point)]);
    return weights.filter(([, weight]) => weight > 0);
  });
}

// The contrast-normalised values of a patch.
function normalised(values) {
  const n = values.length;
  const [total, squares] = [1, 2].map((power) => sum(values.map((value) => value ** power)));
  const variance = (n * squares - total * total) / n ** 2;
  const scale = Math.fround(PIXEL_STEPS / Math.sqrt(variance + CONTRAST));
  return values.map((value) => halfEven(Math.fround(value * scale)) / PIXEL_STEPS);
}

// The responses of a place to both filters of all pairs.
function responsesAt({ filters, n_pairs }, { width, channels, data }, row, column) {
  const [responses, n] = [new Float64Array(2 * n_pairs), SIDE * channels];
  const at = (i) => ((row + Math.floor(i / n)) * width + column) * channels + (i % n);
  const values = Array.from({ length: SIDE * n }, (_, i) => data[at(i)]);
  [...normalised(values), 1].forEach((value, i) => {
    const across = Math.floor((i % n) / channels);
    const mirrored = i === SIDE * n ? i : i + (SIDE - 1 - 2 * across) * channels;
    for (let f = 0; f < n_pairs; f += 1) {
      responses[f] += value * filters[i * n_pairs + f];
      responses[n_pairs + f] += value * filters[mirrored * n_pairs + f];
    }
  });
  return responses;
}

// Calls visit(place, feature, what the place adds to its sum) wherever a response passes a threshold.
function eachActivation({ grid, is_symmetric, ...patches }, picture, visit) {
  const n = patches.n_pairs * (is_symmetric ? 1 : 2); // features of a point
  const columns = nearness(picture.width - SIDE + 1, grid);
  nearness(picture.height - SIDE + 1, grid).forEach((down, row) =>
    columns.forEach((across, column) => {
      const points = down.flatMap(([y, v]) => across.map(([x, w]) => [y, x, v * w]));
      responsesAt(patches, picture, row, column).forEach((response, f) => {
        for (let t = 0; Math.abs(response) > THRESHOLDS[t]; t += 1)
          for (const [y, x, weight] of points) {
            const block = (2 * t + (response < 0 ? 1 : 0)) * grid + y;
            const feature = (block * grid + (f < n ? x : grid - 1 - x)) * n + (f % n);
            visit(row * columns.length + column, feature, weight * (Math.abs(response) - THRESHOLDS[t]));
          }
      });
    }),
  );
}

function sumsOf(patches, picture) {
  const sums = new Float64Array(patches.scales.length);
  eachActivation(patches, picture, (_, feature, added) => (sums[feature] += added));
  return sums;
}

const featuresOf = ({ scales }, sums) =>
  Uint8Array.from(sums, (one, i) => Math.min(255, halfEven(Math.fround(Math.fround(one) * scales[i]))));

// What each pixel adds, the share of each patch spread evenly over its pixels: (height, width).
function spread(patches, picture, sums, ofFeatures) {
  const n_columns = picture.width - SIDE + 1;
  const [map, places] = [picture.width * picture.height, n_columns * (picture.height - SIDE + 1)].map(
    (length) => new Float64Array(length),
  );
  eachActivation(patches, picture, (place, feature, added) => {
    places[place] += (ofFeatures[feature] * added) / sums[feature];
  });
  places.forEach((value, place) => {
    const start = Math.floor(place / n_columns) * picture.width + (place % n_columns);
    for (let i = 0; i < SIDE ** 2; i += 1)
      map[start + Math.floor(i / SIDE) * picture.width + (i % SIDE)] += value / SIDE ** 2;
  });
  return map;
}

// The model in the page's data, its numbers decoded from base64.
function decodedModel({ layers, patches }) {
  const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const decode = (one) => (typeof one === "string" ? new Float32Array(bytesOf(one).buffer) : one);
  const decoded = (part) => part && Object.fromEntries(Object.entries(part).map(([k, v]) => [k, decode(v)]));
  return { layers: layers.map(decoded), patches: decoded(patches) };
}

// The logits, and what each place of the picture adds to the largest of them.
function answerTo({ layers, patches }, picture) {
  const { channels, data } = picture;
  const sums = patches && sumsOf(patches, picture);
  const inputs = patches ? featuresOf(patches, sums) : data;
  const passed = forward(layers, Float64Array.from(inputs, (value) => value * (1 / 255)));
  const logits = [...passed.at(-1)];
  const added = contributionsOf(layers, passed, logits.indexOf(maxOf(logits)));
  const ofPlace = (_, place) => sum(added.subarray(place * channels, (place + 1) * channels));
  if (patches) return { logits, map: spread(patches, picture, sums, added) };
  return { logits, map: Array.from({ length: data.length / channels }, ofPlace) };
}
