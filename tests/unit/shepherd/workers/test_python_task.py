"""Loading and calling, in this process; whole workers are in test_one_attempt and test_resident."""

from __future__ import annotations

import functools
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from sandbox.testing import FakeContext
from shepherd.definitions.context import Context
from shepherd.workers.python_module import NotLoaded, TaskFunction, load_function
from shepherd.workers.python_task import BadArguments, begin, failure, finish, run


@pytest.fixture(autouse=True)
def _unchanged_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))


def call(function: Any, args: str = "[]", kwargs: str = "{}") -> Any:
    return begin(TaskFunction(function), FakeContext, args, kwargs)


def test_positional_and_named_input() -> None:
    def f(a: int, b: int = 2, *, c: int = 3) -> tuple[int, int, int]:
        return a, b, c

    assert call(f, "[1]", '{"c": 5}') == (1, 2, 5)
    assert call(f, "[1, 2]") == (1, 2, 3)
    assert call(f, "", '{"a": 0}') == (0, 2, 3)


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        ("[]", "{}", "missing 1 required positional argument"),
        ("[1, 2]", "{}", "takes 1 positional argument but 2 were given"),
        ("[1]", '{"b": 1}', "unexpected keyword argument 'b'"),
        ("[1]", '{"a": 1}', "multiple values for argument 'a'"),
        ("{}", "{}", "args is JSON, but not an array"),
        ("[]", "[]", "kwargs is JSON, but not an object"),
        ("[", "{}", "args is no JSON"),
        ("[]", "nonsense", "kwargs is no JSON"),
    ],
)
def test_input_that_doesnt_fit(args: str, kwargs: str, message: str) -> None:
    def f(a: int) -> int:
        return a

    with pytest.raises(BadArguments, match=message):
        call(f, args, kwargs)


def test_a_type_error_within_the_function_is_its_own() -> None:
    def f() -> int:
        return len(5)  # type: ignore[arg-type]

    with pytest.raises(TypeError, match="has no len"):
        call(f)


def test_a_wrapped_function_is_looked_at_behind_its_wrapper() -> None:
    def wrapper_of(function: Any) -> Any:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return wrapper

    @wrapper_of
    def f(ctx: Context, a: int) -> int:
        return a + "x"  # type: ignore[operator]

    with pytest.raises(BadArguments):
        call(f)
    with pytest.raises(TypeError):
        call(f, "[1]")


def test_who_gets_the_context() -> None:
    def annotated(me: Context, a: int = 0) -> Any:
        return me

    def named(ctx, a=0):  # type: ignore[no-untyped-def]
        return ctx

    def by_keyword(a: int = 0, *, me: Context) -> Any:
        return me

    def other(context=0):  # type: ignore[no-untyped-def]
        return context

    def own_meaning(ctx: int) -> int:
        return ctx

    for function in (annotated, named, by_keyword):
        assert isinstance(call(function), Context), function
    assert call(other) == 0
    assert call(own_meaning, "[7]") == 7


def test_azollas_own_tasks_get_their_input_as_azolla_gives_it() -> None:
    class Instance:
        def _execute_with_casting(self, raw: list[Any]) -> list[Any]:
            return raw

    def f() -> None: ...

    f.__azolla_task_instance__ = Instance()  # type: ignore[attr-defined]
    assert call(f, "[1]", '{"a": 2}') == [1, {"a": 2}]
    assert call(f, "[1]") == [1]


def test_results() -> None:
    assert finish(None)["result_json"] == "null"
    assert finish(None) is not finish(None)
    assert finish({"a": (1, "é")})["result_json"] == '{"a":[1,"é"]}'
    circle: list[Any] = []
    circle.append(circle)
    for wrong, why in ((object(), "object"), (float("nan"), "no NaN"), (circle, "holds itself"), ({1}, "set")):
        error = finish(wrong)["error"]
        assert (error["type"], error["retriable"]) == ("ResultNotSerializable", False)
        assert why in error["message"]


def test_errors_tell_type_message_and_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "work.py"
    path.write_text(
        "class Odd(Exception):\n    def __str__(self): raise RuntimeError\ndef f():\n    raise Odd\ndef g(): {}['a']\n"
    )
    error = run(str(path), "g", FakeContext, "[]", "{}")["error"]
    assert (error["type"], error["message"], error["retriable"]) == ("KeyError", "'a'", True)
    assert json.loads(error["data_json"]) == {"file": str(path), "line": 5, "function": "g"}
    printed = capsys.readouterr().err
    assert "Traceback" in printed
    assert "work.py" in printed
    assert "python_task.py" not in printed, "the worker's own frames are nobody's business"
    assert run(str(path), "f", FakeContext, "[]", "{}")["error"]["type"] == "Odd"


@pytest.mark.parametrize(
    ("source", "error_type", "message"),
    [
        ("def f(:\n", "SyntaxError", "work.py:1: "),
        ("def f():\npass\n", "IndentationError", "work.py:2: "),
        ("import not_there_at_all\n", "ModuleNotFoundError", "work.py:1: No module named 'not_there_at_all'"),
        ("x = 1\n1/0\n", "ZeroDivisionError", "work.py:2: division by zero"),
        ("import sys\nsys.exit(3)\n", "SystemExit", "work.py:2: 3"),
        ("x = 1\n", "ImportError", "has no function f"),
        ("f = 1\n", "TypeError", "is no function, but int"),
    ],
)
def test_modules_that_cant_be_loaded(tmp_path: Path, source: str, error_type: str, message: str) -> None:
    path = tmp_path / "work.py"
    path.write_text(source)
    error = run(str(path), "f", FakeContext, "[]", "{}")["error"]
    assert error["type"] == error_type
    assert message in error["message"]
    assert not [name for name in sys.modules if name.startswith("azolla_task_work_") and source.startswith("1/0")]


def test_a_module_that_isnt_there(tmp_path: Path) -> None:
    with pytest.raises(NotLoaded, match="can't be read: No such file"):
        load_function(str(tmp_path / "none.py"), "f")


def test_a_module_is_imported_once_with_its_neighbours_and_found_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "neighbour_of_work.py").write_text("x = 5\n")
    path = tmp_path / "work.py"
    path.write_text("import neighbour_of_work, sys\ndef f(): return sys.modules[__name__].neighbour_of_work.x\n")
    first = load_function(str(path), "f")
    assert first.call() == 5
    assert load_function(str(path), "f") is first
    del sys.modules["neighbour_of_work"]


def test_leaving_counts_as_the_exit_of_a_program(capsys: pytest.CaptureFixture[str]) -> None:
    assert failure(SystemExit())["outcome"] == "succeeded"
    assert failure(SystemExit(0))["outcome"] == "succeeded"
    assert failure(SystemExit(75))["retry"] is True
    assert failure(SystemExit(3))["exit_code"] == 3
    assert failure(SystemExit("no"))["error"]["message"] == "no"
    assert capsys.readouterr().err == "no\n"


def test_an_error_that_tells_its_own_type() -> None:
    class Told(Exception):
        error_type = "Special"
        retryable = False
        error_code = "X1"

        def __init__(self) -> None:
            super().__init__("m")
            self.extra_data = {"a": 1}

    error = failure(Told())["error"]
    assert (error["type"], error["retriable"]) == ("Special", False)
    assert json.loads(error["data_json"])["code"] == "X1"
