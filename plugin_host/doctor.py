"""What is installed, which runtime would be used and why, what is missing and how to get it."""

from __future__ import annotations

import platform
import shutil
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import soundfile

from engine import Separator, StemwireError, list_models


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's.

    Attributes:
        what: The thing looked for.
        found: Whether it is there.
        detail: Its version or place; what it would be good for, and how to get it, if missing.
        needed: Whether nothing can be separated without it.
    """

    what: str
    found: bool
    detail: str
    needed: bool = False


# distribution, what it is for, how to get it, whether nothing works without it
_PACKAGES = (
    ("numpy", "arrays", "pip install stemwire", True),
    ("soundfile", "reading and writing audio files", "pip install stemwire", True),
    ("soxr", "songs at another rate than the model's", "pip install stemwire", True),
    ("onnxruntime", "the CPU runtime", "pip install 'stemwire[cpu]'", False),
    ("onnxruntime-gpu", "the CUDA runtime", "pip install 'stemwire[gpu]' (NVIDIA)", False),
    ("tensorrt", "the TensorRT runtime", "pip install 'stemwire[gpu]' (NVIDIA, Linux)", False),
    ("matplotlib", "pictures of spectrograms", "pip install 'stemwire[demo]'", False),
    ("torch", "training only", "pip install 'stemwire[train]'", False),
)


def examine(model: str = "default") -> list[Finding]:
    """Looks at this machine.

    Args:
        model: The model to try to load, by name or path.

    Returns:
        The findings, needed things among them.
    """
    return [
        Finding(
            "python",
            True,
            f"{platform.python_version()} on {platform.system()} {platform.machine()}",
            needed=True,
        ),
        *(_package(*row) for row in _PACKAGES),
        Finding("libsndfile", True, soundfile.__libsndfile_version__, needed=True),
        _ffmpeg(),
        _models(),
        _runtime(model),
    ]


def _package(name: str, purpose: str, how: str, needed: bool) -> Finding:
    try:
        return Finding(name, True, f"{version(name)} ({purpose})", needed)
    except PackageNotFoundError:
        return Finding(name, False, f"for {purpose}: {how}", needed)


def _ffmpeg() -> Finding:
    path = shutil.which("ffmpeg")
    if path:
        return Finding("ffmpeg", True, f"{path} (stem.mp4 files)")
    return Finding(
        "ffmpeg", False, "for stem.mp4 files: apt install ffmpeg, or brew install ffmpeg"
    )


def _models() -> Finding:
    names = [name for name, _, _ in list_models()]
    if names:
        return Finding("models", True, ", ".join(names), needed=True)
    return Finding("models", False, "none: put a .onnx file into the models folder", needed=True)


def _runtime(model: str) -> Finding:
    try:
        separator = Separator.load(model)
    except StemwireError as error:
        return Finding("runtime", False, str(error), needed=True)
    return Finding("runtime", True, f"{separator.runtime}: {separator.runtime_reason}", needed=True)
