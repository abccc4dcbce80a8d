"""The mixer: gain, mute, solo and pan of each stem, master gain, bypass and panic.

    stem k ---x gain[k]--+--> stem k, post-fader
                         +--> sum --x gain[wet]--+--> mix
    input ----------------------x gain[dry]------+

Every control acts through these gains alone, one for each channel, and a gain never jumps. It goes
to its target in a straight line of 10 ms, here 4 frames from 0 to 1; where the target moves before
that, a new line begins where the gain is, here on the way to 0.25:

    frames to go          4     3     2     4     3     2     1     0     0
    gain                  0    .25   .50   .50   .44   .38   .31   .25   .25
                          = target - step * frames to go

Bypass takes the sum to 0, the input to 1 and the stems to 1; panic takes stems and input to 0. A
gain that rests at 1 leaves samples as they are, bit for bit; one that rests at 0 gives zeros.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.config import HostConfig
from engine.controls import ControlTable
from engine.fifo import Samples

RAMP_SECONDS = 0.01
"""How long a gain takes to its target."""


def fallback_gain(table: ControlTable) -> float:
    """Returns what to multiply the delayed input with where it takes the place of a late mix.

    That is the master gain, but 0 under panic and 1 under bypass, as the mix itself has it.
    """
    if table.get("panic"):
        return 0.0
    return 1.0 if table.get("bypass") else table.get("master/gain")


class Mixer:
    """Mixes separated stems as a table of controls says.

    The first block starts with the gains that the table asks for; from then on they ramp.

    Args:
        stems: their names, in the order of the audio.
        config: of the host; blocks may be shorter than its block size.
    """

    def __init__(self, stems: Sequence[str], config: HostConfig) -> None:
        self._controls_of = [
            (f"stem/{stem}/gain", f"stem/{stem}/mute", f"stem/{stem}/solo", f"stem/{stem}/pan")
            for stem in stems
        ]
        self._channels = config.channels
        self._ramp_frames = max(1, round(RAMP_SECONDS * config.sample_rate))
        self._stems = slice(len(stems))
        self._wet, self._dry = len(stems), len(stems) + 1

        # One gain per channel: of each stem, of the stems' sum (wet), and of the input (dry).
        gains = (len(stems) + 2, config.channels, 1)
        self._targets: Samples = np.zeros(gains, np.float32)
        self._steps: Samples = np.zeros(gains, np.float32)
        self._to_go: Samples = np.zeros(gains, np.float32)  # frames, whole numbers
        self._curves: Samples = np.zeros((*gains[:2], config.block_size), np.float32)
        self._count: Samples = np.arange(1, config.block_size + 1, dtype=np.float32)
        self._input: Samples = np.zeros((config.channels, config.block_size), np.float32)

        self._seen: NDArray[np.float64] | None = None  # the table's memory when last looked at
        self._same = np.zeros(0, np.bool_)
        self._moving = False
        # While nothing moves:
        self._stems_at_1 = True
        self._silent: list[tuple[int, int]] = []  # (stem, channel)
        self._wet_gain, self._dry_gain = 1.0, 0.0

    def process(self, table: ControlTable, mixture: Samples, stems: Samples, mix: Samples) -> None:
        """Mixes one block. Allocates nothing that stays.

        Args:
            table: the controls, of these stems; garbage in its memory does no harm.
            mixture: the input `(channels, frames)`, aligned with the stems; frames are at most the
                host's block size.
            stems: `(stems, channels, frames)`, changed in place to what is to be heard of each.
            mix: `(channels, frames)`, filled whole; shares no memory with the others.
        """
        self._look_at(table)
        if self._moving:
            self._mix_moving(mixture, stems, mix)
        else:
            self._mix_at_rest(mixture, stems, mix)

    # ---- gains --------------------------------------------------------------------------------

    def _look_at(self, table: ControlTable) -> None:
        """Sends the gains to new targets if anything in the table has changed."""
        first = self._seen is None
        if self._seen is None:
            self._seen = np.empty_like(table.values)
            self._same = np.zeros(self._seen.shape, np.bool_)
        else:
            np.equal(table.values, self._seen, out=self._same)
            if self._same.all():
                return
        # Copied before it is read: what is written meanwhile is seen as a change in the next block.
        self._seen[...] = table.values
        wanted = self._wanted(table)
        if first:
            self._targets[...] = wanted
            self._come_to_rest()
            return
        now = self._targets - self._steps * self._to_go
        changed = wanted != self._targets
        np.copyto(self._steps, (wanted - now) / self._ramp_frames, where=changed)
        np.copyto(self._to_go, self._ramp_frames, where=changed)
        np.copyto(self._targets, wanted, where=changed)
        self._moving = bool(self._to_go.any())

    def _wanted(self, table: ControlTable) -> Samples:
        """Returns the gains that the table asks for, as `(stems + 2, channels, 1)`."""
        bypass, panic = table.get("bypass"), table.get("panic")
        if bypass or panic:
            stems = [[1.0 - panic] * self._channels for _ in self._controls_of]
        else:
            any_solo = any(table.get(solo) for _, _, solo, _ in self._controls_of)
            stems = [self._wanted_of(table, names, any_solo) for names in self._controls_of]
        wet = 0.0 if bypass else table.get("master/gain")
        dry = bypass * (1.0 - panic)
        gains = [*stems, [wet] * self._channels, [dry] * self._channels]
        return np.array(gains, np.float32)[..., np.newaxis]

    def _wanted_of(
        self, table: ControlTable, names: tuple[str, str, str, str], any_solo: bool
    ) -> list[float]:
        """Returns the gains of one stem, one for each channel."""
        gain, mute, solo, pan = map(table.get, names)
        if mute or (any_solo and not solo):
            return [0.0] * self._channels
        if self._channels == 1:
            return [gain]
        return [gain * min(1.0, 1.0 - pan), gain * min(1.0, 1.0 + pan)]

    def _come_to_rest(self) -> None:
        """Sorts out once what blocks need while no gain moves."""
        gains = self._targets[self._stems, :, 0]
        self._moving = False
        self._stems_at_1 = bool((gains == 1.0).all())
        self._silent = [(int(stem), int(channel)) for stem, channel in np.argwhere(gains == 0.0)]
        self._wet_gain = float(self._targets[self._wet, 0, 0])
        self._dry_gain = float(self._targets[self._dry, 0, 0])

    # ---- audio --------------------------------------------------------------------------------

    def _mix_at_rest(self, mixture: Samples, stems: Samples, mix: Samples) -> None:
        if not self._stems_at_1:
            for row in self._silent:
                stems[row] = 0.0  # 0 * x is not 0 where x is infinite
            np.multiply(stems, self._targets[self._stems], out=stems)
        if self._dry_gain:  # then 1, and nothing else is heard
            mix[...] = mixture
        elif self._wet_gain:
            np.add.reduce(stems, axis=0, out=mix)
            if self._wet_gain != 1.0:
                np.multiply(mix, self._wet_gain, out=mix)
        else:
            mix.fill(0.0)

    def _mix_moving(self, mixture: Samples, stems: Samples, mix: Samples) -> None:
        frames = mix.shape[-1]
        gains = self._curves[..., :frames]
        np.subtract(self._to_go, self._count[:frames], out=gains)
        np.maximum(gains, 0.0, out=gains)
        np.multiply(gains, self._steps, out=gains)
        np.subtract(self._targets, gains, out=gains)

        np.multiply(stems, gains[self._stems], out=stems)
        np.add.reduce(stems, axis=0, out=mix)
        np.multiply(mix, gains[self._wet], out=mix)
        if self._targets[self._dry].any() or self._to_go[self._dry].any():
            heard = self._input[:, :frames]
            np.multiply(mixture, gains[self._dry], out=heard)
            np.add(mix, heard, out=mix)

        np.subtract(self._to_go, frames, out=self._to_go)
        np.maximum(self._to_go, 0.0, out=self._to_go)
        if not self._to_go.any():
            self._come_to_rest()
