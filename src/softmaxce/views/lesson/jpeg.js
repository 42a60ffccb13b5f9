// A JPEG file → its DCT coefficients → its pixels at 1/1, 1/2, 1/4 or 1/8 of its size, as libjpeg-turbo
// computes them for the command. A browser decodes at full size only: its pixels are rounded and clipped, and
// its colours interpolated, before the page could average them.
// Source: ITU-T T.81, annexes B, F and G; libjpeg-turbo's jidctint.c, jidctred.c, jdsample.c and jdcolor.c.
"use strict";

const CHROMA = [[0, 91881], [-22554, -46802], [116130, 0]]; // of Cb and Cr in R, G and B, times 2¹⁶
const diagonalOf = (place) => (place >> 3) + (place & 7);
const rankOf = (place) => 8 * diagonalOf(place) + (diagonalOf(place) % 2 ? place >> 3 : place & 7);
const ZIGZAG = [...Array(64).keys()].sort((a, b) => rankOf(a) - rankOf(b));

// For any 16 bits: the length of the code at their start, and in the low byte its symbol.
function huffmanTable(counts, symbols) {
  const table = new Uint16Array(2 ** 16);
  let [at, n] = [0, 0];
  counts.forEach((count, i) => {
    for (const end = n + count; n < end; n += 1, at += 2 ** (15 - i))
      table.fill((i + 1) * 256 + symbols[n], at, at + 2 ** (15 - i));
  });
  return table;
}

// Reads bits from `at` to the next marker, and then zeros.
function bitReader(bytes, at) {
  let [held, n_held] = [0, 0];
  const peek = (n) => {
    for (; n_held < n; n_held += 8) {
      const isMarker = bytes[at] === 0xff && bytes[at + 1] !== 0;
      held = (held << 8) | (isMarker ? 0 : bytes[at]);
      if (!isMarker) at += bytes[at] === 0xff ? 2 : 1;
    }
    return (held >> (n_held - n)) & (2 ** n - 1);
  };
  const read = (n, value = peek(n)) => {
    n_held -= n;
    return value;
  };
  const signed = (value, n) => (value < 2 ** n / 2 ? value - 2 ** n + 1 : value);
  const coded = (found) => read(found >> 8, found & 255);
  return {
    read,
    number: (n) => signed(read(n), n),
    symbol: (table) => coded(table[peek(16)]),
    restart: () => ([at, n_held] = [at + 2, 0]),
  };
}

// Reads what a scan adds to the block at `start`: coefficients or, if the file is progressive, a bit of each.
// scan.run: how many blocks, this one included, have no new ones. component.mean: that of the block before.
function readBlock(bits, scan, component, start) {
  const { coefficients, places, dc, ac } = component;
  if (!scan.first && scan.refines) coefficients[start] |= bits.read(1) * scan.step;
  else if (!scan.first) coefficients[start] = scan.step * (component.mean += bits.number(bits.symbol(dc)));
  for (let k = Math.max(1, scan.first); k <= scan.last; k += 1) {
    const symbol = scan.run ? 0 : bits.symbol(ac);
    const [n_zeros, size] = [symbol >> 4, symbol & 15];
    const value = size && bits.number(size) * scan.step;
    if (!scan.run && !size && n_zeros < 15) scan.run = 2 ** n_zeros + bits.read(n_zeros);
    for (let left = scan.run ? 64 : n_zeros; k <= scan.last; k += 1) {
      const place = start + places[k];
      const old = coefficients[place];
      coefficients[place] += old ? Math.sign(old) * bits.read(1) * scan.step : left ? 0 : value;
      if (!old && !left--) break;
    }
  }
  if (scan.run) scan.run -= 1;
}

