"""HEIF and AVIF files, through plug-ins of Pillow that may be missing."""

from __future__ import annotations

from functools import cache

from PIL import Image, features


def is_heif(head: bytes) -> bool:
    """Whether a file may be HEIF or AVIF, by its first bytes."""
    return head[4:8] == b"ftyp"


@cache
def heif_formats() -> tuple[str, ...]:
    """Pillow's names of those of the formats that can be read here.

    Pillow reads AVIF from version 11.3; pillow-heif, which may be missing, reads HEIF.
    """
    Image.init()
    names = ("AVIF",) if "avif" in features.modules and features.check_module("avif") else ()
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return names
    register_heif_opener()
    return (*names, "HEIF")
