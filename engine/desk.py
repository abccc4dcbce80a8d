"""The desk: from separated stems to what is heard of them and of the mix.

    stems --> rack: their chains --> mixer --+--> stems
                                             +--> mix                            no chain on the mix
                                             +--> sum --> rack: its chain --> master --> mix

A chain on the mix lies before the master fader, so that turning that down does not let a compressor
go; and bypass and panic come after it, so that the one gives the input as it came and the other is
silent at once, whatever rings on in there.
"""

from collections.abc import Sequence

import numpy as np

from engine.config import HostConfig
from engine.controls import ControlTable, controls_for
from engine.fifo import Samples
from engine.mixer import Mixer
from engine.rack import Rack

_SUM = "sum"
_MASTER_CONTROLS = ("master/gain", "bypass", "panic")


class Desk:
    """Everything between separation and output. Belongs to one thread.

    Args:
        stems: their names, in the order of the audio.
        config: of the host; blocks may be shorter than its block size.
        rack: processors of these stems and of the mix.

    Attributes:
        rack: as given.
    """

    def __init__(self, stems: Sequence[str], config: HostConfig, rack: Rack) -> None:
        self.rack = rack
        self._mixer = Mixer(stems, config)
        # The master is a mixer again, of one stem: its own fader stays at 1.
        self._master = Mixer((_SUM,), config)
        self._master_table = ControlTable(controls_for((_SUM,)))
        self._sum: Samples = np.zeros((1, config.channels, config.block_size), np.float32)

    def process(
        self,
        table: ControlTable,
        mixture: Samples,
        later_mixture: Samples,
        stems: Samples,
        mix: Samples,
    ) -> None:
        """Processes and mixes one block. Allocates nothing itself.

        Args:
            table: the controls, of these stems and of the rack's parts.
            mixture: the input `(channels, frames)`, aligned with the stems as they leave their
                chains.
            later_mixture: the input, later by the latency of the mix's chain; used only if there is
                one.
            stems: `(stems, channels, frames)`, changed in place to what is to be heard of each.
            mix: `(channels, frames)`, filled whole; shares no memory with the others.
        """
        rack = self.rack
        rack.follow(table)
        rack.process_stems(stems)
        self._mixer.process(table, mixture, stems, mix)
        if not rack.has_mix:
            return
        total = self._sum[..., : mix.shape[-1]]
        np.add.reduce(stems, axis=0, out=total[0])
        rack.process_mix(total[0])
        for name in _MASTER_CONTROLS:
            self._master_table.set(name, table.get(name))
        self._master.process(self._master_table, later_mixture, total, mix)