// A scan of one component: its blocks, row by row. Of several: in each step, h × v blocks of each.
function readScan(bits, scan, { across, down, interval }) {
  const [only] = scan.components.length === 1 ? scan.components : [];
  const [columns, rows] = only ? [only.columns, only.rows] : [across, down];
  for (let i = 0; i < columns * rows; i += 1) {
    if (i && i % interval === 0) bits.restart();
    if (!i || i % interval === 0) {
      scan.run = 0;
      scan.components.forEach((component) => (component.mean = 0));
    }
    for (const component of scan.components) {
      const [h, v] = only ? [1, 1] : [component.h, component.v];
      for (let j = 0; j < h * v; j += 1) {
        const [row, column] = [Math.floor(i / columns) * v + Math.floor(j / h), (i % columns) * h + (j % h)];
        readBlock(bits, scan, component, 8 * (row * component.stride + column));
      }
    }
  }
}

// The size of the picture, and its components. The coefficients of a block lie where its pixels will be.
// shares: what part of the picture's columns and rows the component has.
function readFrame(part) {
  const [height, width] = [1, 3].map((at) => wholeAt(part, at, 2));
  const heads = Array.from({ length: part[5] }, (_, i) => part.subarray(6 + 3 * i, 9 + 3 * i));
  const [h_most, v_most] = [4, 0].map((shift) => maxOf(heads.map((head) => (head[1] >> shift) & 15)));
  const [across, down] = [Math.ceil(width / 8 / h_most), Math.ceil(height / 8 / v_most)];
  const components = heads.map(([id, sides, table]) => {
    const [h, v] = [sides >> 4, sides & 15];
    const shares = [h / h_most, v / v_most];
    const [columns, rows] = [Math.ceil((width * shares[0]) / 8), Math.ceil((height * shares[1]) / 8)];
    const stride = 8 * across * h;
    const places = ZIGZAG.map((place) => (place >> 3) * stride + (place & 7));
    const coefficients = new Int32Array(stride * 8 * down * v);
    return { id, h, v, shares, columns, rows, table, stride, places, coefficients };
  });
  return { width, height, across, down, components };
}

// By marker, what a segment adds to the picture: Huffman tables, quantisation tables, the interval between
// restart markers, the frame, a scan, Adobe's colour space. bits: what follows the segment.
const SEGMENTS = {
  0xc4(jpeg, part) {
    for (let at = 0, n; at < part.length; at += 17 + n) {
      n = sum([...part.subarray(at + 1, at + 17)]);
      jpeg.codes[part[at]] = huffmanTable(part.subarray(at + 1, at + 17), part.subarray(at + 17));
    }
  },
  0xdb(jpeg, part) {
    for (let at = 0, n; at < part.length; at += 1 + 64 * n) {
      n = part[at] >> 4 ? 2 : 1;
      const first = 64 * (part[at] & 15);
      ZIGZAG.forEach((place, k) => (jpeg.steps[first + place] = wholeAt(part, at + 1 + n * k, n)));
    }
  },
  0xdd: (jpeg, part) => (jpeg.interval = wholeAt(part, 0, 2)),
  0xc0: (jpeg, part) => Object.assign(jpeg, readFrame(part)),
  0xda(jpeg, part, bits) {
    const [first, last, approximation] = part.subarray(-3);
    const components = Array.from({ length: part[0] }, (_, i) => {
      const component = jpeg.components.find(({ id }) => id === part[1 + 2 * i]);
      const [dc, ac] = [jpeg.codes[part[2 + 2 * i] >> 4], jpeg.codes[16 + (part[2 + 2 * i] & 15)]];
      return Object.assign(component, { dc, ac });
    });
    const scan = { first, last, refines: approximation > 15, step: 2 ** (approximation & 15) };
    readScan(bits, { ...scan, components }, jpeg);
  },
  0xee: (jpeg, part) => (jpeg.isRgb = textAt(part, 0, 5) === "Adobe" && part[11] === 0),
};
SEGMENTS[0xc1] = SEGMENTS[0xc2] = SEGMENTS[0xc0];

