"""What a kill left behind: torn tails are cut, and it is told which attempts were still going.

Runs at the start of a catcher, before it serves anybody, under the lock: nobody else writes.
"""

from __future__ import annotations

import os

from logsinks.spool import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_BLOCK = 1 << 20


class Unended:
    """An attempt that has a begin in the spool and no end."""

    __slots__ = ("begun", "bytes", "identity", "lines", "tag")

    def __init__(self, tag: int, identity: bytes, size: int, lines: int) -> None:
        self.tag = tag
        self.identity = identity
        self.bytes = size
        self.lines = lines
        self.begun = True
        """Its begin stands in the segment that is to tell of its end."""


class Recovered:
    """A unit's last segment, with what was going on."""

    __slots__ = ("closed", "cut_bytes", "path", "unended")

    def __init__(self, path: str, unended: list[Unended], cut_bytes: int, *, closed: bool = False) -> None:
        self.path = path
        self.closed = closed
        """The catcher died between this segment and the next."""
        self.unended = unended
        self.cut_bytes = cut_bytes


def recover(directory: str, now_ns: Callable[[], int]) -> list[Recovered]:
    """Mend every segment that isn't closed, and say what was going on. They stay open for :func:`settle`."""
    with os.scandir(directory) as entries:
        names = sorted(entry.name for entry in entries if layout.is_segment(entry.name))
    found: list[Recovered] = []
    for place, name in enumerate(names):
        unit = layout.unit_of(name)
        if place + 1 < len(names) and layout.unit_of(names[place + 1]) == unit:
            continue  # closed before the next was made
        before = names[place - 1] if place and layout.unit_of(names[place - 1]) == unit else ""
        recovered = _recover_last(f"{directory}/{name}", f"{directory}/{before}" if before else "", now_ns)
        if recovered is not None:
            found.append(recovered)
    return found


def settle(recovered: Recovered, going_on: set[int], now_ns: Callable[[], int]) -> None:
    """Close a unit; end its attempts except those whose tags go on elsewhere. OSError if it can't."""
    pieces: list[bytes] = []
    for attempt in recovered.unended:
        if attempt.tag not in going_on:
            totals = layout.COUNTS.pack(attempt.bytes, attempt.lines)
            if not attempt.begun:
                begin = totals + attempt.identity
                pieces += [layout.frame_header(now_ns(), layout.BEGIN, layout.CONTINUED, attempt.tag, begin), begin]
            pieces += [layout.frame_header(now_ns(), layout.END, layout.INTERRUPTED, attempt.tag, totals), totals]
    pieces.append(layout.frame_header(now_ns(), layout.CLOSE, 0, 0, b""))
    path, flags = recovered.path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
    if recovered.closed:
        folder, _, name = path.rpartition("/")
        unit, segment = layout.unit_of(name), layout.segment_number(name)
        path, flags = f"{folder}/{layout.segment_name(unit, segment + 1)}", flags | os.O_CREAT | os.O_EXCL
        pieces.insert(0, layout.HEADER)
    fd = os.open(path, flags, 0o600)
    try:
        os.write(fd, b"".join(pieces))
        os.fdatasync(fd)
    finally:
        os.close(fd)


def _recover_last(path: str, before: str, now_ns: Callable[[], int]) -> Recovered | None:
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        flags = _close_flags(fd)
        if flags is not None:
            unended = _going_on(fd, os.fstat(fd).st_size)[0].values() if flags & layout.CONTINUED else ()
            for attempt in unended:
                attempt.begun = False
            return Recovered(path, list(unended), 0, closed=True) if unended else None
        carried = _carried(before) if before else {}
        return _mend(fd, path, carried, now_ns)
    finally:
        os.close(fd)


