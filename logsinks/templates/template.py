"""Parse and render name templates.

`{field}`, `{field:spec}`, `{{` and `}}`; a name may be written with spaces (`{task name}`). A template is
relative, its parts are divided by `/`. The rendered name has no extension: the sink adds its own.

A template that is accepted gives every attempt a name of its own: :mod:`logsinks.templates.injectivity` proves
it when the configuration is loaded. Where the template doesn't name the attempt, a retry gets `.a2`, `.a3` at
the end. Names stay below what file systems and object stores take: long free values are cut and marked.
"""

from __future__ import annotations

import difflib
import re
import string
from datetime import UTC, datetime

from logsinks.errors import TemplateError, UnknownField
from logsinks.identity import AttemptIdentity
from logsinks.record import Stream
from logsinks.templates.escaping import CUT_MARK_LENGTH, escaped, shortened
from logsinks.templates.fields import FIELDS, FIXED_TIME, Field, Shape
from logsinks.templates.injectivity import Token, prove

DEFAULT_TEMPLATE = "{date}/{task_name}/{date}-{time}-{task_name}-{task_id}"

PART_LIMIT = 255 - 24
"""Bytes of one part: what file systems take, less the mark of a retry, the stream and an extension."""
NAME_LIMIT = 1024 - 24

_SAMPLE = datetime(2026, 12, 30, 22, 58, 59, 123_456, tzinfo=UTC)
_NUMBER_SPEC = re.compile(r"(0[1-9])?d\Z")
_CUT_SPEC = re.compile(r"\.([1-9][0-9]?)\Z")
_FORBIDDEN_LITERAL = re.compile(r"[\x00-\x1f\x7f\\]")


class Template:
    """A parsed template; immutable. :meth:`parse` makes it, or says what is wrong."""

    __slots__ = ("_free_limits", "_parts", "names_attempt", "text")

    def __init__(self, text: str, parts: tuple[tuple[Token, ...], ...], names_attempt: bool) -> None:
        self.text = text
        self.names_attempt = names_attempt
        self._parts = parts
        self._free_limits = tuple(_free_limit(text, part, len(parts)) for part in parts)

    def __repr__(self) -> str:
        return f"Template({self.text!r})"

    @classmethod
    def parse(cls, text: str) -> Template:
        """The template; TemplateError, UnknownField or NameCollision (with two examples) where it can't be used."""
        parts = _divided(text, _tokens(text))
        names_attempt = prove(text, parts)
        return cls(text, parts, names_attempt)

    def render(self, identity: AttemptIdentity, stream: Stream | None = None) -> str:
        """The name of an attempt's log; of one stream of it where a sink keeps the two apart."""
        name = "/".join(
            "".join(_rendered(token, identity, limit) for token in part)
            for part, limit in zip(self._parts, self._free_limits, strict=True)
        )
        if identity.attempt > 1 and not self.names_attempt:
            name += f".a{identity.attempt}"
        return name if stream is None else f"{name}.{stream.label}"


def _rendered(token: Token, identity: AttemptIdentity, limit: int) -> str:
    if token.field is None:
        return token.text
    if token.label:
        value = identity.labels.get(token.label, "")
    else:
        value = token.field.value(identity)
    if token.spec:
        value = _with_spec(token, identity, value)
    if token.shape is not Shape.FREE:
        return value if token.shape is Shape.ID else escaped(value)
    return shortened(escaped(value), limit)


def _with_spec(token: Token, identity: AttemptIdentity, value: str) -> str:
    if token.field is not None and token.field.takes == "time":
        return identity.started.astimezone(UTC).strftime(token.spec)
    if token.field is not None and token.field.takes == "number":
        return format(int(value), token.spec)
    return value[: int(token.spec[1:])]


def _tokens(text: str) -> list[Token]:
    try:
        pieces = list(string.Formatter().parse(text))
    except ValueError as error:
        raise TemplateError(
            "The name template can't be read", subject=text, why=str(error), hint="write a brace itself as {{ or }}"
        ) from error
    tokens: list[Token] = []
    for literal, name, spec, conversion in pieces:
        if literal:
            tokens.append(Token(literal))
        if name is None:
            continue
        if conversion:
            raise TemplateError("A field of the name template can't be converted", subject=text, why=f"!{conversion}")
        field_name = name.strip().replace(" ", "_")
        if field_name == "attempt_id" and not spec:
            tokens += [_field_token(text, "task_id", ""), Token("-"), _field_token(text, "attempt", "")]
        else:
            tokens.append(_field_token(text, field_name, spec or ""))
    return tokens


