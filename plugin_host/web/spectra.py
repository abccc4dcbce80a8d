"""What the spectrograms show: the newest spectrum of the mix and of every stem.

It is worked out here, in the control process, from the rings that the engine writes and the audio
link reads: a copy a few times a second, and only while a browser is looking. The processes of the
audio do not know of it. Reading may meet writing; then one column of a picture is wrong.

    ring of the engine   ... o o o o o o o o o |          position that is out so far
    what is kept           [ 4,096 frames      ]          shifted by what is new each time
    window, transform      2,049 bins
    bands                  64, evenly spaced in octaves, the loudest bin of each
    one byte               0 is -84 dB and less, 255 -12 dB, tilted by 3 dB an octave around 1 kHz

The tilt is what analysers use for music, which has less in the treble: so all of it can be seen.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.errors import WorkerError
from engine.worker import Session
from engine.worker.layout import NOWHERE, SLOTS, Engine, Host, engine_word
from engine.worker.rings import read_ring
from engine.worker.segment import Segment

BANDS = 64
LOWEST_HZ = 40.0
HIGHEST_HZ = 18_000.0

_FRAMES = 4_096
_FLOOR_DB, _TOP_DB = -84.0, -12.0
_TILT_DB = 3.0
_TILT_AROUND_HZ = 1_000.0

Column = NDArray[np.uint8]


class Spectra:
    """The spectra of one session after the other."""

    def __init__(self) -> None:
        self._session: Session | None = None
        self._source: _Source | None = None

    def column(self, session: Session | None) -> Column | None:
        """Returns the newest spectra; None if nothing has been played since the last time.

        Args:
            session: that plays.

        Returns:
            uint8 (1 + stems, BANDS): the mix first, the bass first.
        """
        if session is not self._session:
            self.close()
            self._session = session
            if session is not None:
                try:
                    self._source = _Source(session)
                except WorkerError:  # it has just ended
                    self._session = None
        return self._source.column() if self._source is not None else None

    def close(self) -> None:
        """Lets go of the session's memory."""
        if self._source is not None:
            self._source.close()
        self._source = self._session = None


class _Source:
    """One session's memory, and the last moment of what was in it."""

    def __init__(self, session: Session) -> None:
        self._segment = segment = Segment.attach(session.segment_path)
        layout = segment.layout
        self._end = NOWHERE
        self._kept = np.zeros((layout.rows, _FRAMES), np.float32)
        # As much as is safe to read: the rest of the ring may be written to just now.
        self._reach = min(_FRAMES, layout.out_frames - 2 * layout.config.block_size)
        self._fresh = np.zeros((layout.rows, layout.config.channels, self._reach), np.float32)
        self._window = np.hanning(_FRAMES).astype(np.float32)
        frequencies = np.fft.rfftfreq(_FRAMES, 1.0 / layout.config.sample_rate)
        highest = min(HIGHEST_HZ, frequencies[-1])
        edges = np.geomspace(LOWEST_HZ, highest, BANDS + 1)
        bins = np.searchsorted(frequencies, edges)
        self._firsts, self._stop = bins[:-1], max(int(bins[-1]), int(bins[-2]) + 1)
        centres = np.sqrt(edges[:-1] * edges[1:])
        full_scale_db = 20.0 * np.log10(self._window.sum() / 2.0)
        self._offset_db = _TILT_DB * np.log2(centres / _TILT_AROUND_HZ) - full_scale_db

    def column(self) -> Column | None:
        words, rows = self._segment.words, len(self._kept)
        slot = words[Host.PLAYING]
        if slot not in range(SLOTS):
            return None
        engine = engine_word(slot)
        end = words[engine + Engine.OUT_END]
        begin = max(words[engine + Engine.OUT_FROM], end - self._reach, 0)
        new = end - max(begin, min(self._end, end)) if self._end != NOWHERE else end - begin
        if not 0 < new <= self._reach:
            self._end = end
            return None
        self._end = end
        fresh = self._fresh[..., :new]
        read_ring(self._segment.output[slot], end - new, fresh)
        kept = self._kept
        kept[:, : _FRAMES - new] = kept[:, new:]
        np.mean(fresh, axis=1, out=kept[:, _FRAMES - new :])
        spectrum = np.fft.rfft(np.nan_to_num(kept) * self._window, axis=1)
        power = np.abs(spectrum[:, : self._stop]) ** 2
        loudest = np.maximum.reduceat(power, self._firsts, axis=1)
        level = 10.0 * np.log10(loudest + 1e-20) + self._offset_db
        scaled = (level - _FLOOR_DB) / (_TOP_DB - _FLOOR_DB) * 255.0
        column: Column = np.clip(scaled, 0.0, 255.0).astype(np.uint8)
        assert column.shape == (rows, BANDS)
        return column

    def close(self) -> None:
        self._segment.close()
