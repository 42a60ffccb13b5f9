"""The header of a JPEG file, checked before Pillow and libjpeg read it.

libjpeg decodes some encodings only at full size and only without changing colours, so that whether
it can read a file would depend on the model. They are refused here for every model.

Source: ITU-T T.81 (JPEG), annex B and table B.1.
"""

from __future__ import annotations

from typing import BinaryIO

from softmaxce.errors import ImageError

# libjpeg decodes every scan of a file with several scans over the whole picture; encoders write
# about ten. A hundred take 1 s at the largest size (300,000 would fit into 10 MB).
_MAX_SCANS = 100
_MAX_HEADER_BYTES = 2**23  # Pillow needs up to 0.1 s for a megabyte of headers
_CHUNK_BYTES = 2**20
_WITHOUT_LENGTH = frozenset({0x00, 0x01, *range(0xD0, 0xDA)})
_UNSUPPORTED = {
    **dict.fromkeys((0xC3, 0xC7, 0xCB, 0xCF), "lossless JPEG"),
    **dict.fromkeys((0xC5, 0xC6, 0xCD, 0xCE), "hierarchical JPEG"),
    0xF7: "JPEG-LS",
}
_FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC9, 0xCA, *_UNSUPPORTED})
_START_OF_SCAN = 0xDA


def refuse_jpeg(name: str, stream: BinaryIO) -> None:
    """Raise ImageError for an encoding that is not decoded, and for too many scans."""
    stream.seek(2)
    frame, n_channels = 0, 0
    while byte := stream.read(1):
        if byte != b"\xff":
            continue  # decoders skip anything between segments, too
        if stream.tell() > _MAX_HEADER_BYTES:
            raise ImageError(name, "it cannot be decoded (its header is too long)")
        marker = 0xFF
        while marker == 0xFF:  # fill bytes
            marker = (stream.read(1) or b"\0")[0]
        if marker in _WITHOUT_LENGTH:
            continue
        length = int.from_bytes(stream.read(2), "big")
        if marker in _FRAMES:
            content = stream.read(max(0, length - 2))
            frame, n_channels = marker, content[5] if len(content) > 5 else 0
            n_bits = content[0] if content else 8
            if marker in _UNSUPPORTED or n_bits != 8:
                kind = _UNSUPPORTED.get(marker, f"JPEG with {n_bits} bits per channel")
                raise ImageError(name, f"{kind} is not supported; save it as PNG")
        elif marker == _START_OF_SCAN:
            is_single = stream.read(1) == bytes([n_channels]) and frame in (0xC0, 0xC1)
            if not is_single and _n_more_scans(stream) >= _MAX_SCANS:
                raise ImageError(name, f"it has more than {_MAX_SCANS} scans; save it as PNG")
            return
        else:
            stream.seek(max(0, length - 2), 1)


def _n_more_scans(stream: BinaryIO) -> int:
    """How many markers in the rest of the file start a scan; encoded pixels never look like one."""
    n_scans, last = 0, b""
    while chunk := stream.read(_CHUNK_BYTES):
        n_scans += (last + chunk).count(b"\xff\xda")
        last = chunk[-1:]
    return n_scans