def _carried(before: str) -> dict[int, Unended]:
    """The attempts that a closed segment hands on to the next, which may have been cut before it told of them."""
    fd = os.open(before, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        flags = _close_flags(fd)
        if not flags or not flags & layout.CONTINUED:
            return {}
        carried, _ = _going_on(fd, os.fstat(fd).st_size)
    finally:
        os.close(fd)
    for attempt in carried.values():
        attempt.begun = False
    return carried


def _close_flags(fd: int) -> int | None:
    """The flags of the close frame that ends a segment; None if it isn't closed."""
    size = os.fstat(fd).st_size
    if size < layout.HEADER_SIZE + layout.FRAME_SIZE:
        return None
    return layout.close_flags(os.pread(fd, layout.FRAME_SIZE, size - layout.FRAME_SIZE))


def _mend(fd: int, path: str, carried: dict[int, Unended], now_ns: Callable[[], int]) -> Recovered:
    size = os.fstat(fd).st_size
    if os.pread(fd, layout.HEADER_SIZE, 0) != layout.HEADER:
        # Cut before the header was whole: the file never held anything.
        os.ftruncate(fd, 0)
        os.pwrite(fd, layout.HEADER, 0)
    unended, good = _going_on(fd, size, carried)
    torn = os.pread(fd, layout.FRAME_SIZE, good)
    os.ftruncate(fd, good)
    if size > good:
        _note_torn(fd, good, torn, unended, now_ns)
    return Recovered(path, list(unended.values()), size - good)


def _going_on(fd: int, size: int, carried: dict[int, Unended] | None = None) -> tuple[dict[int, Unended], int]:
    """The attempts that a segment begins (or is handed) and doesn't end, and where its last good frame ends."""
    good = layout.HEADER_SIZE
    unended: dict[int, Unended] = carried or {}
    for end, stream, tag, payload in _frames(fd, size):
        good = end
        if stream == layout.BEGIN:
            base_bytes, base_lines = layout.COUNTS.unpack_from(payload)
            unended[tag] = Unended(tag, bytes(payload[layout.COUNTS.size :]), base_bytes, base_lines)
        elif stream == layout.END:
            unended.pop(tag, None)
        elif stream in {layout.OUT, layout.ERR} and tag in unended:
            unended[tag].bytes += len(payload)
            unended[tag].lines += bytes(payload).count(b"\n")
    return unended, good


def _note_torn(fd: int, good: int, torn: bytes, unended: dict[int, Unended], now_ns: Callable[[], int]) -> None:
    if len(torn) < layout.FRAME_SIZE:
        return  # not even a header: nothing is known of what was to follow
    length, _, _, stream, _, tag = layout.FRAME.unpack(torn)
    if stream not in {layout.OUT, layout.ERR} or length > layout.MAX_PAYLOAD:
        return
    if tag not in unended or not unended[tag].begun:
        return
    missing = layout.COUNTS.pack(length, 0)
    os.pwrite(fd, layout.frame_header(now_ns(), layout.GAP, layout.TORN, tag, missing) + missing, good)


def _frames(fd: int, size: int) -> Iterator[tuple[int, int, int, memoryview]]:
    """The good frames from the start: where each ends, its stream, tag and payload."""
    position = layout.HEADER_SIZE
    block_start, block = 0, b""
    while position + layout.FRAME_SIZE <= size:
        if position + layout.FRAME_SIZE > block_start + len(block):
            block_start, block = position, os.pread(fd, _BLOCK, position)
        length, checksum, time_ns, stream, flags, tag = layout.FRAME.unpack_from(block, position - block_start)
        end = position + layout.FRAME_SIZE + length
        if length > layout.MAX_PAYLOAD or end > size:
            return
        if end > block_start + len(block):
            block_start, block = position, os.pread(fd, _BLOCK, position)
        first = position - block_start + layout.FRAME_SIZE
        payload = memoryview(block)[first : first + length]
        if len(payload) < length or not layout.right_checksum(checksum, time_ns, stream, flags, tag, payload):
            return
        yield end, stream, tag, payload
        position = end
