"""Stems out, one wav or flac file each, written as they come.

- wav: 32-bit float, so that samples above full scale stay as they are and the stems add up to the
  mixture. Above 4 GB the RF64 form of wav is written.
- flac: 24 bits. Samples above full scale are clipped, and counted.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
import soundfile

from plugin_host.audio_files import Audio, Stems
from plugin_host.staging import StagedFiles, write_failure

_WAV_LIMIT = 2**32 - 2**16  # bytes; a wav header counts them in 32 bits


class StemSink(Protocol):
    """Takes stems block by block and turns them into files.

    `clipped` counts, by the name of the part, the samples that were above full scale where the
    format cannot hold them. `outputs` are the final names, by the name of the part.
    """

    clipped: dict[str, int]
    outputs: dict[str, Path]

    def write(self, mixture: Audio, stems: Stems) -> None:
        """Appends a block: `mixture` (channels, frames), `stems` (stems, channels, frames)."""

    def finish(self) -> None:
        """Completes the files, still under their temporary names."""

    def abandon(self) -> None:
        """Lets go of the files without completing them; harmless after `finish`."""


class StemFiles:
    """A sink that writes `<title>.<stem>.wav` or `.flac` for each picked stem."""

    def __init__(
        self,
        staged: StagedFiles,
        title: str,
        stems: tuple[str, ...],
        picked: tuple[str, ...],
        *,
        file_format: str,
        sample_rate: int,
        channels: int,
        announced_frames: int,
    ) -> None:
        """Opens one file per picked stem.

        Args:
            staged: Where the files are written.
            title: What their names begin with.
            stems: The model's stems, in the order in which `write` gets them.
            picked: Those of them to write.
            file_format: "wav" or "flac".
            sample_rate: Hz.
            channels: 1 or 2.
            announced_frames: About how many frames will come.

        Raises:
            OutputError: If a file cannot be made.
        """
        self.clipped = dict.fromkeys(picked, 0)
        self.outputs: dict[str, Path] = {}
        self._counts_clipping = file_format == "flac"
        self._files: dict[str, _StemFile] = {}
        container = file_format.upper()
        if file_format == "wav" and announced_frames * channels * 4 > _WAV_LIMIT:
            container = "RF64"
        subtype = "FLOAT" if file_format == "wav" else "PCM_24"
        self._index = {stem: stems.index(stem) for stem in picked}
        try:
            for stem in picked:
                temporary = staged.path(f"{title}.{stem}.{file_format}")
                self.outputs[stem] = staged.final(temporary)
                self._files[stem] = _StemFile(
                    temporary,
                    self.outputs[stem],
                    format=container,
                    subtype=subtype,
                    samplerate=sample_rate,
                    channels=channels,
                )
        except BaseException:
            self.abandon()
            raise

    def write(self, mixture: Audio, stems: Stems) -> None:  # noqa: ARG002
        """Appends a block of every picked stem; the mixture is not written."""
        for stem, file in self._files.items():
            audio = stems[self._index[stem]]
            if self._counts_clipping:
                self.clipped[stem] += count_clipped(audio)
            file.write(audio)

    def finish(self) -> None:
        """Completes the headers and hands everything to the disk."""
        for file in self._files.values():
            file.finish()

    def abandon(self) -> None:
        """Closes the files as they are."""
        for file in self._files.values():
            file.abandon()


def count_clipped(audio: Audio) -> int:
    """Counts the samples that an integer format cannot hold.

    Args:
        audio: Any shape, full scale ±1.0.

    Returns:
        How many are above full scale.
    """
    return int(np.count_nonzero(np.abs(audio) > 1.0))


class _StemFile:
    """One audio file. libsndfile says "system error" for every failure; this keeps the cause."""

    def __init__(self, temporary: Path, final: Path, **form: Any) -> None:
        self._final = final
        self._frames = 0
        try:
            self._bytes = _FailureKeeper(temporary.open("w+b"))
        except OSError as error:
            raise write_failure(final, error) from error
        try:
            self._file = soundfile.SoundFile(self._bytes, "w", **form)
        except soundfile.LibsndfileError as error:
            self._bytes.close()
            raise write_failure(final, self._bytes.failure or OSError(str(error))) from error

    def write(self, audio: Audio) -> None:
        try:
            self._file.write(audio.T)
        except (soundfile.LibsndfileError, AssertionError) as error:
            raise write_failure(self._final, self._bytes.failure or OSError(str(error))) from error
        self._raise_failure()

    def finish(self) -> None:
        self._file.close()
        self._raise_failure()
        try:
            self._bytes.sync()
        except OSError as error:
            raise write_failure(self._final, error) from error

    def abandon(self) -> None:
        self._bytes.failure = self._bytes.failure or OSError("abandoned")
        self._file.close()
        self._bytes.close()

    def _raise_failure(self) -> None:
        if self._bytes.failure:
            raise write_failure(self._final, self._bytes.failure) from self._bytes.failure


class _FailureKeeper:
    """A file object for soundfile that keeps the first failure instead of raising it.

    soundfile calls these methods from C, where an exception would only be printed. After a failure
    everything is taken and dropped, so that closing the audio file does not fail once more.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.failure: OSError | None = None

    def write(self, data: bytes) -> int:
        if self.failure is None:
            try:
                return self._file.write(data)
            except OSError as error:
                self.failure = error
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        try:
            return self._file.seek(offset, whence)
        except OSError as error:  # a seek writes what is buffered
            self.failure = self.failure or error
        return self.tell()

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)

    def sync(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def close(self) -> None:
        try:
            self._file.close()
        except OSError as error:
            self.failure = self.failure or error
