"""The sections and keys of a task file, what each takes, and how its value is read.

Keys are compared without case, `_` and `-`. A reader raises ValueError whose text says what was expected.
"""

from __future__ import annotations

import re
import shlex
import signal
from collections.abc import Callable
from typing import Any, NamedTuple

from shepherd.definitions import units
from shepherd.definitions.definition import RETRY_FOR_EVER, Isolation, Network
from shepherd.definitions.ini_lines import unquoted
from shepherd.definitions.task_file_problems import nearest_name

NAME_EXPECTED = "a name of letters, digits and . _ - : / @, at most 200"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._:/@-]{0,199}", re.ASCII)
_LABEL = re.compile(r"([A-Za-z0-9._/-]+)=(.*)", re.ASCII)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)

MOST_RETRIES = 1_000_000


class Key(NamedTuple):
    """A key that a section knows."""

    name: str
    field: str
    read: Callable[[str], Any]
    repeats: bool = False
    """Whether it may stand more than once; an empty value then clears what stood above it, as in systemd."""


class UnlikeError(ValueError):
    """One of a few words was expected; carries the nearest."""

    def __init__(self, given: str, known: list[str]) -> None:
        super().__init__(" or ".join([", ".join(known[:-1]), known[-1]] if len(known) > 1 else known))
        self.nearest = nearest_name(given, known)


def task_name(text: str) -> str:
    """A task name."""
    name = unquoted(text)
    if not _NAME.fullmatch(name):
        raise ValueError(NAME_EXPECTED)
    return name


def words(text: str) -> tuple[str, ...]:
    """Words as a shell would split them; nothing else of a shell."""
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise ValueError("closed quotes, and no backslash at the end") from error


def labels(text: str) -> tuple[tuple[str, str], ...]:
    """`key=value` pairs, separated by spaces."""
    found: list[tuple[str, str]] = []
    for word in words(text):
        pair = _LABEL.fullmatch(word)
        if pair is None:
            raise ValueError("labels such as team=docs kind=nightly")
        found.append((pair[1], pair[2]))
    return tuple(found)


def variable_name(text: str) -> str:
    """The name of an environment variable that a task may set."""
    if not _VARIABLE.fullmatch(text):
        raise ValueError("a variable name of letters, digits and _")
    if text.startswith("AZOLLA_"):
        raise ValueError("another name: those that start with AZOLLA_ are set by the shepherd")
    return text


def some_text(text: str) -> str:
    """Any text but none."""
    value = unquoted(text)
    if not value:
        raise ValueError("a value")
    return value


def retries(text: str) -> int:
    """How often a failed task is tried again; -1: without end."""
    word = unquoted(text).casefold()
    if word in {"no", "never", "off"}:
        return 0
    if word in {"infinity", "inf", "on-failure", "unlimited"}:
        return RETRY_FOR_EVER
    if word.isascii() and word.isdigit() and len(word) < 9 and int(word) <= MOST_RETRIES:
        return int(word)
    raise ValueError("a number of retries, infinity or never")


def signal_name(text: str) -> str:
    """A signal by name (with or without SIG) or number."""
    word = unquoted(text).upper()
    if word.isascii() and word.isdigit():
        try:
            return signal.Signals(int(word)).name
        except ValueError:
            raise ValueError("a signal such as SIGTERM") from None
    name = word if word.startswith("SIG") else "SIG" + word
    if name not in signal.Signals.__members__:
        raise UnlikeError(name, ["SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGKILL"])
    return name


def nice(text: str) -> int:
    """A nice value."""
    try:
        value = int(unquoted(text))
    except ValueError:
        value = 99
    if not -20 <= value <= 19:
        raise ValueError("a number from -20 (first) to 19 (last)")
    return value


def delay(text: str) -> float:
    """A time that ends."""
    value = units.seconds(unquoted(text))
    if value is None:
        raise ValueError("a time such as 500ms, 2s or 1m30s, not without end")
    return value


def _one_of(known: list[str]) -> Callable[[str], str]:
    def read(text: str) -> str:
        value = unquoted(text).casefold()
        if value not in known:
            raise UnlikeError(value, known)
        return value

    return read


def _of(read: Callable[[str], Any]) -> Callable[[str], Any]:
    return lambda text: read(unquoted(text))


