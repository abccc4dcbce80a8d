"""What is installed, which runtime would be used and why, what is missing and how to get it."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import soundfile

from engine import Separator, StemwireError, list_models
from engine.worker.session import FIFO_PRIORITY
from plugin_host.devices import import_sounddevice, jack_server, sound_devices
from plugin_host.errors import AudioDeviceError
from plugin_host.link_process import child_environment


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


_TRY_REAL_TIME = f"""
from engine.realtime import enter_realtime
print("\\n".join(enter_realtime({FIFO_PRIORITY})))
"""
_SESSION_BYTES = 32 * 2**20  # of shared memory, with room to spare

# distribution, what it is for, how to get it, whether nothing works without it
_PACKAGES = (
    ("numpy", "arrays", "pip install stemwire", True),
    ("soundfile", "reading and writing audio files", "pip install stemwire", True),
    ("soxr", "songs at another rate than the model's", "pip install stemwire", True),
    ("onnxruntime", "the CPU runtime", "pip install 'stemwire[cpu]'", False),
    ("onnxruntime-gpu", "the CUDA runtime", "pip install 'stemwire[gpu]' (NVIDIA)", False),
    ("tensorrt", "the TensorRT runtime", "pip install 'stemwire[gpu]' (NVIDIA, Linux)", False),
    ("JACK-Client", "live sound through JACK", "pip install 'stemwire[live]'", False),
    ("sounddevice", "live sound through sound cards", "pip install 'stemwire[live]'", False),
    ("pedalboard", "effects on stems and mix", "pip install 'stemwire[chains]'", False),
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
        _jack(),
        _portaudio(),
        _real_time(),
        _shared_memory(),
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


def _jack() -> Finding:
    try:
        server = jack_server()
    except AudioDeviceError as error:
        return Finding("JACK", False, str(error))
    form = f"{server.sample_rate} Hz, blocks of {server.block_size} frames"
    return Finding("JACK", True, f"{server.version}, a server runs: {form}")


def _portaudio() -> Finding:
    try:
        devices = sound_devices()
        version_text = import_sounddevice().get_portaudio_version()[1].partition(",")[0]
    except AudioDeviceError as error:
        return Finding("PortAudio", False, str(error))
    count = f"{len(devices)} device{'' if len(devices) == 1 else 's'}"
    return Finding("PortAudio", True, f"{version_text}, sees {count}: `stemwire devices`")


def _real_time() -> Finding:
    """Tries what an engine does, in a process that is gone right after."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", _TRY_REAL_TIME],
        env=child_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    said = " ".join(done.stdout.split()) or done.stderr.strip()
    if done.returncode == 0 and not said:
        return Finding(
            "real time", True, f"SCHED_FIFO {FIFO_PRIORITY} and locked memory are permitted"
        )
    return Finding("real time", False, said)


def _shared_memory() -> Finding:
    folder = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path(tempfile.gettempdir())
    usage = shutil.disk_usage(folder)
    detail = f"{folder}: {_mebibytes(usage.free)} of {_mebibytes(usage.total)} are free"
    if usage.free < _SESSION_BYTES:
        return Finding("shared memory", False, f"{detail}, and a live session takes a few MiB")
    return Finding("shared memory", True, detail)


def _mebibytes(count: int) -> str:
    return f"{count / 2**20:,.0f} MiB"


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
