"""Could two attempts get one name? If so, which two.

A name can be taken apart again when some part of it has the task's id at a place that can be found: counting
from the left or from the right of the part, only things of known width lie before it, or values whose end can be
seen. The end of a free value can be seen where the text after it has a character that no value can hold (values
are escaped). Ids have one width. The number of the attempt is found in the same way, and ends where the digits
end; where it isn't found, the name gets the mark of a retry, which no value can end with.

What is proved so is accepted. For all else, two attempts are built that collide, to be shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from logsinks.errors import NameCollision, TemplateError
from logsinks.identity import AttemptIdentity
from logsinks.templates.escaping import ALPHABET
from logsinks.templates.fields import Field, Shape

_FIRST_ID = "019cec9c-4d07-8001-8000-0000deadbeef"
_SECOND_ID = "019cec9c-4d07-8001-8000-0000deadbee0"
_HINT = "put {task_id} or {attempt_id} first or last in a part of the name"


@dataclass(frozen=True, slots=True)
class Token:
    """A literal text, or a field with its spec."""

    text: str
    name: str = ""
    spec: str = ""
    field: Field | None = None
    shape: Shape = Shape.FIXED
    label: str = ""


def prove(text: str, parts: tuple[tuple[Token, ...], ...]) -> bool:
    """Whether the template names the attempt; NameCollision or TemplateError if it isn't proved unique."""
    if any(_found(part, Shape.ID) for part in parts):
        return any(_found(part, Shape.DIGITS) for part in parts)
    has_id = any(token.shape is Shape.ID for part in parts for token in part)
    pair = _colliding_around_id(text, parts) if has_id else _colliding_without_id(text, parts)
    if pair is None:
        raise TemplateError(
            "The name template is not proved to give every attempt its own name", subject=text, hint=_HINT
        )
    first, second, name = pair
    raise NameCollision(
        "The name template can give two attempts one name",
        subject=text,
        hint=_HINT,
        first=_shown(first, parts),
        second=_shown(second, parts),
        name=name,
    )


def _found(part: Sequence[Token], wanted: Shape) -> bool:
    """Whether the id, or the attempt's number, can be found from the left or from the right."""
    return _found_from(part, wanted, 0) or _found_from(part[::-1], wanted, -1)


def _found_from(part: Sequence[Token], wanted: Shape, border: int) -> bool:
    for place, token in enumerate(part):
        following = part[place + 1] if place + 1 < len(part) else None
        if token.field is None or token.shape in {Shape.FIXED, Shape.ID}:
            end_seen = True
        elif token.shape is Shape.DIGITS:
            end_seen = following is None or (following.field is None and not following.text[border].isdigit())
        else:
            end_seen = following is not None and following.field is None and not ALPHABET.issuperset(following.text)
        if wanted is Shape.ID and token.shape is Shape.ID:
            return True
        if wanted is Shape.DIGITS and token.name == "attempt" and end_seen:
            return True
        if not end_seen:
            return False
    return False


def _example(task_id: str, values: dict[str, str]) -> AttemptIdentity:
    fields: dict[str, Any] = {
        "task_id": task_id,
        "attempt": 1,
        "task_name": "a",
        "domain": "d",
        "queue": "q",
        "shepherd": "s",
        "host": "h",
        "started": datetime(2026, 3, 14, 15, 9, 26, tzinfo=UTC),
        "flow_id": "",
    }
    labels = {name.removeprefix("label."): value for name, value in values.items() if name.startswith("label.")}
    fields.update({name: value for name, value in values.items() if not name.startswith("label.")})
    return AttemptIdentity(**fields, labels=labels)


def _rendered(text: str, parts: tuple[tuple[Token, ...], ...], identity: AttemptIdentity) -> str:
    # The two modules are one idea in two files; a template is needed here only when one is refused.
    from logsinks.templates.template import Template

    return Template(text, parts, names_attempt=True).render(identity)


def _colliding_without_id(
    text: str, parts: tuple[tuple[Token, ...], ...]
) -> tuple[AttemptIdentity, AttemptIdentity, str] | None:
    """Two tasks that differ in nothing the template shows; with short hashes, found by trying."""
    from logsinks.templates.template import Template  # see _rendered

    template = Template(text, parts, names_attempt=True)
    first = _example(_FIRST_ID, {})
    name = template.render(first)
    for number in range(300_000):
        second = _example(f"{_FIRST_ID[:24]}{number:012x}", {})
        if second.task_id != first.task_id and template.render(second) == name:
            return first, second, name
        if number == 64 and not any(token.name.startswith("hash") for part in parts for token in part):
            return None
    return None


def _colliding_around_id(
    text: str, parts: tuple[tuple[Token, ...], ...]
) -> tuple[AttemptIdentity, AttemptIdentity, str] | None:
    """Between two free values an id can be read at two places: `a-ID-b`."""
    for part in parts:
        for place, token in enumerate(part):
            if token.shape is not Shape.ID:
                continue
            left = next((index for index in range(place - 1, -1, -1) if _is_text(part[index])), None)
            right = next((index for index in range(place + 1, len(part)) if _is_text(part[index])), None)
            if left is None or right is None or part[left].name == part[right].name:
                continue
            before = _between(text, part[left + 1 : place])
            after = _between(text, part[place + 1 : right])
            outer = {part[left].name: "x", part[right].name: f"y{before}{_SECOND_ID}{after}z"}
            inner = {part[left].name: f"x{before}{_FIRST_ID}{after}y", part[right].name: "z"}
            first, second = _example(_FIRST_ID, outer), _example(_SECOND_ID, inner)
            name = _rendered(text, parts, first)
            if name == _rendered(text, parts, second):
                return first, second, name
    return None


def _is_text(token: Token) -> bool:
    """Whether anything may stand there."""
    return token.shape is Shape.FREE and token.field is not None and token.field.takes != "time"


def _between(text: str, tokens: Sequence[Token]) -> str:
    return _rendered(text, (tuple(tokens),), _example(_FIRST_ID, {})) if tokens else ""


def _shown(identity: AttemptIdentity, parts: tuple[tuple[Token, ...], ...]) -> str:
    names = dict.fromkeys(token.name for part in parts for token in part if token.shape is Shape.FREE)
    plain = replace(identity, labels={})
    values = [f"task_id {identity.task_id}", f"attempt {identity.attempt}"]
    for name in names:
        if name.startswith("label."):
            values.append(f"{name} {identity.labels.get(name.removeprefix('label.'), '')}")
        elif hasattr(plain, name):
            values.append(f"{name} {getattr(plain, name)}")
    return f"({', '.join(values)})"
