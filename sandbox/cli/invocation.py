"""One call of the command line: the options that every command shares, and what follows from them."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sandbox.cli.output import Output
from sandbox.config.locations import DEFAULT_ENVIRONMENT, environment_name

if TYPE_CHECKING:
    from sandbox.client import Client


@dataclass(slots=True, kw_only=True)
class Invocation:
    """What a command is given beside its own arguments."""

    env: str = DEFAULT_ENVIRONMENT
    """Name of the environment."""
    url: str | None = None
    """Address of the HTTP API, if it was given; else it comes from the environment's own file."""
    json: bool = False
    quiet: bool = False
    color: bool | None = None
    """None: ask the terminal."""
    out: Output = field(default_factory=Output)

    def client(self) -> Client:
        """A client of the environment. It connects at the first call; use it in a `with` block."""
        from sandbox.client import Client

        return Client(self.url, env=self.env)


def current(ctx: typer.Context) -> Invocation:
    """The invocation of the running command, for callbacks and completions."""
    found = ctx.find_object(Invocation)
    return found if found is not None else Invocation(env=_environment(None))


_Env = Annotated[
    str | None, typer.Option("--env", metavar="NAME", help="The environment to talk to.", show_default=False)
]
_Url = Annotated[
    str | None, typer.Option("--url", metavar="URL", help="The address of its HTTP API.", show_default=False)
]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON: one object, or one a line where there are many.")]
_NoColor = Annotated[bool, typer.Option("--no-color", help="No colours.")]
_Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print as little as possible: ids only, no progress.")]

_SHARED: dict[str, tuple[Any, Any]] = {
    "env": (_Env, None),
    "url": (_Url, None),
    "json_": (_Json, False),
    "no_color": (_NoColor, False),
    "quiet": (_Quiet, False),
}


def shared(
    ctx: typer.Context,
    env: _Env = None,
    url: _Url = None,
    json_: _Json = False,
    no_color: _NoColor = False,
    quiet: _Quiet = False,
) -> Invocation:
    """Read the shared options; those given before the command and those after it are joined."""
    before = ctx.find_object(Invocation)
    made = Invocation(
        env=_environment(env or (before.env if before else None)),
        url=url or (before.url if before else os.environ.get("AZOLLA_LOCAL_URL") or None),
        json=json_ or (before is not None and before.json),
        quiet=quiet or (before is not None and before.quiet),
        color=False if no_color else (before.color if before else None),
    )
    named = made.env if env or (before is not None and before.out.env) else ""
    made.out = Output.for_process(json=made.json, quiet=made.quiet, color=made.color, env=named)
    ctx.obj = made
    return made


def with_shared_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The command as Typer takes it: without `inv`, and with the shared options at its end."""
    signature = inspect.signature(command, eval_str=True)
    own = [parameter for parameter in signature.parameters.values() if parameter.name != "inv"]
    taken = {parameter.name for parameter in own}
    added = {name: value for name, value in _SHARED.items() if name not in taken}

    @functools.wraps(command)
    def called(_context: typer.Context, **values: Any) -> Any:
        options = {name: values.pop(name) for name in added}
        inv = shared(_context, **options)
        return command(inv, **values) if "inv" in signature.parameters else command(**values)

    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [
        inspect.Parameter("_context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context),
        *(parameter.replace(kind=keyword) for parameter in own),
        *(
            inspect.Parameter(name, keyword, default=default, annotation=kind)
            for name, (kind, default) in added.items()
        ),
    ]
    called.__dict__.pop("__wrapped__")
    called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    called.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return called


def _environment(given: str | None) -> str:
    """The checked name: it becomes the name of a folder."""
    return environment_name(given)
