"""Reads the configuration: `azolla.toml` < environment variables < flags.

Every mistake in all of them is told at once. For each value it is known where it came from.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from sandbox.config.known_keys import known_keys, sections
from sandbox.config.locations import CONFIG_VARIABLE, ENVIRONMENT_VARIABLE, SUPERVISED_VARIABLE
from sandbox.config.problems import Origin, Problem, nearest, refuse
from sandbox.config.settings import Settings
from sandbox.config.toml_lines import KeyPath, TomlLines

PREFIX = "AZOLLA_LOCAL_"
NOT_SETTINGS = frozenset(
    {ENVIRONMENT_VARIABLE, CONFIG_VARIABLE, "AZOLLA_LOCAL_URL", "AZOLLA_LOCAL_GRPC", SUPERVISED_VARIABLE}
)
"""Variables with our prefix that choose an environment, a file or an address instead of setting a value."""

_DEFAULT = Origin(kind="default")
_MESSAGES = {
    "int_parsing": "expected a whole number",
    "int_type": "expected a whole number",
    "string_type": "expected text",
    "list_type": "expected a list",
    "dict_type": "expected a table",
    "model_type": "expected a table",
    "path_type": "expected a path",
    "missing": "is missing",
    "bool_parsing": "expected true or false",
}


@dataclass(frozen=True, slots=True)
class Layer:
    """The values of one source, as they stand there, and where each stands."""

    values: dict[str, Any]
    origins: dict[KeyPath, Origin]
    problems: tuple[Problem, ...] = ()

    def origin(self, path: KeyPath) -> Origin | None:
        """Where the value at that path, or the nearest around it, comes from; None if it isn't from here."""
        if not _holds(self.values, path):
            return None
        for length in range(len(path), 0, -1):
            found = self.origins.get(path[:length])
            if found is not None:
                return found
        return None


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings that count, and where they come from."""

    settings: Settings
    file: Path | None
    layers: tuple[Layer, ...]
    """The strongest first."""
    working_folder: Path

    def origin(self, path: KeyPath) -> Origin:
        """Where the value of that key comes from."""
        found = (layer.origin(path) for layer in self.layers)
        return next((origin for origin in found if origin is not None), _DEFAULT)

    def task_folders(self) -> list[Path]:
        """The task folders that count, absolute: those that are named, else the first `tasks` that is there."""
        if self.settings.tasks.folders:
            return [self.absolute(("tasks", "folders"), folder) for folder in self.settings.tasks.folders]
        beside = [self.file.parent] if self.file is not None else []
        candidates = [folder / "tasks" for folder in (*beside, self.working_folder)]
        return [folder for folder in candidates if folder.is_dir()][:1]

    def absolute(self, path: KeyPath, value: Path) -> Path:
        """A relative path starts where it is written: at the folder of the file, else at the working folder."""
        from_file = self.file is not None and self.origin(path).kind == "file"
        base = self.file.parent if from_file and self.file is not None else self.working_folder
        return Path(os.path.abspath(base / value.expanduser()))  # noqa: PTH100  (no link is followed: the user's own words stay)


def load(
    *,
    file: Path | None,
    environ: Mapping[str, str] = os.environ,
    flags: Mapping[KeyPath, tuple[str, object]] | None = None,
    working_folder: Path | None = None,
) -> Configuration:
    """The configuration from that file (None: no file), these variables, and these flags: path → (flag, value).

    Raises BadConfig with every problem.
    """
    layers = (_flags_layer(flags or {}), _environment_layer(environ), _file_layer(file))
    problems = [problem for layer in reversed(layers) for problem in layer.problems]
    subject = str(file) if file is not None else "environment variables and flags"
    try:
        settings = _settings(layers)
    except ValidationError as error:
        problems += _problems(error, layers)
        raise refuse(problems, subject=subject) from error
    if problems:
        raise refuse(problems, subject=subject)
    configuration = Configuration(settings, file, layers, working_folder or Path.cwd())
    missing = [
        Problem(origin=configuration.origin(("tasks", "folders")), key="tasks.folders", message=f"no folder {folder}")
        for folder in configuration.task_folders()
        if not folder.is_dir()
    ]
    if missing:
        raise refuse(missing, subject=subject)
    return configuration


class _LayerSource(PydanticBaseSettingsSource):
    """Hands a layer to pydantic-settings."""

    def __init__(self, settings_class: type[BaseSettings], layer: Layer) -> None:
        super().__init__(settings_class)
        self._layer = layer

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        del field  # the layers know values by name alone
        return self._layer.values.get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        return self._layer.values


def _settings(layers: tuple[Layer, ...]) -> Settings:
    class Layered(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            del init_settings, env_settings, dotenv_settings, file_secret_settings  # the layers take their place
            return tuple(_LayerSource(settings_cls, layer) for layer in layers)

    return Layered()


def _flags_layer(flags: Mapping[KeyPath, tuple[str, object]]) -> Layer:
    values: dict[str, Any] = {}
    origins: dict[KeyPath, Origin] = {}
    for path, (flag, value) in flags.items():
        if value is not None:
            _put(values, path, value)
            origins[path] = Origin(kind="flag", where=flag)
    return Layer(values, origins)


def _environment_layer(environ: Mapping[str, str]) -> Layer:
    values: dict[str, Any] = {}
    origins: dict[KeyPath, Origin] = {}
    problems: list[Problem] = []
    paths = {variable_of(path): path for path in known_keys()}
    for variable in sorted(environ):
        if not variable.startswith(PREFIX) or variable in NOT_SETTINGS:
            continue
        origin = Origin(kind="environment", where=variable)
        path = paths.get(variable)
        if path is None:
            meant = nearest(variable, [*paths, *NOT_SETTINGS])
            problems.append(Problem(origin=origin, key="", message="no setting has that variable", nearest=meant))
            continue
        _put(values, path, environ[variable])
        origins[path] = origin
    return Layer(values, origins, tuple(problems))


def variable_of(path: KeyPath) -> str:
    """The environment variable that sets the key: `AZOLLA_LOCAL_ORCHESTRATOR_GRPC_PORT`."""
    return PREFIX + "_".join(str(part) for part in path).upper()


def _file_layer(file: Path | None) -> Layer:
    if file is None:
        return Layer({}, {})
    where = Origin(kind="file", where=str(file))
    try:
        text = file.read_text("utf-8")
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        problem = Problem(origin=where, key="", message=f"not TOML: {error}")
    except UnicodeDecodeError:
        problem = Problem(origin=where, key="", message="not text in UTF-8")
    except OSError as error:
        problem = Problem(origin=where, key="", message=error.strerror or str(error))
    else:
        lines = TomlLines(text)
        origins = {path: Origin(kind="file", where=str(file), line=lines.of(path)) for path in _paths(values)}
        return Layer(values, origins)
    return Layer({}, {}, (problem,))


def _problems(error: ValidationError, layers: tuple[Layer, ...]) -> list[Problem]:
    found: list[Problem] = []
    for mistake in error.errors(include_url=False):
        path = tuple(part for part in mistake["loc"] if part != "[key]")
        origin = _origin_of_mistake(path, layers)
        key = ".".join(str(part) for part in path)
        if mistake["type"] == "extra_forbidden":
            meant, message = _nearest_key(path), "no such setting"
        else:
            meant = ""
            message = _MESSAGES.get(mistake["type"], _plain(mistake["msg"]))
        found.append(Problem(origin=origin, key=key, message=message, nearest=meant))
    return sorted(found, key=lambda problem: (problem.origin.where, problem.origin.line or 0))


def _plain(message: str) -> str:
    return message.removeprefix("Value error, ").replace("Input should be", "expected", 1)


def _origin_of_mistake(path: KeyPath, layers: tuple[Layer, ...]) -> Origin:
    """Where the key stands, or what is nearest around it: a missing key is told at the table that lacks it."""
    for length in range(len(path), 0, -1):
        for layer in layers:
            if origin := layer.origin(path[:length]):
                return origin
    return _DEFAULT


def _nearest_key(path: KeyPath) -> str:
    """The key that was meant: a like one in the same section, else that name in another section."""
    if len(path) == 1:
        meant = nearest(str(path[0]), sections())
        others = [known for known in known_keys() if known[-1] == path[0]]
        return meant or (".".join(map(str, others[0])) if others else "")
    beside = [str(known[-1]) for known in known_keys() if known[:-1] == path[:-1]]
    if meant := nearest(str(path[-1]), beside):
        return meant
    elsewhere = {".".join(map(str, known)) for known in known_keys() if known[-1] == path[-1]}
    return next(iter(sorted(elsewhere)), "")


def _put(values: dict[str, Any], path: KeyPath, value: object) -> None:
    for part in path[:-1]:
        values = values.setdefault(str(part), {})
    values[str(path[-1])] = value


def _holds(values: object, path: KeyPath) -> bool:
    for part in path:
        if isinstance(values, Mapping) and part in values:
            values = cast("Mapping[Any, object]", values)[part]
        elif isinstance(values, list) and isinstance(part, int) and part < len(cast("list[object]", values)):
            values = cast("list[object]", values)[part]
        else:
            return False
    return True


def _paths(values: object, path: KeyPath = ()) -> list[KeyPath]:
    below: list[tuple[str | int, object]] = []
    if isinstance(values, dict):
        below = list(cast("dict[str, object]", values).items())
    elif isinstance(values, list):
        below = list(enumerate(cast("list[object]", values)))
    found: list[KeyPath] = [path] if path else []
    for part, value in below:
        found += _paths(value, (*path, part))
    return found
