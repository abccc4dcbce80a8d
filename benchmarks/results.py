"""Where results go: a folder that the user names."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine import ConfigError
from plugin_host import terminal


def make_folder(folder: Path) -> None:
    """Makes the folder for results, before anything is measured.

    Raises:
        ConfigError: if it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"The output folder {folder} cannot be made: {error.strerror}."
        ) from error


def write_json(path: Path, result: Mapping[str, Any]) -> None:
    """Writes a result and says where.

    Raises:
        ConfigError: if it cannot be written.
    """
    try:
        path.write_text(json.dumps(result, indent=2, allow_nan=False) + "\n")
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}.") from error
    terminal.say(f"Written: {path}")