// The coefficients of a JPEG file; null for arithmetic codes and for colours other than grey and YCbCr.
function readJpeg(bytes) {
  const jpeg = { codes: [], steps: [], interval: 0, components: [] };
  for (let at = 2, end; at < bytes.length && (bytes[at] !== 0xff || bytes[at + 1] !== 0xd9); at = end) {
    const marker = bytes[at] === 0xff ? bytes[at + 1] : 0;
    const isSegment = marker >= 0xc0 && marker < 0xff && (marker < 0xd0 || marker > 0xd9);
    end = at + (isSegment ? 2 + wholeAt(bytes, at + 2, 2) : 1);
    if (marker === 0xda && (jpeg.isRgb || ![1, 3].includes(jpeg.components.length))) return null;
    if (isSegment) SEGMENTS[marker]?.(jpeg, bytes.subarray(at + 4, end), bitReader(bytes, end));
  }
  return jpeg;
}

// The inverse transform of blocks of 8 values to n each: averages of 8 / n adjacent values of that to 8.
function inverses(length, n, shift) {
  const wave = (k, x) => (k ? Math.SQRT2 * Math.cos(((2 * x + 1) * k * Math.PI) / 16) : 1);
  const bits = 16 - Math.log2(n);
  const rows = Array.from({ length: n }, (_, i) =>
    Int32Array.from({ length: 8 }, (__, k) => {
      const waves = Array.from({ length: 8 / n }, (___, x) => wave(k, (i * 8) / n + x));
      return Math.round((2 ** bits * sum(waves) * n) / 8);
    }),
  );
  const one = 2 ** (bits + shift);
  return Array.from({ length: (length / 8) * n }, (_, i) => {
    return { first: Math.floor(i / n) * 8, factors: rows[i % n], one };
  });
}

// A component's pixels, n × n of each block.
function planeOf({ coefficients, stride, table }, steps, n) {
  const height = coefficients.length / stride;
  const values = coefficients.map((value, i) => {
    const place = 8 * (Math.floor(i / stride) % 8) + (i % 8);
    return value * steps[64 * table + place] + (place ? 0 : 1024); // the middle, 128
  });
  const half = averaged(values, 1, height, stride, inverses(height, n, -2), Int32Array);
  return averaged(half, (height / 8) * n, stride, 1, inverses(stride, n, 5));
}

// The picture at n / 8 of its size. A component with fewer blocks is decoded to more pixels of each if that
// makes up for both its columns and its rows; else its pixels are repeated, or interpolated if every second
// column is missing. At full size, libjpeg-turbo would interpolate rows, too.
function jpegPicture({ steps, components, ...whole }, n, channels) {
  const [width, height] = [whole.width, whole.height].map((side) => Math.ceil((side * n) / 8));
  const planes = components.slice(0, channels).map((component) => {
    let side = n;
    while (side < 8 && component.shares.every((share) => (n / share) % (2 * side) === 0)) side *= 2;
    const data = planeOf(component, steps, side);
    const [right, down] = component.shares.map((share) => n / share / side); // pixels that share a value
    const stride = (component.stride / 8) * side;
    const last = Math.ceil((whole.width * component.shares[0] * side) / 8) - 1;
    return (x, y) => {
      const at = Math.floor(y / down) * stride;
      const column = Math.floor(x / right);
      if (right !== 2 || down !== 1 || n === 1) return data[at + column];
      const beside = Math.max(0, Math.min(column + (x % 2 ? 1 : -1), last));
      return (3 * data[at + column] + data[at + beside] + 1 + (x % 2)) >> 2;
    };
  });
  return drawn(width, height, channels, (x, y, c) => {
    const [luma, cb, cr] = planes.map((plane) => plane(x, y));
    if (planes.length === 1) return luma;
    const added = (CHROMA[c][0] * (cb - 128) + CHROMA[c][1] * (cr - 128) + 2 ** 15) >> 16;
    return Math.max(0, Math.min(luma + added, 255));
  });
}
