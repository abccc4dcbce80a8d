"""Stems out as one NI Stems file, `<title>.stem.mp4`, for decks and players that mix parts.

The format wants exactly five stereo tracks: the mixture and four parts that add up to it. Which
stem goes into which part is decided by `arrange`. The tracks are ALAC, 24 bits, lossless, encoded
by ffmpeg from a pipe while the separation runs; then `mp4_atoms` adds the description of the parts.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from engine import ConfigError
from plugin_host.audio_files import Audio, Stems
from plugin_host.errors import OutputError
from plugin_host.mp4_atoms import Mp4Error, add_stem_atom, stem_payload
from plugin_host.staging import StagedFiles, write_failure
from plugin_host.stem_files import count_clipped

PARTS = 4
REST = "other"
_SILENCE = "silence"

Arrangement = tuple[tuple[str, tuple[int, ...]], ...]


def find_ffmpeg() -> str:
    """Where ffmpeg is.

    Returns:
        Its path.

    Raises:
        OutputError: If it is not installed.
    """
    path = shutil.which("ffmpeg")
    if path is None:
        raise OutputError(
            "The format stem.mp4 needs ffmpeg, which is not installed: install it (Debian, Ubuntu: "
            "`apt install ffmpeg`; macOS: `brew install ffmpeg`) or use --format wav or flac."
        )
    return path


def arrange(stems: tuple[str, ...], picked: tuple[str, ...]) -> Arrangement:
    """Decides which stems are summed into which of the four parts.

    Picked stems get a part each, in the order in which they were picked; all others are summed into
    a last part `other`, so that the parts add up to the mixture. Parts that are left over are
    silent.

    Args:
        stems: The model's stems.
        picked: Those that shall have a part; all of `stems` means "as many as there is room for".

    Returns:
        Four times (name of the part, indices of the stems summed in it).

    Raises:
        ConfigError: If four stems are picked and there is no part left for the others.
    """
    names = [stem for stem in picked if stem != REST]
    rest = [stem for stem in stems if stem not in names]
    room = PARTS - 1 if rest else PARTS
    if len(names) > room:
        if set(picked) != set(stems):
            raise ConfigError(
                f"A stem.mp4 file has {PARTS} parts, and {', '.join(names)} leave none for the "
                f"other stems: pick at most {PARTS - 1} with --stems."
            )
        names = names[: PARTS - 1]
        rest = [stem for stem in stems if stem not in names]
    parts: list[tuple[str, tuple[int, ...]]] = [(name, (stems.index(name),)) for name in names]
    if rest:
        parts.append((REST, tuple(stems.index(stem) for stem in rest)))
    parts += [(_SILENCE, ())] * (PARTS - len(parts))
    return tuple(parts)


class StemMp4:
    """A sink that writes one `.stem.mp4` file."""

    def __init__(
        self, staged: StagedFiles, title: str, arrangement: Arrangement, *, sample_rate: int
    ) -> None:
        """Starts ffmpeg.

        Args:
            staged: Where the file is written.
            title: What its name begins with.
            arrangement: See `arrange`.
            sample_rate: Hz; NI's own players want 44,100 or 48,000.

        Raises:
            OutputError: If ffmpeg is missing or the file's name is taken by a folder.
        """
        ffmpeg = find_ffmpeg()
        self._arrangement = arrangement
        self._names = tuple(name for name, _ in arrangement)
        self.clipped = dict.fromkeys(("mixture", *self._names), 0)
        self._temporary = staged.path(f"{title}.stem.mp4")
        self._final = staged.final(self._temporary)
        self.outputs: dict[str, Path] = {"stem.mp4": self._final}
        self._messages = tempfile.TemporaryFile()  # noqa: SIM115  lives as long as the process
        self._process = subprocess.Popen(
            [ffmpeg, *_arguments(self._names, sample_rate), str(self._temporary.resolve())],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._messages,
            start_new_session=True,  # Ctrl-C is for us; we end ffmpeg ourselves
        )

    def write(self, mixture: Audio, stems: Stems) -> None:
        """Appends a block of the mixture and all parts."""
        frames = mixture.shape[1]
        tracks = np.zeros((1 + PARTS, 2, frames), np.float32)
        tracks[0] = mixture  # mono: the same in both channels
        for track, (_, indices) in zip(tracks[1:], self._arrangement, strict=True):
            if indices:
                track[:] = stems[list(indices)].sum(axis=0)
        for name, track in zip(("mixture", *self._names), tracks, strict=True):
            self.clipped[name] += count_clipped(track)
        # (tracks, channels, frames) -> (frames, tracks * channels), as ffmpeg takes them
        interleaved = tracks.reshape(2 * (1 + PARTS), frames).T
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(interleaved.astype("<f4").tobytes())
        except OSError as error:
            raise self._failure() from error

    def finish(self) -> None:
        """Waits for ffmpeg and adds the `stem` atom."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.close()
        except OSError as error:
            raise self._failure() from error
        if self._process.wait() != 0:
            raise self._failure()
        self._messages.close()
        try:
            add_stem_atom(self._temporary, stem_payload(self._names))
            with self._temporary.open("rb") as file:
                os.fsync(file.fileno())
        except (OSError, Mp4Error) as error:  # ffmpeg may not notice that the end is missing
            raise write_failure(self._temporary, self._final, error) from error

    def abandon(self) -> None:
        """Ends ffmpeg where it stands."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._messages.close()

    def _failure(self) -> OutputError:
        self._process.wait()
        self._messages.seek(0)
        lines = self._messages.read().decode(errors="replace").strip().splitlines()
        said = lines[-1] if lines else f"it ended with code {self._process.returncode}"
        return write_failure(self._temporary, self._final, RuntimeError(f"ffmpeg: {said}"))


def _arguments(names: tuple[str, ...], sample_rate: int) -> list[str]:
    """What ffmpeg is asked to do, less the output file: ten channels in, five tracks out."""
    titles = ("mixture", *names)
    split = ";".join(
        f"[0:a]pan=stereo|c0=c{2 * track}|c1=c{2 * track + 1}[track{track}]"
        for track in range(len(titles))
    )
    arguments = ["-nostdin", "-loglevel", "error", "-y", "-f", "f32le", "-ar", str(sample_rate)]
    arguments += ["-ac", str(2 * len(titles)), "-i", "pipe:0", "-filter_complex", split]
    for track, title in enumerate(titles):
        arguments += ["-map", f"[track{track}]"]
        arguments += [f"-metadata:s:a:{track}", f"title={title}"]
        arguments += [f"-metadata:s:a:{track}", f"handler_name={title}"]
        # Plain players play the enabled track only: the mixture.
        arguments += [f"-disposition:a:{track}", "default" if track == 0 else "0"]
    arguments += ["-c:a", "alac", "-sample_fmt", "s32p", "-brand", "M4A ", "-f", "mp4"]
    return arguments
