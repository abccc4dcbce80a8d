"""Chains of effects over the stems of a file: aligned with the song and as long as it is.

    stems, any portions --> blocks --> rack --> drop its latency --> stems (and mix), any portions

The effects are the very ones of a live session, but in this process: a file has time to wait for
them, and no sound breaks off if one of them ends it all.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import numpy as np

from engine import HostConfig
from engine.processors import MIX, Processors
from engine.rack import Delay, Rack, Watcher
from plugin_host.audio_files import Audio, Stems


class ChainedStems(Watcher):
    """The chains of one song.

    Args:
        processors: the chains.
        stems: the model's.
        config: of the stream; the effects get blocks of its block size.
        gives_mix: whether the mix is one more stem where it has a chain.

    Attributes:
        names: of what comes out.
        latency: frames that the chains would add to a live stream.
        notes: a sentence for each effect that had to be bypassed.

    Raises:
        ConfigError: if an effect cannot be loaded.
    """

    def __init__(
        self,
        processors: Processors,
        stems: tuple[str, ...],
        config: HostConfig,
        *,
        gives_mix: bool,
    ) -> None:
        self.notes: list[str] = []
        self._rack = Rack.load(processors.load(stems), stems, config, watcher=self)
        self.names = (*stems, MIX) if gives_mix and self._rack.has_mix else stems
        self.latency = self._rack.latency
        # The stems have to wait while the mix is in its chain.
        late = self._rack.mix_latency
        self._waits = [Delay(late, config) for _ in stems] if late else []
        self._rows: Stems = np.zeros(
            (len(stems) + 1, config.channels, config.block_size), np.float32
        )
        self._filled = 0
        self._to_drop = self.latency

    def bypass(self, index: int, sentence: str) -> None:
        """Notes that an effect has failed."""
        del index
        self.notes.append(sentence)

    def over(self, portions: Iterable[Stems]) -> Iterator[Stems]:
        """Yields what the chains make of a song's stems.

        Args:
            portions: `(stems, channels, frames)` of any lengths.

        Yields:
            `(stems + 1, channels, frames)` of any lengths, the mix last; together as long as the
            portions, and aligned with them.
        """
        to_come = 0
        for portion in portions:
            to_come += portion.shape[-1]
            for rows in self._push(portion):
                to_come -= rows.shape[-1]
                yield rows
        silence = np.zeros((len(self._rows) - 1, *self._rows.shape[1:]), np.float32)
        while to_come:
            for rows in self._push(silence):
                rows = rows[..., :to_come]
                to_come -= rows.shape[-1]
                yield rows

    def split(self, rows: Stems) -> tuple[Audio, Stems]:
        """Returns the mix, and what is to be written by the names."""
        return rows[-1], rows[: len(self.names)]

    def _push(self, portion: Stems) -> Iterator[Stems]:
        block_size, done = self._rows.shape[-1], 0
        while done < portion.shape[-1]:
            part = portion[..., done : done + block_size - self._filled]
            done += part.shape[-1]
            self._rows[:-1, :, self._filled : self._filled + part.shape[-1]] = part
            self._filled += part.shape[-1]
            if self._filled == block_size:
                self._filled = 0
                drop = min(self._to_drop, block_size)
                self._to_drop -= drop
                yield self._processed()[..., drop:]

    def _processed(self) -> Stems:
        rows = self._rows.copy()
        stems, mix = rows[:-1], rows[-1]
        self._rack.process_stems(stems)
        np.add.reduce(stems, axis=0, out=mix)
        self._rack.process_mix(mix)
        for stem, wait in zip(stems, self._waits, strict=False):
            wait.process(stem, stem)
        return rows


@contextmanager
def plugins_print_elsewhere() -> Iterator[None]:
    """Keeps stdout for results: what plugins print there meanwhile goes to stderr."""
    try:
        stdout, stderr = sys.__stdout__, sys.__stderr__
        if stdout is None or stderr is None:
            raise ValueError
        stdout.flush()
        kept = os.dup(stdout.fileno())
        os.dup2(stderr.fileno(), stdout.fileno())
    except (OSError, ValueError):  # there is no such file, as in a window without a terminal
        yield
        return
    try:
        yield
    finally:
        os.dup2(kept, stdout.fileno())
        os.close(kept)
