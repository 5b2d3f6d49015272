"""From the source of a module to what is in it. Only the standard library, no I/O."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

_BRANCHES = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.IfExp, ast.ExceptHandler, ast.comprehension, ast.match_case)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_TODO = re.compile(r"\b(TODO|FIXME|XXX)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleCounts:
    """What one module holds."""

    module: str
    lines: int
    functions: int
    documented: int
    """How many of the functions have a docstring."""
    classes: int
    branches: int
    """Places where the way divides: if, loops, handlers, cases, `and`, `or`, comprehensions."""
    longest: str
    """The longest function by its qualified name; empty where there is none."""
    longest_lines: int
    todos: int

    def to_dict(self) -> dict[str, object]:
        """As a task returns it."""
        return asdict(self)


def examine(module: str, source: str, *, path: str = "<source>", say: Callable[[str], None]) -> ModuleCounts:
    """Count, and say each find of note at once, a line each. SyntaxError if the source can't be parsed."""
    lines = source.count("\n") + (not source.endswith("\n") and source != "")
    say(f"{module}: {lines} lines")
    survey = _Survey(say)
    survey.look_at(ast.parse(source, filename=path), "")
    todos = 0
    for line, text in _todo_comments(source):
        todos += 1
        say(f"  line {line}: {text}")
    counts = ModuleCounts(
        module=module,
        lines=lines,
        functions=survey.functions,
        documented=survey.documented,
        classes=survey.classes,
        branches=survey.branches,
        longest=survey.longest,
        longest_lines=survey.longest_lines,
        todos=todos,
    )
    say(f"{module}: {counts.functions} functions, {counts.classes} classes, {counts.branches} branches, {todos} to do")
    return counts


class _Survey:
    """One walk over the tree of a module."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self.functions = self.documented = self.classes = self.branches = 0
        self.longest, self.longest_lines = "", 0

    def look_at(self, node: ast.AST, prefix: str) -> None:
        """Count what is below the node, in the order of the file. `prefix` qualifies the names there."""
        for value in vars(node).values():
            for child in value if isinstance(value, list) else (value,):
                if not isinstance(child, ast.AST):
                    continue
                below = prefix
                if isinstance(child, _BRANCHES):
                    self.branches += 1
                elif isinstance(child, ast.BoolOp):
                    self.branches += len(child.values) - 1
                elif isinstance(child, _FUNCTIONS):
                    below = self._function(child, prefix)
                elif isinstance(child, ast.ClassDef):
                    below = self._class(child, prefix)
                self.look_at(child, below)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, prefix: str) -> str:
        name = prefix + node.name
        self.functions += 1
        self.documented += ast.get_docstring(node, clean=False) is not None
        length = (node.end_lineno or node.lineno) - node.lineno + 1
        if length > self.longest_lines:
            self.longest, self.longest_lines = name, length
            self._say(f"  line {node.lineno}: {name}() has {length} lines, the longest so far")
        return f"{name}."

    def _class(self, node: ast.ClassDef, prefix: str) -> str:
        name = prefix + node.name
        self.classes += 1
        methods = sum(isinstance(child, _FUNCTIONS) for child in node.body)
        self._say(f"  line {node.lineno}: class {name}, {methods} methods")
        return f"{name}."


def _todo_comments(source: str) -> Iterator[tuple[int, str]]:
    """Comments that admit to unfinished business, with their line; not strings that contain such a word."""
    if not _TODO.search(source):
        return
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and _TODO.search(token.string):
            yield token.start[0], token.string