def _positive(read: Callable[[str], Any]) -> Callable[[str], Any]:
    def checked(text: str) -> Any:
        value = read(unquoted(text))
        if value is not None and value <= 0:
            raise ValueError("more than 0, or infinity")
        return value

    return checked


isolation = _one_of([str(tier) for tier in Isolation])
network = _one_of([str(kind) for kind in Network])

_KEYS: dict[str, tuple[Key, ...]] = {
    "Task": (
        Key("Name", "name", task_name),
        Key("Description", "description", unquoted),
        Key("Labels", "labels", labels, repeats=True),
    ),
    "Command": (
        Key("Command", "command", words),
        Key("Args", "args", words, repeats=True),
        Key("TTY", "tty", _of(units.flag)),
    ),
    "Python": (
        Key("Module", "module", some_text),
        Key("Function", "function", some_text),
    ),
    "Service": (
        Key("User", "user", some_text),
        Key("Group", "group", some_text),
        Key("WorkingDirectory", "working_directory", some_text),
        Key("Restart", "restart", retries),
        Key("RetryDelay", "retry_delay", delay),
        Key("MaxTime", "max_time", _positive(units.seconds)),
        Key("KillSignal", "kill_signal", signal_name),
        Key("Grace", "grace", delay),
        Key("LimitMem", "limit_mem", _positive(units.size_bytes)),
        Key("LimitDisk", "limit_disk", _positive(units.size_bytes)),
        Key("LimitCPU", "limit_cpu", _of(units.processors)),
        Key("LimitPids", "limit_pids", _positive(units.whole)),
        Key("Isolation", "isolation", isolation),
        Key("Network", "network", network),
        Key("Nice", "nice", nice),
    ),
    "Dependencies": (
        Key("Requires", "requires", words, repeats=True),
        Key("Wants", "wants", words, repeats=True),
        Key("After", "after", words, repeats=True),
        Key("Before", "before", words, repeats=True),
    ),
}

FREE_SECTIONS = ("Checks", "Environment", "RunIf")
"""Sections whose keys are names of the author's choice."""

SECTIONS = (*_KEYS, *FREE_SECTIONS)

ELSEWHERE = {
    "execstart": "Command (in [Command])",
    "restartsec": "RetryDelay",
    "runtimemaxsec": "MaxTime",
    "timeoutsec": "MaxTime",
    "timeout": "MaxTime",
    "timeoutstopsec": "Grace",
    "memorymax": "LimitMem",
    "memorylimit": "LimitMem",
    "limitmemory": "LimitMem",
    "cpuquota": "LimitCPU",
    "tasksmax": "LimitPids",
    "limitnproc": "LimitPids",
    "retries": "Restart",
    "cwd": "WorkingDirectory",
    "workdir": "WorkingDirectory",
}
"""What systemd and others call our keys."""


def folded(name: str) -> str:
    """A name as it is compared."""
    return name.casefold().replace("_", "").replace("-", "")


_SECTION_BY_FOLDED = {folded(name): name for name in SECTIONS}
_KEY_BY_FOLDED = {section: {folded(key.name): key for key in keys} for section, keys in _KEYS.items()}


def find_section(written: str) -> str | None:
    """The section that is meant; None if there is none."""
    return _SECTION_BY_FOLDED.get(folded(written))


def find_key(section: str, written: str) -> Key | None:
    """The key of a section that is meant; None if there is none."""
    return _KEY_BY_FOLDED[section].get(folded(written))


def nearest_key(section: str, written: str) -> str:
    """The key that was probably meant, with its section if it belongs to another; empty if nothing comes near."""
    short = folded(written)
    if short in ELSEWHERE:
        return ELSEWHERE[short]
    for other, keys in _KEY_BY_FOLDED.items():
        if short in keys:
            return f"{keys[short].name} (in [{other}])"
    own = nearest_name(written, [key.name for key in _KEYS[section]])
    if own:
        return own
    for other, keys in _KEYS.items():
        found = nearest_name(written, [key.name for key in keys])
        if found and other != section:
            return f"{found} (in [{other}])"
    return ""


def keys_of(section: str) -> tuple[Key, ...]:
    """The keys of a section whose names are fixed."""
    return _KEYS[section]


def read_value(section: str, name: str, text: str) -> Any:
    """The value of a known key. ValueError says what was expected."""
    return _KEY_BY_FOLDED[section][folded(name)].read(text)
