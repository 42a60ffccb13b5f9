// A picture file → its pixels, as softmaxce/images reads them, those of PNG exactly. Browsers decode PNG
// too, but multiply colours by alpha, round, and apply colour profiles.
"use strict";

const CHANNELS_OF = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
// First column and row, and the steps to the next ones: not interlaced, Adam7.
const PASSES = [
  [[0, 0, 1, 1]],
  [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]],
];
const textAt = (bytes, at, n) => String.fromCharCode(...bytes.subarray(at, at + n));

// The whole number in n bytes, the most significant one first unless `little`.
function wholeAt(bytes, at, n, little) {
  const digits = bytes.subarray(at, at + n);
  return (little ? digits.toReversed() : digits).reduce((value, digit) => value * 256 + digit, 0);
}

// The contents of the chunks by type.
function chunksOf(bytes) {
  const parts = { PLTE: [], tRNS: [], eXIf: [] };
  for (let at = 8; at + 12 <= bytes.length; at += wholeAt(bytes, at, 4) + 12) {
    const type = textAt(bytes, at + 4, 4);
    (parts[type] ??= []).push(bytes.subarray(at + 8, at + 8 + wholeAt(bytes, at, 4)));
  }
  return parts;
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
    const [left, up] = [x < n ? 0 : line[x - n], above[x]];
    if (kind === 4) line[x] += paeth(left, up, x < n ? 0 : above[x - n]);
    else line[x] += kind === 1 ? left : kind === 2 ? up : (left + up) >> 1;
  }
}

// RGBA. Grey is scaled to 8 bits; colours of 16 bits keep their high byte.
function unpacked({ width, height, depth, colour, interlaced }, data, palette = [], transparent = null) {
  const [channels, most] = [CHANNELS_OF[colour], 2 ** depth - 1];
  const pixels = new Uint8Array(4 * width * height);
  if (colour === 2 && depth === 16 && transparent) throw new Error("a 16-bit colour is transparent");
  const [n_bits, samples] = [depth * channels, new Uint16Array(channels)];
  const isKey = (sample, c) => sample === wholeAt(transparent, 2 * c, 2);
  const scaled = (v) => (depth < 16 ? (v * 255) / most : colour ? v >> 8 : Math.floor((v * 255 + 32767) / 65535));
  let at = 0;
  for (const [first, top, right, down] of PASSES[interlaced]) {
    const n_bytes = Math.ceil((Math.ceil((width - first) / right) * n_bits) / 8);
    let above = new Uint8Array(n_bytes);
    for (let y = top; n_bytes > 0 && y < height; y += down, at += n_bytes + 1) {
      const line = data.subarray(at + 1, at + 1 + n_bytes);
      if (line.length < n_bytes) throw new Error("pixels are missing");
      unfilter(data[at], line, above, Math.max(1, n_bits >> 3));
      above = line;
      for (let x = first, i = 0; x < width; x += right) {
        for (let c = 0; c < channels; c += 1, i += 1)
          samples[c] = depth === 16 ? (line[2 * i] << 8) | line[2 * i + 1]
            : (line[(i * depth) >> 3] >> (8 - depth - ((i * depth) & 7))) & most;
        const to = 4 * (y * width + x);
        for (let c = 0; c < 3; c += 1)
          pixels[to + c] = colour === 3 ? palette[3 * samples[0] + c] : scaled(samples[channels < 3 ? 0 : c]);
        if (colour > 3) pixels[to + 3] = scaled(samples[channels - 1]);
        else if (colour === 3) pixels[to + 3] = transparent?.[samples[0]] ?? 255;
        else pixels[to + 3] = transparent && samples.every(isKey) ? 0 : 255;
      }
    }
  }
  return pixels;
}

// EXIF's orientation; 1 if there is none or it is unreadable.
function orientationOf(exif = new Uint8Array()) {
  const whole = (at, n) => wholeAt(exif, at, n, exif[0] === 0x49);
  const entries = Array.from({ length: whole(whole(4, 4), 2) }, (_, i) => whole(4, 4) + 2 + 12 * i);
  const found = whole(entries.find((at) => whole(at, 2) === 0x112) + 8, 2);
  return found >= 1 && found <= 8 ? found : 1;
}

function pictureOf({ IHDR: [head], PLTE, tRNS, eXIf }, inflated) {
  const [depth, colour, , , interlaced] = head.subarray(8);
  const header = { width: wholeAt(head, 0, 4), height: wholeAt(head, 4, 4), depth, colour, interlaced };
  const data = unpacked(header, inflated, PLTE[0], tRNS[0]);
  return { ...header, data, orientation: orientationOf(eXIf[0]) };
}

async function decodePng(bytes) {
  const chunks = chunksOf(bytes);
  const inflated = new Blob(chunks.IDAT).stream().pipeThrough(new DecompressionStream("deflate"));
  return pictureOf(chunks, new Uint8Array(await new Response(inflated).arrayBuffer()));
}

// A JPEG file in two parts, without the EXIF block between them, so that no browser turns the picture.
function withoutExif(bytes) {
  for (let at = 2; bytes[at] === 0xff && bytes[at + 1] !== 0xda; at += 2 + wholeAt(bytes, at + 2, 2)) {
    if (textAt(bytes, at + 4, 4) !== "Exif") continue;
    const parts = [bytes.subarray(0, at), bytes.subarray(at + 2 + wholeAt(bytes, at + 2, 2))];
    return { parts, orientation: orientationOf(bytes.subarray(at + 10)) };
  }
  return { parts: [bytes], orientation: 1 };
}

async function decoded(bytes) {
  if (textAt(bytes, 1, 3) === "PNG") return decodePng(bytes);
  const isJpeg = bytes[0] === 0xff;
  const { parts, orientation } = isJpeg ? withoutExif(bytes) : { parts: [bytes], orientation: 1 };
  const image = await createImageBitmap(new Blob(parts), { colorSpaceConversion: "none" });
  const jpeg = isJpeg ? readJpeg(bytes) : null;
  return { ...pixelsOfImage(image, image.width, image.height), jpeg, orientation };
}
