"""Chains of effects from a preset file or from Python, checked and made ready for the engine.

    # chain.toml: a table for each effect, in the order of the sound
    [[drums]]
    effect = "Compressor"                      # built into pedalboard
    parameters = { threshold_db = -18, ratio = 4 }

    [[mix]]
    plugin = "/usr/lib/vst3/ZaMaximX2.vst3"    # or relative to this file
    parameters = { threshold_db = -6 }

The same in JSON: {"drums": [{"effect": "Compressor", "parameters": {...}}], "mix": [...]}. What a
plugin is given besides: `name` where its file holds several, `preset` for a .vstpreset file. The
effect Convolution needs an `impulse_response`, an audio file.

From Python:

    Session.open(model, config, processors=chains_from({"drums": Pedalboard([Reverb()])}))

Nothing is loaded here, because plugins belong into the engine's process (`plugin_host.chain`).
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from engine import ConfigError
from engine.processors import Processors
from plugin_host.effects import EFFECTS, SILENT, checked_parameters

BUILD = "plugin_host.chain:build_chains"
_EXAMPLE = '[[drums]] with effect = "Reverb" below it'
_KEYS = {"effect": {"effect", "parameters", "impulse_response"},
         "plugin": {"plugin", "parameters", "name", "preset"}}  # fmt: skip


def read_chains(path: Path) -> Processors:
    """Reads a preset file.

    Args:
        path: a .toml or .json file.

    Returns:
        What the engine is to load.

    Raises:
        ConfigError: if there is no such file, or it holds something else; in one sentence.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"The chain {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"The chain {path} is no text file: give .toml or .json.") from error
    try:
        content = json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except ValueError as error:
        kind = "JSON" if path.suffix.lower() == ".json" else "TOML"
        raise ConfigError(f"The chain {path} is no {kind}: {error}.") from error
    try:
        return _chains(content, path.absolute().parent)
    except ConfigError as error:
        raise ConfigError(f"The chain {path}: {error}") from error


def chains_from(chains: Mapping[str, Iterable[Any]]) -> Processors:
    """Takes chains as Python has them.

    Args:
        chains: by stem, or "mix", a Pedalboard or any other series of pedalboard's effects. A VST3
            or Audio Unit does not tell where it came from: give {"plugin": path} in its place.

    Returns:
        What the engine is to load: copies, with the parameters that the effects have now.

    Raises:
        ConfigError: if an effect cannot be copied.
    """
    content = {place: list(_flat(chain, place)) for place, chain in chains.items()}
    return _chains(content, Path.cwd())


def _chains(content: Any, folder: Path) -> Processors:
    if find_spec("pedalboard") is None:
        raise ConfigError("effects need pedalboard: pip install 'stemwire[chains]'.")
    if not isinstance(content, dict):
        raise ConfigError(f"it holds no chains by stem, such as {_EXAMPLE}.")
    options: dict[str, list[dict[str, Any]]] = {}
    for place, chain in content.items():
        if not isinstance(chain, list):
            raise ConfigError(f"{place} is no list of effects, such as {_EXAMPLE}.")
        options[place] = []
        for number, entry in enumerate(chain):
            try:
                options[place].append(_checked(entry, folder))
            except ConfigError as error:
                raise ConfigError(f"plugin {number} of {place}: {error}") from error
    return Processors(BUILD, options)


def _checked(entry: Any, folder: Path) -> dict[str, Any]:
    """Returns an entry as `plugin_host.chain` takes it: complete, with absolute paths."""
    kind = "plugin" if isinstance(entry, dict) and "plugin" in entry else "effect"
    if not isinstance(entry, dict) or kind not in entry:
        raise ConfigError(f"it names neither an effect nor a plugin, as in {_EXAMPLE}.")
    for key in entry:
        if key not in _KEYS[kind]:
            keys = ", ".join(sorted(_KEYS[kind]))
            raise ConfigError(f"{key!r} means nothing here: give {keys}.")
    parameters = entry.get("parameters", {})
    if not isinstance(parameters, dict):
        raise ConfigError("its parameters are no table, such as { ratio = 4 }.")
    if kind == "plugin":
        path = _existing(entry["plugin"], folder)
        for name, value in parameters.items():
            if not isinstance(value, bool | int | float | str):
                raise ConfigError(f"{name} is {value!r}; give a number, true, false or a text.")
        checked = {"plugin": path, "parameters": parameters, "name": entry.get("name")}
        if "preset" in entry:
            checked["preset"] = _existing(entry["preset"], folder)
        return checked
    effect = str(entry["effect"])
    checked = {"effect": effect, "parameters": checked_parameters(effect, parameters)}
    if (effect == "Convolution") != ("impulse_response" in entry):
        raise ConfigError("Convolution, and only that, needs an impulse_response: an audio file.")
    if effect == "Convolution":
        checked["impulse_response"] = _existing(entry["impulse_response"], folder)
    return checked


def _existing(path: Any, folder: Path) -> str:
    if not isinstance(path, str) or not path:
        raise ConfigError(f"{path!r} is no path.")
    absolute = folder / Path(path).expanduser()
    if not absolute.exists():
        raise ConfigError(f"there is no {absolute}.")
    return str(absolute)


def _flat(chain: Iterable[Any], place: str) -> Iterable[Any]:
    """Yields the entries of a series of effects; a series within is a part of it."""
    for effect in chain:
        kind = type(effect).__name__
        if isinstance(effect, dict):
            yield effect
        elif kind in ("Pedalboard", "Chain"):
            yield from _flat(effect, place)
        elif kind in EFFECTS or kind in SILENT:
            yield _entry_of(effect, kind)
        else:
            raise ConfigError(
                f"The chain of {place} holds a {kind}, which cannot be copied; "
                'give {"plugin": path, "parameters": {...}} for a VST3 or Audio Unit.'
            )


def _entry_of(effect: Any, kind: str) -> dict[str, Any]:
    values = {p.name: getattr(effect, p.name) for p in EFFECTS.get(kind, ())}
    entry: dict[str, Any] = {
        "effect": kind,
        "parameters": {name: getattr(value, "name", value) for name, value in values.items()},
    }
    if kind == "Convolution":
        if effect.impulse_response_filename is None:
            raise ConfigError("Give Convolution the path of a file, so that it can be copied.")
        entry["impulse_response"] = effect.impulse_response_filename
    return entry
