"""Values made harmless for names: none can leave its place, on any file system or object store.

Every byte outside `A-Z a-z 0-9 . _ -` becomes `=XX`. `=` itself is legal in keys and on every file system, and
nobody decodes it behind our back as proxies do with `%`. A dot is escaped where it could be mistaken: at the
start of a value, and where the value ends like the mark of a retry (`.a2`).
"""

from __future__ import annotations

import re
import unicodedata
from hashlib import blake2s

_PLAIN = re.compile(r"[A-Za-z0-9._\-]+\Z")
_OTHER = re.compile(rb"[^A-Za-z0-9._\-]")
_LIKE_A_RETRY = re.compile(r"\.(?=(?:a[0-9]*)?\Z)")

ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-=~")
"""Every character that can stand in an escaped or shortened value; any other one in a template is a border."""

CUT_MARK_LENGTH = 9
"""Characters of `~` and the digest that end a shortened value."""


def escaped(value: str) -> str:
    """The value as it may stand in a name; never empty, never with a separator, never a dot at its start."""
    if not value:
        return "-"
    if not _PLAIN.match(value):
        raw = unicodedata.normalize("NFC", value).encode("utf-8", "surrogatepass")
        value = _OTHER.sub(lambda match: b"=%02X" % match[0][0], raw).decode("ascii")
    if value[0] == ".":
        value = "=2E" + value[1:]
    if "." in value:
        value = _LIKE_A_RETRY.sub("=2E", value)
    return value


def shortened(value: str, limit: int) -> str:
    """An escaped value of at most `limit` characters: cut, and marked with a digest of the whole."""
    if len(value) <= limit:
        return value
    digest = blake2s(value.encode(), digest_size=4).hexdigest()
    kept = value[: limit - CUT_MARK_LENGTH]
    # An escape is three characters and goes as a whole.
    cut = kept.rfind("=", max(0, len(kept) - 2))
    return (kept if cut < 0 else kept[:cut]) + "~" + digest