def _field_token(text: str, name: str, spec: str) -> Token:
    if name.startswith("label.") and len(name) > len("label."):
        field = Field("", "", Shape.FREE, lambda _: "")
        return Token("", name, spec, field, _shape(text, name, spec, field), name.removeprefix("label."))
    field = FIELDS.get(name)
    if field is None:
        nearest = difflib.get_close_matches(name, FIELDS, n=1)
        hint = f"did you mean {{{nearest[0]}}}?" if nearest else f"fields: {', '.join(FIELDS)}, label.NAME"
        raise UnknownField(
            "The name template has a field that doesn't exist", subject=text, why=f"{{{name}}}", hint=hint
        )
    return Token("", name, spec, field, _shape(text, name, spec, field))


def _shape(text: str, name: str, spec: str, field: Field) -> Shape:
    if not spec:
        return field.shape
    where = f"{{{name}:{spec}}}"
    if field.takes == "time":
        if "/" in spec or not _SAMPLE.strftime(spec):
            hint = "divide it: {date:%Y}/{date:%m}"
            raise TemplateError(
                "A time in the name template can't hold a slash or be empty", subject=text, why=where, hint=hint
            )
        return Shape.FIXED if _fixed_width(spec) else Shape.FREE
    if field.takes == "number":
        if not _NUMBER_SPEC.match(spec):
            raise TemplateError(
                "A number in the name template has a wrong form", subject=text, why=where, hint="like {attempt:03d}"
            )
        return field.shape
    if not _CUT_SPEC.match(spec):
        raise TemplateError(
            "A field of the name template has a wrong form",
            subject=text,
            why=where,
            hint="a text can be cut: {host:.8}",
        )
    # A cut id tells nothing apart any more; a cut value may be shorter than the cut.
    return Shape.FIXED if field.shape in {Shape.ID, Shape.FIXED} else Shape.FREE


def _fixed_width(spec: str) -> bool:
    directives = re.findall(r"%(.)", spec, re.DOTALL)
    return all(directive in FIXED_TIME for directive in directives)


def _divided(text: str, tokens: list[Token]) -> tuple[tuple[Token, ...], ...]:
    parts: list[list[Token]] = [[]]
    for token in tokens:
        if token.field is not None:
            parts[-1].append(token)
            continue
        found = _FORBIDDEN_LITERAL.search(token.text)
        if found:
            raise TemplateError("The name template has a forbidden character", subject=text, why=repr(found[0]))
        first, *others = token.text.split("/")
        if first:
            parts[-1].append(Token(first))
        parts.extend([Token(other)] if other else [] for other in others)
    for part in parts:
        if not part:
            hint = "write it relative, without // and without / at an end"
            raise TemplateError("The name template has an empty part", subject=text, hint=hint)
        if part[0].field is None and part[0].text.startswith("."):
            raise TemplateError("A part of the name template starts with a dot", subject=text, why=part[0].text)
    return tuple(tuple(_joined(part)) for part in parts)


def _joined(part: list[Token]) -> list[Token]:
    joined: list[Token] = []
    for token in part:
        if joined and token.field is None and joined[-1].field is None:
            joined[-1] = Token(joined[-1].text + token.text)
        else:
            joined.append(token)
    return joined


def _free_limit(text: str, part: tuple[Token, ...], parts: int) -> int:
    limit = min(PART_LIMIT, NAME_LIMIT // parts)
    free = sum(1 for token in part if token.shape is Shape.FREE)
    fixed = 0
    for token in part:
        if token.field is None:
            fixed += len(token.text.encode())
        elif token.shape is Shape.ID:
            fixed += 36
        elif token.shape is Shape.DIGITS:
            fixed += 20
        elif token.shape is Shape.FIXED:
            # Each character may need an escape of three.
            fixed += 3 * max(len(_SAMPLE.strftime(token.spec)) if token.spec.startswith("%") else 16, 16)
    room = limit - fixed
    if room < free * (CUT_MARK_LENGTH + 1):
        raise TemplateError("The name template is too long", subject=text, why=f"a part can have {limit} bytes")
    return room // free if free else 0
