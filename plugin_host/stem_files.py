"""Stems out, one wav or flac file each, written as they come.

- wav: 32-bit float, so that samples above full scale stay as they are and the stems add up to the
  mixture. Above 4 GB the RF64 form of wav is written.
- flac: 24 bits. Samples above full scale are clipped, and counted.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

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
    """One audio file, whose failures are told by their cause.

    libsndfile calls every failure "system error". Handing it a Python file object would tell more,
    but then Ctrl-C could strike inside its callbacks, where Python drops exceptions.
    """

    def __init__(self, temporary: Path, final: Path, **form: Any) -> None:
        self._temporary = temporary
        self._final = final
        self._frames = 0
        try:
            self._descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        except OSError as error:
            raise write_failure(temporary, final, error) from error
        try:
            self._file = soundfile.SoundFile(self._descriptor, "w", closefd=False, **form)
        except soundfile.LibsndfileError as error:
            os.close(self._descriptor)
            raise write_failure(temporary, final, error) from error

    def write(self, audio: Audio) -> None:
        try:
            self._file.write(audio.T)
        except (soundfile.LibsndfileError, AssertionError) as error:  # the latter: written in part
            raise write_failure(self._temporary, self._final, error) from error
        self._frames += audio.shape[1]

    def finish(self) -> None:
        try:
            self._file.close()
            os.fsync(self._descriptor)
            self._check_whole()
        except (soundfile.LibsndfileError, OSError) as error:
            raise write_failure(self._temporary, self._final, error) from error
        self.abandon()

    def abandon(self) -> None:
        if self._descriptor < 0:
            return
        # A header that cannot be completed is no news: the file is either whole or thrown away.
        with suppress(soundfile.LibsndfileError):
            self._file.close()
        os.close(self._descriptor)
        self._descriptor = -1

    def _check_whole(self) -> None:
        """A full disk may go unnoticed until the end: the last frame must be there."""
        with soundfile.SoundFile(os.fsencode(self._temporary)) as written:
            written.seek(self._frames - 1)
            if written.frames != self._frames or len(written.read(1)) != 1:
                raise OSError("the file is incomplete")
