"""Presets: all that can be turned, kept under a name.

A preset is a small TOML file in the user's folder, `$STEMWIRE_PRESETS` or `stemwire/presets` in the
place where this system keeps a user's data. It can be read, edited and sent to a friend:

    format = 1
    model = "default"

    [controls]
    "stem/drums/gain" = 0.5
    "stem/drums/mute" = 0

Whoever asks for one over a network gives a name and never a path. Triggers are not kept, as they
have no value to come back to; nor is panic, which must not end because a preset is recalled.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from engine import ConfigError
from engine.controls import Control
from plugin_host.errors import OutputError

FORMAT = 1
NAME_RULE = "1 to 64 letters, digits, spaces, - or _, the first a letter or digit"
_NAME = re.compile(r"[^\W_](?:[\w -]{0,62}[\w-])?")
_SUFFIX = ".toml"
_MAX_BYTES = 2**20
_NEVER_KEPT = ("panic",)


def folder() -> Path:
    """The folder of the presets; it need not exist."""
    chosen = os.environ.get("STEMWIRE_PRESETS")
    if chosen:
        return Path(chosen).expanduser()
    from platformdirs import user_data_path

    return user_data_path("stemwire", appauthor=False) / "presets"


def names() -> tuple[str, ...]:
    """Returns the names of the presets there are, sorted."""
    found = []
    with suppress(OSError):
        for entry in os.scandir(folder()):
            name = entry.name.removesuffix(_SUFFIX)
            if entry.name.endswith(_SUFFIX) and _NAME.fullmatch(name):
                found.append(name)
    return tuple(sorted(found, key=str.casefold))


def checked_name(name: str) -> str:
    """Returns a name that may be one of a preset.

    Raises:
        ConfigError: if it may not, such as a path.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(f"A preset cannot be called {name[:80]!r}: give {NAME_RULE}.")
    return name


def save(name: str, values: Mapping[str, float], controls: Sequence[Control], model: str) -> Path:
    """Writes a preset; one of the same name is replaced, in one step.

    Args:
        name: of the preset.
        values: of controls, by name.
        controls: what there is; says what of the values is worth keeping.
        model: the name of the model that plays, for people.

    Returns:
        The file.

    Raises:
        ConfigError: if the name is none.
        OutputError: if the folder cannot be written.
    """
    import tomli_w

    kept = {
        control.name: int(values[control.name]) if control.is_switch else values[control.name]
        for control in controls
        if _is_kept(control)
    }
    text = tomli_w.dumps({"format": FORMAT, "model": model, "controls": kept})
    path = _path_of(name)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            unfinished.write_text(text, encoding="utf-8")
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"The preset {path} cannot be written: {error.strerror}.") from error
    return path


def read(name: str, controls: Sequence[Control]) -> dict[str, float]:
    """Returns the values of a preset, for every control that is kept.

    What the preset does not name, because it was saved with fewer stems, has its default; what is
    none of the controls is left out.

    Raises:
        ConfigError: if there is no such preset, or something in it is wrong.
    """
    path = _path_of(name)
    if name not in names():
        raise ConfigError(f"There is no preset {name!r}; there are {', '.join(names()) or 'none'}.")
    given = _table_of(path)
    values = {}
    for control in controls:
        if _is_kept(control):
            value = given.get(control.name, control.default)
            try:
                values[control.name] = control.checked(value)
            except ConfigError as error:
                raise ConfigError(f"The preset {path} is wrong: {error}") from error
    return values


def remove(name: str) -> None:
    """Removes a preset.

    Raises:
        ConfigError: if there is none of that name, or it cannot be removed.
    """
    path = _path_of(name)
    try:
        path.unlink()
    except FileNotFoundError as error:
        raise ConfigError(f"There is no preset {name!r}.") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be removed: {error.strerror}.") from error


def _is_kept(control: Control) -> bool:
    return not control.is_trigger and control.name not in _NEVER_KEPT


def _path_of(name: str) -> Path:
    return folder() / f"{checked_name(name)}{_SUFFIX}"


def _table_of(path: Path) -> dict[str, Any]:
    """Returns the controls in a file, unchecked."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ConfigError(f"{path} is too large for a preset.")
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"The preset {path} cannot be read: {error}.") from error
    version, table = document.get("format"), document.get("controls")
    if version != FORMAT or not isinstance(table, dict):
        raise ConfigError(
            f"{path} is no preset of format {FORMAT}: it has to begin with `format = {FORMAT}` and "
            "to have a table [controls]."
        )
    return table
