"""Audio files in: checked at the border, then read block by block.

Every file that libsndfile decodes is welcome (wav, flac, ogg, mp3, aiff ...), mono or stereo, at
any rate that the engine takes. What cannot be separated is refused with one sentence that names the
file, and what was written of its stems by then is removed.

Axes: a block is float32 `(channels, frames)`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt
import soundfile

from engine import AudioError, ConfigError, HostConfig

Audio = npt.NDArray[np.float32]
"""float32 `(channels, frames)`"""

Stems = npt.NDArray[np.float32]
"""float32 `(stems, channels, frames)`"""

FORMATS = "wav, flac, ogg or mp3"


class AudioSource:
    """An audio file, open for reading; a context manager.

    Attributes:
        path: The file.
        sample_rate: Hz.
        channels: 1 or 2.
        announced_frames: Frames according to the file's header; for some mp3 files an estimate.
        frames: Frames read so far.
    """

    def __init__(self, path: Path) -> None:
        """Opens and checks the file.

        Args:
            path: The file to read.

        Raises:
            AudioError: If there is nothing at `path` that can be separated.
        """
        self.path = path
        self._file = _open(path)
        self.sample_rate: int = self._file.samplerate
        self.channels: int = self._file.channels
        self.announced_frames: int = self._file.frames
        self.frames = 0
        try:
            self._check()
        except AudioError:
            self._file.close()
            raise

    def _check(self) -> None:
        if self.announced_frames == 0:
            raise AudioError(f"{self.path} holds 0 frames: there is nothing to separate.")
        if self.channels > 2:
            raise AudioError(
                f"{self.path} has {self.channels} channels: give a mono or stereo file, "
                "for example one made with `ffmpeg -i IN -ac 2 OUT`."
            )
        try:
            HostConfig(sample_rate=self.sample_rate, block_size=1, channels=self.channels)
        except ConfigError as error:
            raise AudioError(f"{self.path}: {error}") from error

    def blocks(self, block_size: int) -> Iterator[Audio]:
        """Reads the file from where it stands to its end.

        Args:
            block_size: Frames per block, at least 1; the last block may be shorter.

        Yields:
            Blocks `(channels, frames)`, each a fresh array.

        Raises:
            AudioError: If the file breaks off, cannot be decoded or holds NaN or infinity.
        """
        while True:
            try:
                block = self._file.read(block_size, dtype="float32", always_2d=True)
            except soundfile.LibsndfileError as error:
                raise AudioError(
                    f"{self.path} cannot be decoded past second "
                    f"{self.frames / self.sample_rate:.1f} ({error.error_string.rstrip('.')}): "
                    "the file is damaged or cut short, so export or download it again."
                ) from error
            if not len(block):
                break
            audio = np.ascontiguousarray(block.T)  # (frames, channels) -> (channels, frames)
            self._check_finite(audio)
            self.frames += audio.shape[1]
            yield audio
        if self.frames == 0:
            raise AudioError(f"{self.path} holds 0 frames: there is nothing to separate.")

    def _check_finite(self, audio: Audio) -> None:
        finite = np.isfinite(audio).all(axis=0)
        if not finite.all():
            frame = self.frames + int(np.argmin(finite))
            raise AudioError(
                f"{self.path} holds a sample that is no number (NaN or infinity) at frame {frame}, "
                f"second {frame / self.sample_rate:.3f}: export the file again without it."
            )

    @property
    def is_cut_short(self) -> bool:
        """Whether the file, read to its end, held clearly less than its header announces."""
        return self.frames < 0.99 * self.announced_frames

    def close(self) -> None:
        """Closes the file; a second call does nothing."""
        self._file.close()

    def __enter__(self) -> AudioSource:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _open(path: Path) -> soundfile.SoundFile:
    try:
        if path.is_dir():
            raise AudioError(f"{path} is a folder: give one audio file ({FORMATS}).")
        if path.exists() and not path.is_file():
            raise AudioError(f"{path} is no regular file: save the audio to a file first.")
        with path.open("rb") as file:
            is_empty = not file.read(1)
    except FileNotFoundError as error:
        raise AudioError(f"There is no file {path}: check the name and the folder.") from error
    except OSError as error:
        raise AudioError(f"{path} cannot be read: {error.strerror}.") from error
    if is_empty:
        raise AudioError(f"{path} is empty (0 bytes): give an audio file ({FORMATS}).")
    try:
        return soundfile.SoundFile(os.fsencode(path))  # a str must be UTF-8
    except (soundfile.LibsndfileError, TypeError) as error:
        # TypeError: soundfile takes a name that ends in .raw for headerless samples.
        raise AudioError(
            f"{path} is no audio file that can be read: give {FORMATS}; anything else can be "
            "turned into one with `ffmpeg -i IN OUT.flac`."
        ) from error
