"""Settings from `[tool.deepdebug]` of the nearest `pyproject.toml`, from the environment and from arguments.

An argument wins over the environment, which wins over the file:

    [tool.deepdebug]
    ignore = ["DD413"]
    log_dir = "runs"

    DEEPDEBUG_IGNORE=DD413,DD414 python train.py
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from deepdebug.errors import UsageError, wrong_value

FILE_NAME = "pyproject.toml"
ENVIRONMENT_PREFIX = "DEEPDEBUG_"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a user may set once for all runs.

    Args:
        select: Codes, starts of codes, symptoms or abbreviations of the checks to make. Defaults to `None`: all.
        ignore: The same, to leave out. Defaults to `()`.
        preset: "default" or "deepdiagnosis". Defaults to `"default"`.
        log_dir: Folder for the recording and the report; a relative one in the file counts from the file. Defaults to
            `None`: nothing is written.
        verbose: 0 silent, 1 what is certainly wrong before the training and the report at its end. Defaults to `1`.
    """

    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    preset: str = "default"
    log_dir: str | None = None
    verbose: int = 1


KEYS = tuple(field.name for field in fields(Settings))


def load_settings(
    folder: str | os.PathLike[str] | None = None, environment: Mapping[str, str] | None = None, **arguments: Any
) -> Settings:
    """Merge file, environment and arguments.

    Args:
        folder: Where to look for `pyproject.toml`, and in the folders above. Defaults to `None`: the current one.
        environment: The environment variables. Defaults to `None`: those of the process.
        **arguments: Fields of `Settings`; `None` means "not given".

    Returns:
        The settings.

    Raises:
        UsageError: When a key is unknown or a value is not of its type.
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    settings = _merged(Settings(), _from_file(Path(folder or Path.cwd()).absolute()))
    settings = _merged(settings, _from_environment(os.environ if environment is None else environment))
    return _merged(settings, {name: (value, f"argument `{name}`") for name, value in given.items()})


Sourced = Mapping[str, tuple[Any, str]]  # value and where it came from, by key


def _merged(settings: Settings, values: Sourced) -> Settings:
    unknown = [f"{source}" for key, (_, source) in values.items() if key not in KEYS]
    if unknown:
        raise UsageError(f"Unknown setting: {', '.join(unknown)}. Expected one of: {', '.join(KEYS)}.")
    return replace(settings, **{key: PARSERS[key](value, source) for key, (value, source) in values.items()})


def _from_file(folder: Path) -> Sourced:
    file = next((parent / FILE_NAME for parent in (folder, *folder.parents) if (parent / FILE_NAME).is_file()), None)
    if file is None:
        return {}
    try:
        tools = tomllib.loads(file.read_text(encoding="utf-8")).get("tool", {})
    except (OSError, ValueError) as error:
        raise UsageError(f"{file} cannot be read: {error}. Mend the file; expected TOML.") from error
    table = tools.get("deepdebug", {})
    if not isinstance(table, dict):
        raise wrong_value(f"`deepdebug` in [tool] of {file}", table, "a table, [tool.deepdebug]")
    table = dict(table)
    if isinstance(table.get("log_dir"), str):
        table["log_dir"] = str(file.parent / table["log_dir"])
    return {key: (value, f"`{key}` in [tool.deepdebug] of {file}") for key, value in table.items()}


def _from_environment(environment: Mapping[str, str]) -> Sourced:
    names = {key: f"{ENVIRONMENT_PREFIX}{key.upper()}" for key in KEYS}
    return {
        key: (environment[name], f"environment variable {name}") for key, name in names.items() if name in environment
    }


def _codes(value: Any, source: str) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    if isinstance(value, (list, tuple)) and all(isinstance(part, str) for part in value):
        return tuple(value)
    raise wrong_value(source, value, "codes, as a list of strings or one string with commas")


def _text(value: Any, source: str) -> str:
    if isinstance(value, (str, os.PathLike)):
        return os.fspath(value)
    raise wrong_value(source, value, "a string")


def _level(value: Any, source: str) -> int:
    text = str(value)
    if text in ("0", "1"):
        return int(text)
    raise wrong_value(source, value, "0 or 1")


PARSERS: Mapping[str, Callable[[Any, str], Any]] = {
    "select": _codes,
    "ignore": _codes,
    "preset": _text,
    "log_dir": _text,
    "verbose": _level,
}
