// Patch features and what each place contributes, as softmaxce/patches.py computes them.
"use strict";

const SIDE = 6; // of a patch, in pixels, as in patches.py
const THRESHOLDS = [0.2, 0.6, 1.2];
const CONTRAST = 100;

// For each place in a row of n: the points of the grid near it, and its weights there.
function nearness(n, grid) {
  return Array.from({ length: n }, (_, place) => {
    const inside = Math.max(0, Math.min(((place + 0.5) * grid) / n - 0.5, grid - 1));
    const weights = Array.from({ length: grid }, (__, point) => [point, 1 - Math.abs(inside - point)]);
    return weights.filter(([, weight]) => weight > 0);
  });
}

// The responses of a place to both filters of all pairs.
function responsesAt({ filters, n_pairs }, { width, channels, data }, row, column) {
  const [responses, n] = [new Float64Array(2 * n_pairs), SIDE * channels];
  const at = (i) => ((row + Math.floor(i / n)) * width + column) * channels + (i % n);
  const values = Array.from({ length: SIDE * n }, (_, i) => data[at(i)]);
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const squares = values.reduce((a, b) => a + b * b, 0) / values.length;
  const scale = 1 / Math.sqrt(Math.max(0, squares - mean * mean) + CONTRAST);
  [...values.map((value) => value * scale), 1].forEach((value, i) => {
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
function eachActivation(patches, picture, visit) {
  const { n_pairs, grid, is_symmetric } = patches;
  const columns = nearness(picture.width - SIDE + 1, grid);
  const filtersOfPoint = is_symmetric ? n_pairs : 2 * n_pairs;
  nearness(picture.height - SIDE + 1, grid).forEach((down, row) =>
    columns.forEach((across, column) => {
      const responses = responsesAt(patches, picture, row, column);
      const points = down.flatMap(([y, v]) => across.map(([x, w]) => [y, x, Math.fround(v * w)]));
      for (let f = 0; f < 2 * n_pairs; f += 1)
        for (let t = 0; t < THRESHOLDS.length; t += 1) {
          const beyond = Math.abs(responses[f]) - Math.fround(THRESHOLDS[t]);
          if (beyond <= 0) break;
          const block = 2 * t + (responses[f] < 0);
          for (const [y, x, weight] of points) {
            const isTwin = is_symmetric && f >= n_pairs;
            const point = (block * grid + y) * grid + (isTwin ? grid - 1 - x : x);
            visit(row * columns.length + column, point * filtersOfPoint + f % filtersOfPoint, weight * beyond);
          }
        }
    }),
  );
}

function sumsOf(patches, picture) {
  const sums = new Float64Array(patches.scales.length);
  eachActivation(patches, picture, (_, feature, added) => (sums[feature] += added));
  return sums;
}

const featuresOf = ({ scales }, sums) =>
  Uint8Array.from(sums, (sum, i) => Math.min(255, halfEven(Math.fround(Math.fround(sum) * scales[i]))));

// What each pixel adds, the share of each patch spread evenly over its pixels: (height, width).
function spread(patches, picture, sums, ofFeatures) {
  const { width, height } = picture;
  const [n_columns, map] = [width - SIDE + 1, new Float64Array(width * height)];
  const places = new Float64Array(n_columns * (height - SIDE + 1));
  eachActivation(patches, picture, (place, feature, added) => {
    places[place] += (ofFeatures[feature] * added) / sums[feature];
  });
  places.forEach((value, place) => {
    const start = Math.floor(place / n_columns) * width + (place % n_columns);
    for (let i = 0; i < SIDE ** 2; i += 1) map[start + Math.floor(i / SIDE) * width + (i % SIDE)] += value / SIDE ** 2;
  });
  return map;
}
