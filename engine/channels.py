"""Which of the host's channels go where in the model.

host     model      in                         out
n        n          as they are                as they are
mono     stereo     the channel, twice         the mean of both
stereo   mono       two streams, one each      as they are
"""

import numpy as np

from engine.fifo import Samples, Source
from engine.manifest import Manifest


class ChannelMap:
    """Carries audio between the host's channels and the model's.

    Args:
        manifest: of the model.
        channels: of the host.
    """

    def __init__(self, manifest: Manifest, channels: int) -> None:
        self._split = channels > manifest.channels
        self._mean = channels < manifest.channels
        self.batch = channels if self._split else 1
        """Streams that the model runs side by side, each with a state of its own."""

    def fill(self, audio: Samples, source: Source) -> None:
        """Pulls `(channels, frames)` from a source into the model's `(batch, channels, frames)`."""
        if self._split:
            source.pull(audio[:, 0])
        elif self._mean:
            source.pull(audio[0, :1])
            audio[0, 1] = audio[0, 0]
        else:
            source.pull(audio[0])

    def heard(self, audio: Samples) -> Samples:
        """Returns, of what `fill` filled, the host's channels: a view `(channels, frames)`."""
        if self._split:
            return audio[:, 0]
        return audio[0, :1] if self._mean else audio[0]

    def collect(self, separated: Samples, out: Samples) -> None:
        """Copies the model's `(batch, stems, channels, frames)` to `(stems, channels, frames)`."""
        if self._split:
            out[...] = separated[:, :, 0].swapaxes(0, 1)
        elif self._mean:
            np.add(separated[0, :, 0], separated[0, :, 1], out=out[:, 0])
            out *= 0.5
        else:
            out[...] = separated[0]
