"""The shared memory itself: made by a session, mapped by the link and the engines, gone at the end.

It is a file in the memory file system where there is one (Linux: /dev/shm), else in the folder for
temporary files; every system maps files, and a C++ plugin maps this one just the same.
"""

import mmap
import os
import secrets
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.config import HostConfig
from engine.errors import ConfigError, WorkerError
from engine.fifo import Samples
from engine.worker.layout import (
    HEADER_BYTES,
    MAGIC,
    NAME_BYTES,
    NOWHERE,
    SLOTS,
    TIMINGS,
    VERSION,
    Constant,
    Engine,
    Layout,
    engine_word,
)

Reals: TypeAlias = NDArray[np.float64]

_MEMORY_FOLDER = Path("/dev/shm")
_PREFIX = "stemwire-"


class Segment:
    """A mapped segment. Made by `create` or `attach`.

    Attributes:
        path: of the file.
        layout: where everything lies.
        words: the header as int64, see `engine.worker.layout`.
        reals: the same memory as float64.
        controls: float64, one slot per control.
        meters: per slot float64 `(rows, 2)`: peak and rms of input, mix and stems.
        timings: per slot float64 `(TIMINGS, 3)`: of the engine's k-th block, in row `k % TIMINGS`,
            the frame that it began at, when its output was there (seconds on the clock of
            `time.perf_counter`), and the seconds of computing.
        input: float32 `(channels, in_frames)`.
        output: per slot float32 `(1 + stems, channels, out_frames)`, the mix first.
    """

    def __init__(self, path: Path, layout: Layout, memory: mmap.mmap, inode: int) -> None:
        self.path = path
        self.layout = layout
        self._memory = memory
        self._inode = inode
        self._constants: dict[Constant, int] = {}
        header = memoryview(memory)[:HEADER_BYTES]
        self.words = header.cast("q")
        self.reals = header.cast("d")
        self.address: int = np.frombuffer(memory, np.uint8).ctypes.data
        rows, channels = layout.rows, layout.config.channels
        slots = range(SLOTS)
        self.controls: Reals = self._array("controls", None, np.float64, (layout.controls,))
        self.meters: list[Reals] = [
            self._array("meters", slot, np.float64, (layout.meter_rows, 2)) for slot in slots
        ]
        self.timings: list[Reals] = [
            self._array("timings", slot, np.float64, (TIMINGS, 3)) for slot in slots
        ]
        self.input: Samples = self._array("input", None, np.float32, (channels, layout.in_frames))
        self.output: list[Samples] = [
            self._array("output", slot, np.float32, (rows, channels, layout.out_frames))
            for slot in slots
        ]

    @classmethod
    def create(cls, layout: Layout, *, is_direct: bool, quantum: int) -> "Segment":
        """Makes a segment of zeros under a new name. Sweeps away those of dead owners.

        Args:
            layout: where everything shall lie.
            is_direct: whether the host waits for each block.
            quantum: what the engine's steps are multiples of: the block size if all blocks have it.

        Raises:
            ConfigError: if there is not enough memory for it.
        """
        folder = memory_folder()
        _sweep(folder)
        path = folder / f"{_PREFIX}{os.getpid()}-{secrets.token_hex(4)}"
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            _reserve(handle, layout.nbytes)
            memory = mmap.mmap(handle, layout.nbytes)
            inode = os.fstat(handle).st_ino
        except OSError as error:
            path.unlink()
            raise ConfigError(
                f"{folder} has no room for {layout.nbytes / 2**20:.1f} MiB of shared memory "
                f"({error.strerror}); free some, or choose a smaller block size."
            ) from error
        finally:
            os.close(handle)
        segment = cls(path, layout, memory, inode)
        config = layout.config
        segment._constants = {
            Constant.MAGIC: MAGIC,
            Constant.VERSION: VERSION,
            Constant.BYTES: layout.nbytes,
            Constant.SAMPLE_RATE: config.sample_rate,
            Constant.BLOCK_SIZE: config.block_size,
            Constant.CHANNELS: config.channels,
            Constant.STEMS: len(layout.stems),
            Constant.CONTROLS: layout.controls,
            Constant.IN_FRAMES: layout.in_frames,
            Constant.OUT_FRAMES: layout.out_frames,
            Constant.IS_DIRECT: int(is_direct),
            Constant.IS_FIXED: int(quantum == config.block_size),
            Constant.QUANTUM: quantum,
        }
        segment.write_constants()
        for slot in range(SLOTS):
            segment.words[engine_word(slot) + Engine.OUT_FROM] = NOWHERE
        return segment

    def write_constants(self) -> None:
        """Writes what never changes; again, it mends what somebody else has written there."""
        for word, value in self._constants.items():
            self.words[word] = value
        self.name_stems(self.layout.stems)

    def name_stems(self, names: Sequence[str]) -> None:
        """Writes the names of the stems; rows without one are called unused."""
        start = self.layout.offset("names")
        for row in range(len(self.layout.stems)):
            name = names[row] if row < len(names) else f"unused{row + 1}"
            place = start + row * NAME_BYTES
            self._memory[place : place + NAME_BYTES] = name.encode().ljust(NAME_BYTES, b"\0")

    def settle_latency(self, latency: int) -> None:
        """Notes the latency in frames, once it is known and before a host attaches."""
        self._constants[Constant.LATENCY] = latency
        self.write_constants()

    @classmethod
    def attach(cls, path: str | Path) -> "Segment":
        """Maps a segment that another process made.

        Raises:
            WorkerError: if there is none, or what stands in it cannot be one.
        """
        path = Path(path)
        try:
            handle = os.open(path, os.O_RDWR)
        except OSError as error:
            raise WorkerError(
                f"There is no shared memory at {path} ({error.strerror}); its session has ended, "
                "so start a new one."
            ) from error
        try:
            size = os.fstat(handle).st_size
            if size < HEADER_BYTES:
                raise _damaged(path)
            memory = mmap.mmap(handle, size)
            inode = os.fstat(handle).st_ino
        finally:
            os.close(handle)
        return cls(path, _read_layout(path, memory), memory, inode)

    @property
    def is_named(self) -> bool:
        """Whether the file still has its name."""
        try:
            return self.path.stat().st_ino == self._inode
        except FileNotFoundError:
            return False

    def unlink(self) -> None:
        """Removes the file's name, if it still is this very file.

        The memory goes with the last who maps it.
        """
        with suppress(FileNotFoundError):
            if self.is_named:
                self.path.unlink()

    def close(self) -> None:
        """Lets go of the memory, as soon as nobody holds an array of it any more."""
        if self._memory.closed or not hasattr(self, "input"):
            return
        self.words.release()
        self.reals.release()
        del self.controls, self.meters, self.timings, self.input, self.output
        with suppress(BufferError):  # arrays of it are still about; it goes with the last of them
            self._memory.close()

    def _array(
        self, part: str, slot: int | None, dtype: type, shape: tuple[int, ...]
    ) -> NDArray[Any]:
        count, offset = int(np.prod(shape)), self.layout.offset(part, slot)
        return np.frombuffer(self._memory, dtype, count, offset).reshape(shape)


