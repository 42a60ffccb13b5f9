// A PNG file → its exact pixels, under the rules of softmaxce/images. Browsers decode PNG too, but
// multiply colours by alpha, round, and apply colour profiles.
"use strict";

const PNG_START = [137, 80, 78, 71, 13, 10, 26, 10];
const CHANNELS_OF = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
// First column and row, and the steps to the next ones: not interlaced, Adam7.
const PASSES = [
  [[0, 0, 1, 1]],
  [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]],
];
const isPng = (bytes) => PNG_START.every((value, i) => bytes[i] === value);
const viewOfBytes = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

// The content of the chunks by type, those of one type joined.
function chunksOf(bytes) {
  const parts = {};
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = viewOfBytes(bytes).getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    (parts[type] ??= []).push(...(length ? [bytes.subarray(at + 8, at + 8 + length)] : []));
    at += length + 12;
  }
  return parts;
}

function headerOf(bytes) {
  const view = viewOfBytes(bytes);
  const [depth, colour, , , interlaced] = bytes.subarray(8, 13);
  return { width: view.getUint32(0), height: view.getUint32(4), depth, colour, interlaced };
}

function paeth(left, up, corner) {
  const [toLeft, toUp, toCorner] = [up - corner, left - corner, left + up - 2 * corner].map(Math.abs);
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}

// Undoes the filter of a line in place. above: the line before; n: bytes of a pixel.
function unfilter(kind, line, above, n) {
  if (kind > 4) throw new Error("unknown filter");
  for (let x = 0; kind && x < line.length; x += 1) {
    const [left, up, corner] = [line[x - n] ?? 0, above[x], above[x - n] ?? 0];
    line[x] += [0, left, up, (left + up) >> 1, kind === 4 ? paeth(left, up, corner) : 0][kind];
  }
}

// Called with each line of samples: its row, its first column and the step to the next ones.
function eachLine({ width, height, depth, colour, interlaced }, data, visit) {
  const n_bits = depth * CHANNELS_OF[colour];
  let at = 0;
  for (const [left, top, right, down] of PASSES[interlaced]) {
    const n_bytes = Math.ceil((Math.ceil((width - left) / right) * n_bits) / 8);
    let above = new Uint8Array(n_bytes);
    for (let y = top; n_bytes > 0 && y < height; y += down, at += n_bytes + 1) {
      const line = data.subarray(at + 1, at + 1 + n_bytes);
      if (line.length < n_bytes) throw new Error("pixels are missing");
      unfilter(data[at], line, above, Math.max(1, n_bits >> 3));
      visit(line, y, left, right);
      above = line;
    }
  }
}

// What is transparent, and what each sample becomes: grey of 1, 2, 4 or 16 bits is scaled to 8 bits; of
// other samples of 16 bits, the high byte counts.
function unpacked(header, data, palette = [], transparent = null) {
  const { width, height, depth, colour } = header;
  if (colour === 2 && depth === 16 && transparent) throw new Error("a 16-bit colour is transparent");
  const [channels, pixels] = [CHANNELS_OF[colour], new Uint8ClampedArray(4 * width * height)];
  const key = transparent && colour !== 3 ? viewOfBytes(transparent) : null;
  const isWide = depth === 16;
  const scale = isWide ? (v) => (colour ? v >> 8 : Math.floor((v * 255 + 32767) / 65535))
    : (v) => (v * 255) / (2 ** depth - 1);
  const samples = new Uint16Array(channels);
  eachLine(header, data, (line, y, left, step) => {
    for (let x = left, i = 0; x < width; x += step) {
      let isKey = key !== null;
      for (let c = 0; c < channels; c += 1, i += 1) {
        const bit = i * depth;
        samples[c] = isWide ? (line[2 * i] << 8) | line[2 * i + 1]
          : (line[bit >> 3] >> (8 - depth - (bit & 7))) & (2 ** depth - 1);
        isKey &&= samples[c] === key.getUint16(2 * c);
      }
      const at = 4 * (y * width + x);
      const isGrey = channels < 3;
      for (let c = 0; c < 3; c += 1)
        pixels[at + c] = colour === 3 ? palette[3 * samples[0] + c] : scale(samples[isGrey ? 0 : c]);
      const alpha = colour === 3 ? (transparent?.[samples[0]] ?? 255) : isKey ? 0 : 255;
      pixels[at + 3] = colour > 3 ? scale(samples[channels - 1]) : alpha;
    }
  });
  return pixels;
}

// EXIF's orientation in a TIFF header or, without one, that of XMP; 1 if there is none.
function orientationOf(exif = new Uint8Array(), texts = []) {
  const view = viewOfBytes(exif);
  const little = exif[0] === 0x49;
  const [of16, of32] = [(at) => view.getUint16(at, little), (at) => view.getUint32(at, little)];
  let found = null;
  try {
    const start = of32(4);
    const entries = Array.from({ length: of16(start) }, (_, i) => start + 2 + 12 * i);
    const entry = entries.find((at) => of16(at) === 0x112);
    found = entry ? of16(entry + 8) : null;
  } catch {} // a broken EXIF block is ignored
  const xmp = texts.map((text) => String.fromCharCode(...text)).join("");
  found ??= Number(/tiff:Orientation(?:="|>)(\d)/.exec(xmp)?.[1]);
  return found >= 1 && found <= 8 ? found : 1;
}

function pictureOf({ IHDR, PLTE = [], tRNS = [], eXIf = [], iTXt }, inflated) {
  const header = headerOf(IHDR[0]);
  const data = unpacked(header, inflated, PLTE[0], tRNS[0]);
  return { ...header, data, orientation: orientationOf(eXIf[0], iTXt) };
}

async function decodePng(bytes) {
  const chunks = chunksOf(bytes);
  const inflated = new Blob(chunks.IDAT).stream().pipeThrough(new DecompressionStream("deflate"));
  return pictureOf(chunks, new Uint8Array(await new Response(inflated).arrayBuffer()));
}
