"""What is lost on the way to the model's rate and back, so that nothing is missing in the end.

A model at 44.1 kHz hears nothing above 22 kHz, and filters have edges. At a host rate of 96 kHz
the stems alone would not add up to what went in. So the mixture takes the stems' road beside them,
through both conversions and as late as they are:

    mixture --> conversion --> (model's latency) --> conversion --> what came through
    mixture -----------------------------------------------------> what went in
                                                                    their difference: the remainder

The remainder goes to the last stem. Where the rates are equal there is none, and none of this.
"""

import numpy as np

from engine.fifo import Fifo, Samples


class Remainder:
    """Two delay lines, one at each rate.

    Args:
        channels: of the host.
        model_latency: frames at the model's rate.
        max_step: the most frames at the model's rate at once.
        latency: frames at the host's rate from a mixture to its stems.
        max_block: the most frames at the host's rate at once.
    """

    def __init__(
        self, channels: int, model_latency: int, max_step: int, latency: int, max_block: int
    ) -> None:
        self._model_latency = model_latency
        self._latency = latency
        self._heard = Fifo((channels,), model_latency + max_step)
        self._whole = Fifo((channels,), latency + max_block)
        self._difference: Samples = np.zeros((channels, max_block), np.float32)
        self.reset()

    def reset(self) -> None:
        """Starts anew: silence has been playing for ever."""
        self._heard.reset(self._model_latency)
        self._whole.reset(self._latency)

    def follow(self, heard: Samples, row: Samples) -> None:
        """Takes what the model is about to hear; fills a row as late as the model's stems.

        Args:
            heard: `(channels, frames)` at the model's rate.
            row: the same shape.
        """
        self._heard.push(heard)
        self._heard.pull(row)

    def settle(self, block: Samples, rows: Samples, out: Samples) -> None:
        """Fills the stems, the remainder in the last of them.

        Args:
            block: what went in now, `(channels, frames)` at the host's rate.
            rows: `(stems + 1, channels, frames)`: stems, and the mixture that came with them.
            out: `(stems, channels, frames)`.
        """
        difference = self._difference[:, : block.shape[-1]]
        self._whole.push(block)
        self._whole.pull(difference)
        difference -= rows[-1]
        out[...] = rows[:-1]
        out[-1] += difference

    def snapshot(self) -> tuple[Samples, Samples]:
        """Returns a copy of all that is carried from block to block."""
        return self._heard.snapshot(), self._whole.snapshot()

    def restore(self, state: tuple[Samples, Samples]) -> None:
        """Goes on from a snapshot."""
        heard, whole = state
        self._heard.restore(heard)
        self._whole.restore(whole)
