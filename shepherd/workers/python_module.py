"""A task's module, imported from its file, and the function in it, made ready to be called.

The module gets a name of its own in `sys.modules`, so that two modules called `tasks.py` don't meet; its folder
is on `sys.path`, so that it can import its neighbours.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

_MODULES: dict[str, ModuleType] = {}
_FUNCTIONS: dict[tuple[str, str], TaskFunction] = {}


class NotLoaded(Exception):
    """The module can't be imported, or has no such function; its traceback was printed where there is one."""

    def __init__(self, error_type: str, message: str, *, data: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.message = message
        self.data = data


class TaskFunction:
    """A function, and how it wants its input."""

    __slots__ = ("azolla", "call", "context_by_name", "context_first")

    def __init__(self, function: Any) -> None:
        self.call: Callable[..., Any] = function
        self.azolla: Any = getattr(function, "__azolla_task_instance__", None)
        """Azolla's own object, if the function was decorated by its package."""
        self.context_first, self.context_by_name = _wants_context(function)


def load_function(path: str, name: str) -> TaskFunction:
    """The function of a module; the module is imported once. Raises :class:`NotLoaded`."""
    known = _FUNCTIONS.get((path, name))
    if known is not None:
        return known
    module = _MODULES.get(path)
    if module is None:
        module = _MODULES[path] = _import(path)
    found = getattr(module, name, None)
    if found is None:
        raise NotLoaded("ImportError", f"{path} has no function {name} once it is imported")
    if not callable(found):
        raise NotLoaded("TypeError", f"{name} of {path} is no function, but {type(found).__name__}")
    function = _FUNCTIONS[path, name] = TaskFunction(found)
    return function


def _import(path: str) -> ModuleType:
    folder, _, file = path.rpartition("/")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        with open(path, "rb") as source:  # noqa: PTH123 - pathlib costs a worker another import
            content = source.read()
    except OSError as error:
        raise NotLoaded("ImportError", f"{path} can't be read: {error.strerror}") from error
    name = f"azolla_task_{file.removesuffix('.py')}_{hash(path) & 0xFFFFFFFF:08x}"
    module = type(sys)(name)
    module.__file__ = path
    # By the class of any spec at hand: importlib.util costs another import.
    make_spec: Any = type(sys.__spec__)  # pyright: ignore[reportUnknownVariableType]  # of the running module: no type
    spec = module.__spec__ = make_spec(name, None, origin=path)
    spec.has_location = True
    sys.modules[name] = module
    try:
        # Compiled anew, never from __pycache__: its time stamps are whole seconds, and an edit within one would be
        # missed.
        exec(compile(content, path, "exec", dont_inherit=True), module.__dict__)  # noqa: S102 - it is the task's code
    except BaseException as error:
        del sys.modules[name]
        raise _not_imported(error, path) from error
    return module


def _not_imported(error: BaseException, path: str) -> NotLoaded:
    # Late, since it is only needed now: how errors are shown.
    from shepherd.workers.task_errors import message_of, place_of, print_error

    print_error(error)
    data = place_of(error)
    if isinstance(error, SyntaxError):
        message = f"{error.filename}:{error.lineno}: {error.msg}"
    else:
        place = f"{data['file']}:{data['line']}: " if "file" in data else f"{path}: "
        message = place + message_of(error)
    return NotLoaded(type(error).__name__, message, data=data)


def _wants_context(function: Any) -> tuple[bool, str]:
    """Whether the context is the first positional argument, or else the name of a keyword for it."""
    inner = function
    while hasattr(inner, "__wrapped__"):
        inner = inner.__wrapped__
    code = getattr(inner, "__code__", None)
    if code is None:
        return False, ""
    try:
        annotations: dict[str, Any] = getattr(inner, "__annotations__", {})
    except NameError:
        # Python 3.14 evaluates them now, and a name that is imported for type checkers alone isn't there.
        annotations = {}
    names: tuple[str, ...] = code.co_varnames
    positional = code.co_argcount
    if positional and _is_context(names[0], annotations):
        return True, ""
    for name in names[positional : positional + code.co_kwonlyargcount]:
        if _is_context(name, annotations):
            return False, name
    return False, ""


def _is_context(name: str, annotations: dict[str, Any]) -> bool:
    annotation = annotations.get(name)
    if annotation is None:
        return name == "ctx" and name not in annotations
    if isinstance(annotation, str):
        return annotation.strip("\"'").rpartition(".")[2] == "Context"
    return getattr(annotation, "__module__", "") == "shepherd.definitions.context"
