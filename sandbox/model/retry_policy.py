"""When a failed attempt is tried again, how long after, and when to give up: Azolla's retry policy.

Source of defaults and JSON form: the Azolla contract. Two differences, both on purpose: the first retry
waits `initial_delay` (Azolla already multiplies it once), and a fixed delay of 0 is no delay.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, cast

import orjson

ANY_ERROR = "TaskError"
"""An entry of `include_errors` that stands for every error type."""

LONGEST_DELAY_S = 366 * 86_400.0
"""Delays above a year are refused: they are mistakes, and overflow elsewhere."""


class WaitStrategy(StrEnum):
    """How the delay before a retry grows."""

    FIXED = "fixed"
    EXPONENTIAL = "exponential"
    EXPONENTIAL_JITTER = "exponential_jitter"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """All times are seconds. Build it through :meth:`checked` or :meth:`from_json`, which refuse nonsense."""

    max_attempts: int | None = 5
    """With the first one; None: no cap."""
    max_elapsed: float | None = None
    """Since the creation of the task; looked at when an attempt fails."""
    strategy: WaitStrategy = WaitStrategy.EXPONENTIAL_JITTER
    delay: float = 1.0
    """Of the fixed wait."""
    initial_delay: float = 1.0
    multiplier: float = 2.0
    max_delay: float = 300.0
    include_errors: tuple[str, ...] = ("ValueError",)
    exclude_errors: tuple[str, ...] = field(default=())

    def checked(self) -> RetryPolicy:
        """Itself; ValueError that names the wrong field and what it allows."""
        if self.max_attempts is not None and self.max_attempts < 1:
            raise ValueError("stop.max_attempts must be at least 1")
        if self.max_elapsed is not None and not 0 <= self.max_elapsed < math.inf:
            raise ValueError("stop.max_delay must be a number of seconds, 0 or more")
        for name in ("delay", "initial_delay", "max_delay"):
            value = getattr(self, name)
            if not 0 <= value <= LONGEST_DELAY_S:
                raise ValueError(f"wait.{name} must lie between 0 and {LONGEST_DELAY_S:.0f} seconds, it is {value:g}")
        if not 1 <= self.multiplier < math.inf:
            raise ValueError(f"wait.multiplier must be at least 1, it is {self.multiplier:g}")
        return self

    def retries_error(self, error_type: str) -> bool:
        """Whether an error of this type is tried again, attempts and time permitting."""
        if error_type in self.exclude_errors:
            return False
        return ANY_ERROR in self.include_errors or error_type in self.include_errors

    def delay_before(self, retry: int, unit: float) -> float:
        """Seconds to wait before retry number `retry` (from 1); `unit` is a random number in [0, 1)."""
        if self.strategy is WaitStrategy.FIXED:
            return self.delay
        try:
            grown = min(self.initial_delay * self.multiplier ** (retry - 1), self.max_delay)
        except OverflowError:
            grown = self.max_delay
        return grown * unit if self.strategy is WaitStrategy.EXPONENTIAL_JITTER else grown

    def to_json(self) -> str:
        """Azolla's JSON form, which is also kept in the database."""
        wait: dict[str, Any] = {"strategy": self.strategy.value}
        if self.strategy is WaitStrategy.FIXED:
            wait["delay"] = self.delay
        else:
            wait |= {
                "initial_delay": self.initial_delay,
                "multiplier": self.multiplier,
                "max_delay": self.max_delay,
            }
        return orjson.dumps(
            {
                "version": 1,
                "stop": {"max_attempts": self.max_attempts, "max_delay": self.max_elapsed},
                "wait": wait,
                "retry": {
                    "include_errors": list(self.include_errors),
                    "exclude_errors": list(self.exclude_errors),
                },
            }
        ).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> RetryPolicy:
        """Read Azolla's JSON form; what is absent has its default. ValueError says which key is wrong."""
        try:
            value: Any = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise ValueError(f"the retry policy is not JSON: {error}") from error
        return cls.from_dict(value)

    @classmethod
    def from_dict(cls, value: Any) -> RetryPolicy:
        """The same from an object that was read already."""
        if not isinstance(value, dict):
            raise ValueError("a retry policy is an object with the keys stop, wait, retry")
        policy = cast("dict[str, Any]", value)
        if policy.get("version", 1) != 1:
            raise ValueError(f"retry policy version {policy['version']} is unknown; this one speaks version 1")
        for key in policy.keys() - {"version", "stop", "wait", "retry"}:
            raise ValueError(f"a retry policy has no key {key!r}; it has version, stop, wait, retry")
        found: dict[str, Any] = {}
        for section, names in _SECTIONS.items():
            content = policy.get(section)
            if content is None:
                continue
            if not isinstance(content, dict):
                raise ValueError(f"{section} of a retry policy is an object")
            for key, given in cast("dict[str, Any]", content).items():
                if key not in names:
                    raise ValueError(f"{section} has no key {key!r}; it has {', '.join(names)}")
                name, kind = names[key]
                found[name] = _typed(f"{section}.{key}", given, kind)
            if section == "stop":
                found.setdefault("max_attempts", None)
            if section == "retry":
                found.setdefault("include_errors", ())
        return cls(**found).checked()


_SECTIONS: dict[str, dict[str, tuple[str, str]]] = {
    "stop": {"max_attempts": ("max_attempts", "int?"), "max_delay": ("max_elapsed", "number?")},
    "wait": {
        "strategy": ("strategy", "strategy"),
        "delay": ("delay", "number"),
        "initial_delay": ("initial_delay", "number"),
        "multiplier": ("multiplier", "number"),
        "max_delay": ("max_delay", "number"),
    },
    "retry": {"include_errors": ("include_errors", "names"), "exclude_errors": ("exclude_errors", "names")},
}


def _typed(where: str, given: Any, kind: str) -> Any:
    if given is None and kind.endswith("?"):
        return None
    kind = kind.rstrip("?")
    if kind == "names":
        if isinstance(given, list) and all(isinstance(name, str) for name in given):  # pyright: ignore[reportUnknownVariableType]
            return tuple(given)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        raise ValueError(f"{where} is a list of error types")
    if kind == "strategy":
        try:
            return WaitStrategy(given)
        except ValueError:
            raise ValueError(f"{where} is one of {', '.join(WaitStrategy)}, not {given!r}") from None
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise ValueError(f"{where} is a number, not {given!r}")
    if kind == "int" and not isinstance(given, int):
        raise ValueError(f"{where} is a whole number, not {given!r}")
    return given


DEFAULT = RetryPolicy()
"""What Azolla gives a task that was created without a policy."""
