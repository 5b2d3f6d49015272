"""Output of tasks, made harmless for a terminal.

A task may print sequences that move the cursor, set the title, answer for the keyboard or hide text (CVE-2021-25743
and its kin). Stored logs keep every byte; whatever shows them goes through here. Control characters become visible
ones (`␛`, `␍`), a tab stays, and where colour is wanted only SGR sequences stay: colour and style, nothing else.
"""

from __future__ import annotations

import re

_SGR = re.compile(r"\x1b\[[0-9;:]{0,64}m\Z")
_SEQUENCES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # control sequences: cursor, erase, colour
    r"|\x1b[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # strings: title, clipboard, device control
    r"|\x1b[ -/]*[0-~]"  # short escapes: reset, character sets
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f]"  # single controls, but tab and newline
    r"|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"  # marks that turn the direction of writing
    r"|[\ud800-\udfff]"  # halves of characters, which no terminal takes
)
_RESET = "\x1b[0m"


def safe_text(data: bytes | str, *, keep_colour: bool) -> str:
    """The text as it may be shown: nothing in it but characters, tabs, newlines and, if wanted, colours.

    Bytes are read as UTF-8, what isn't becomes U+FFFD. A colour that is still on at the end is switched off.
    """
    text = data.decode("utf-8", "replace") if isinstance(data, bytes) else data
    if text.isprintable():
        return text
    text = text.replace("\r\n", "\n")
    coloured = False

    def harmless(match: re.Match[str]) -> str:
        nonlocal coloured
        found = match[0]
        if len(found) > 1:
            if keep_colour and _SGR.match(found):
                coloured = found not in {"\x1b[m", _RESET}
                return found
            return "" if _SGR.match(found) else "␛" + _visible(found[1:])
        return _visible(found)

    shown = _SEQUENCES.sub(harmless, text)
    return shown + _RESET if coloured else shown


def _visible(text: str) -> str:
    return "".join(_picture(character) for character in text)


def _picture(character: str) -> str:
    number = ord(character)
    if number < 0x20:
        return chr(0x2400 + number)
    if number == 0x7F:
        return "\u2421"
    if 0x80 <= number < 0xA0 or _SEQUENCES.match(character):
        return "\ufffd"
    return character
