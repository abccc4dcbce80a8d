"""The arithmetic of blocks and steps: when frames come, when they can go, how late that is.

The host brings `block_size` frames at a time and the model takes `hop` frames at a time. With equal
rates this costs exactly `hop - gcd(hop, block_size)` frames. hop 4, blocks of 6, model latency 0:

    frames in so far      6       12      18      24
    frames through it     4       12      16      24        whole hops
    short by              2        0       2       0        so 2 = 4 - gcd(4, 6)

With resampling, both conversions round to whole frames as well. The same count then runs over one
period of all three rhythms, so the latency is the least that never runs dry, and a constant.
"""

from dataclasses import dataclass
from functools import cached_property
from math import gcd

import numpy as np

from engine.config import HostConfig
from engine.latency import LatencyLedger
from engine.manifest import Manifest
from engine.resampling import Ratio

_MARGIN = 4  # frames, for what rounding adds at both ends of a span


@dataclass(frozen=True)
class Schedule:
    """How a stream flows through the conversion, the model and the conversion back.

    Attributes:
        block_size: frames per block at the host's rate.
        down: host rate to model rate.
        up: model rate to host rate.
        hop: frames per step at the model's rate.
        model_latency: frames at the model's rate.
    """

    block_size: int
    down: Ratio
    up: Ratio
    hop: int
    model_latency: int

    @classmethod
    def of(cls, manifest: Manifest, config: HostConfig) -> "Schedule":
        """Returns how a host's stream flows through a model."""
        down = Ratio.between(config.sample_rate, manifest.sample_rate)
        up = Ratio.between(manifest.sample_rate, config.sample_rate)
        return cls(config.block_size, down, up, manifest.hop, manifest.latency)

    @property
    def first_in(self) -> int:
        """Number of the first frame that the model sees; 0 is the host's first frame.

        It is below 0 if the conversion looks ahead: the silence before the stream counts.
        """
        return self.down.outputs_before(0)

    @property
    def step_sizes(self) -> tuple[int, ...]:
        """The frames, at the model's rate, that one block may bring to a step: one or two sizes."""
        hops, rest = divmod(self.block_size * self.down.den, self.down.num * self.hop)
        counts = {hops, hops + (rest > 0)} - {0}
        return tuple(count * self.hop for count in sorted(counts))

    @property
    def max_held_in(self) -> int:
        """The most frames, at the host's rate, that wait for a step."""
        return self.block_size + -(-self.hop * self.down.num // self.down.den) + _MARGIN

    @property
    def max_held_out(self) -> int:
        """The most frames, at the model's rate, that wait to be played."""
        waiting = self.latency + self.block_size
        return -(-waiting * self.up.num // self.up.den) + self.step_sizes[-1] + _MARGIN

    @cached_property
    def latency(self) -> int:
        """Frames at the host's rate from an input frame to its output frame.

        The stream is latest just before a step: with `last` frames in, the step s is still to
        come, and the output stands where the s steps before it have brought it.
        """
        num, den = self.down.num, self.down.den
        # Blocks end at multiples of block_size: over one period, at all multiples of `grid`.
        grid = gcd(self.block_size, num * self.hop // gcd(self.hop, den))
        steps = np.arange(den // gcd(self.hop, den), dtype=np.int64)
        needed = self.first_in + (steps + 1) * self.hop  # model frames that step s waits for
        last = (self.down.half + (needed - 1) * num // den) // grid * grid
        through = needed - self.hop - self.model_latency
        given = -((self.up.half - through) * self.up.den // self.up.num)
        return int(np.max(last - given))

    @property
    def ledger(self) -> LatencyLedger:
        """The latency by its causes; what rounding adds counts as the resampler's."""
        if self.down.half == 0:
            framing = self.hop - gcd(self.hop, self.block_size)
            return LatencyLedger((("model", self.model_latency), ("framing", framing)))
        no_model = Schedule(self.block_size, self.down, self.up, self.hop, 0)
        no_hop = Schedule(self.block_size, self.down, self.up, 1, 0)
        model = self.model_latency * self.down.num // self.down.den
        framing = no_model.latency - no_hop.latency
        rest = self.latency - model - framing
        return LatencyLedger((("model", model), ("framing", framing), ("resampler", rest)))
