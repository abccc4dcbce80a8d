"""Finds models by name: first in the user's folder, then among those that came with the engine.

The user's folder is `$STEMWIRE_MODELS`, or `stemwire/models` in the place where this system keeps a
user's data. A model's name is its file name without `.onnx`.
"""

import logging
import os
from pathlib import Path
from typing import NamedTuple

from engine.artifact import read_manifest
from engine.errors import ModelError
from engine.manifest import Manifest

SUFFIX = ".onnx"
PACKAGE_FOLDER = Path(__file__).resolve().parent / "models"

_logger = logging.getLogger(__name__)


class ModelEntry(NamedTuple):
    """A model that `find_model` finds by name."""

    name: str
    path: Path
    manifest: Manifest


def user_folder() -> Path:
    """The folder where a user's own models are looked for; it need not exist."""
    chosen = os.environ.get("STEMWIRE_MODELS")
    if chosen:
        return Path(chosen).expanduser()
    from platformdirs import user_data_path

    return user_data_path("stemwire", appauthor=False) / "models"


def find_model(name_or_path: str | Path) -> Path:
    """Returns the file of a model.

    Args:
        name_or_path: a path that exists, or a name.

    Raises:
        ModelError: if there is neither; the message lists the names there are.
    """
    path = Path(name_or_path).expanduser()
    if path.is_file():
        return path
    files = _model_files()
    name = str(name_or_path)
    if name in files:
        return files[name]
    there_are = f"there are {', '.join(sorted(files))}" if files else "there are none"
    raise ModelError(
        f"There is no model {name!r}: no such file, and of the models known by name {there_are}; "
        f"give a path or put {SUFFIX} files in {user_folder()}."
    )


def list_models() -> list[ModelEntry]:
    """Returns the models known by name, sorted by name.

    A file that cannot be read as a model is left out, and the reason is logged as a warning.
    """
    entries = []
    for name, path in sorted(_model_files().items()):
        try:
            entries.append(ModelEntry(name, path, read_manifest(path)))
        except ModelError as error:
            _logger.warning("%s", error)
    return entries


def _model_files() -> dict[str, Path]:
    """Returns name -> file; a user's model hides one of the engine's by the same name."""
    files: dict[str, Path] = {}
    for folder in (PACKAGE_FOLDER, user_folder()):
        try:
            paths = sorted(folder.glob(f"*{SUFFIX}"))
        except OSError as error:
            _logger.warning("The model folder %s cannot be read: %s.", folder, error.strerror)
            continue
        files.update({path.name.removesuffix(SUFFIX): path for path in paths if path.is_file()})
    return files
