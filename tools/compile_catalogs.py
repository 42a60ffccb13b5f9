"""Compile the lesson's language catalogs: each softmaxce.po to the softmaxce.mo beside it.

Run it after a change to a .po file. The .mo files are committed, so that neither building nor
running the package needs a compiler of catalogs; a test holds the two together.
"""

from __future__ import annotations

import ast
import struct
import sys
from pathlib import Path

LOCALE = Path(__file__).parent.parent / "src" / "softmaxce" / "locale"
MAGIC = 0x950412DE


def read_po(text: str) -> dict[str, str]:
    """The messages of a .po file: msgid → msgstr, the header under ""."""
    messages: dict[str, str] = {}
    parts = {"msgid": "", "msgstr": ""}
    current = ""

    def finish() -> None:
        if current:
            if parts["msgid"] in messages:
                raise ValueError(f"twice in the catalog: {parts['msgid']!r}")
            messages[parts["msgid"]] = parts["msgstr"]

    for line in text.splitlines():
        keyword, _, rest = line.partition(" ")
        if keyword == "msgid":
            finish()
            parts = {"msgid": "", "msgstr": ""}
        if keyword in parts:
            current, line = keyword, rest
        if line.startswith('"'):
            parts[current] += ast.literal_eval(line)
    finish()
    return messages


def mo_bytes(messages: dict[str, str]) -> bytes:
    """The messages in the binary format of GNU gettext (the manual, “MO Files”)."""
    pairs = sorted((key.encode(), value.encode()) for key, value in messages.items() if value)
    n = len(pairs)
    header = 7 * 4
    offset = header + 2 * n * 8
    tables, strings = [], b""
    for side in (0, 1):
        for pair in pairs:
            tables.append(struct.pack("<II", len(pair[side]), offset + len(strings)))
            strings += pair[side] + b"\0"
    start = struct.pack("<7I", MAGIC, 0, n, header, header + n * 8, 0, offset)
    return start + b"".join(tables) + strings


def main() -> None:
    """Compile every catalog."""
    for catalog in sorted(LOCALE.rglob("*.po")):
        messages = read_po(catalog.read_text("utf-8"))
        catalog.with_suffix(".mo").write_bytes(mo_bytes(messages))
        print(f"{catalog}: {len(messages) - 1} messages", file=sys.stderr)


if __name__ == "__main__":
    main()