def memory_folder() -> Path:
    """Returns the folder that segments lie in."""
    return _MEMORY_FOLDER if _MEMORY_FOLDER.is_dir() else Path(tempfile.gettempdir())


def _reserve(handle: int, size: int) -> None:
    """Takes the memory now: a page that is not there later would kill who touches it."""
    os.ftruncate(handle, size)
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(handle, 0, size)


def _sweep(folder: Path) -> None:
    """Removes segments whose makers are dead, as after a power cut of all their processes."""
    for path in segment_paths(folder):
        if not is_alive(owner_of(path)):
            with suppress(OSError):
                path.unlink()


def segment_paths(folder: Path) -> list[Path]:
    """Returns the files that are called as segments are, in the order of their names."""
    named = (path for path in folder.glob(f"{_PREFIX}*-*"))
    return sorted(path for path in named if path.name.split("-")[1].isdigit())


def owner_of(path: Path) -> int:
    """Returns the number of the process that made a segment, as its name tells."""
    return int(path.name.split("-")[1])


def is_alive(pid: int) -> bool:
    """Whether there is a process of that number; where one cannot ask, it is assumed."""
    if os.name != "posix":
        return True  # there, asking would end it
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


def _read_layout(path: Path, memory: mmap.mmap) -> Layout:
    with memoryview(memory) as whole, whole[:HEADER_BYTES] as header, header.cast("q") as words:
        values = {name: words[name] for name in Constant}
    if values[Constant.MAGIC] != MAGIC:
        raise _damaged(path)
    if values[Constant.VERSION] != VERSION:
        raise WorkerError(
            f"{path} is shared memory of version {values[Constant.VERSION]} and this is version "
            f"{VERSION}; start host and engine from one installation."
        )
    stems = values[Constant.STEMS]
    try:
        config = HostConfig(
            values[Constant.SAMPLE_RATE], values[Constant.BLOCK_SIZE], values[Constant.CHANNELS]
        )
        layout = Layout(
            config,
            ("",) * min(max(stems, 0), HEADER_BYTES),
            values[Constant.CONTROLS],
            values[Constant.IN_FRAMES],
            values[Constant.OUT_FRAMES],
        )
        quantum = values[Constant.QUANTUM]
        if (
            not layout.is_sound
            or not layout.nbytes == values[Constant.BYTES] == len(memory)
            or not 1 <= quantum <= config.block_size
            or config.block_size % quantum
        ):
            raise _damaged(path)
        start = layout.offset("names")
        names = [
            memory[place : place + NAME_BYTES].rstrip(b"\0").decode()
            for place in range(start, start + stems * NAME_BYTES, NAME_BYTES)
        ]
    except (ConfigError, UnicodeDecodeError) as error:
        raise _damaged(path) from error
    return Layout(config, tuple(names), layout.controls, layout.in_frames, layout.out_frames)


def _damaged(path: Path) -> WorkerError:
    return WorkerError(
        f"{path} is no shared memory of Stemwire, or is damaged; start a new session."
    )
