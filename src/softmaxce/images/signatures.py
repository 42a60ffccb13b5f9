"""What a file is that Pillow cannot open, by its first bytes, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Sequence

HEAD_BYTES = 4096
_DOWNLOAD = "the download failed; download it again"
_PNG, _UNPACK, _PHOTO = "convert it to PNG", "unpack it", "convert it to JPEG"
# A regular expression for the first bytes, what the file is, how to fix it; the first match counts.
_SIGNATURES = (
    (rb"version https://git-lfs", "a Git LFS pointer", "run git lfs pull"),
    (rb"(\xef\xbb\xbf)?\s*(?=<).*<(!doctype )?html[\s>]", "an HTML page", _DOWNLOAD),
    (rb"(\xef\xbb\xbf)?\s*(?=<).*<svg[\s>]", "an SVG drawing", _PNG),
    (rb"(\xef\xbb\xbf)?\s*<\?xml", "an XML document", _DOWNLOAD),
    (rb"\s*[{\[]\s*[\"\]}{\[]", "JSON text", _DOWNLOAD),
    (rb"....ftyp(hei|hev|mif1|msf1)", "HEIF (HEIC)", f"pip install 'softmaxce[heif]', or {_PHOTO}"),
    (rb"....ftypavi[fs]", "AVIF", f"upgrade Pillow, or {_PHOTO}"),
    (rb"....ftypcrx |(II\*\0....|IIRO....)CR|IIR[OS]|IIU\0|FUJIFILM", "a raw photo", _PHOTO),
    (
        rb"....ftyp|\x1a\x45\xdf\xa3|RIFF....(AVI |WAVE)",
        "a video or sound",
        "save its frames as PNG",
    ),
    (rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51", "JPEG 2000", _PNG),
    (rb"\0\0\0\x0cJXL |\xff\x0a", "JPEG XL", _PNG),
    (rb"8BPS", "a Photoshop document", _PNG),
    (rb"%PDF", "a PDF document", "save its pictures as PNG"),
    (rb"%!PS|\xc5\xd0\xd3\xc6", "PostScript", _PNG),
    (rb"\0\0[\x01\x02]\0", "an icon", _PNG),
    (rb"P7[\n\r]|P[Ff][\n\r]|qoif|v/1\x01|#\?R|DDS |gimp xcf", "another image format", _PNG),
    (rb".{128}DICM|\x89HDF|SIMPLE  =|\x93NUMPY", "scientific data", "save it as 8-bit PNG"),
    (rb"PK[\x03\x05]|Rar!|7z\xbc\xaf|.{257}ustar", "an archive", _UNPACK),
    (rb"\x1f\x8b|BZh|\xfd7zXZ|\x28\xb5\x2f\xfd", "a compressed file", _UNPACK),
    (rb"\0\x05\x16\x07", "macOS metadata", "remove it"),
    (rb"\0+\Z", "nothing but zero bytes", "copy or download it again"),
    # UTF-8, which may end within a character.
    (
        rb"([\t\n\r -~]|[\xc2-\xf4][\x80-\xbf]+)+[\xc2-\xf4]?\Z",
        "text",
        "remove it, or download it again",
    ),
    (rb"\x89PNG", "PNG", ""),
    (rb"\xff\xd8", "JPEG", ""),
    (rb"GIF8", "GIF", ""),
    (rb"BM", "BMP", ""),
    (rb"RIFF....WEBP", "WEBP", ""),
    (rb"P[1-6]\s", "PPM", ""),
)


def why_not_opened(head: bytes, formats: Sequence[str], layout: str) -> str:
    """The reason for ImageError, from the first bytes of a file that Pillow cannot open.

    formats: those that Pillow tried; layout: that of the pixels of a TIFF, in words.
    """
    if layout:
        return f"a TIFF of this kind is not supported ({layout}); save it as PNG"
    for pattern, what, fix in _SIGNATURES:
        if re.match(pattern, head, re.DOTALL | re.IGNORECASE):
            if what.removesuffix(" (HEIC)") in formats:
                return f"it cannot be decoded (the header of this {what} is damaged)"
            return f"not a supported image format: {what}; {fix}"
    return f"not a supported image format ({', '.join(formats)})"
