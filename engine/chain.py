"""The live path: blocks of the host's size and rate in, stems out, a constant latency later.

    host block -> source -> model steps -> sink -> host block

The source and the sink are queues; where the host's rate is not the model's they are resamplers,
which are queues that take frames at one rate and give them at another, and the mixture travels
beside the stems to see what is lost (`engine.remainder`). Nothing here waits,
allocates or depends on how long a step took: which frame comes out when is settled beforehand, by
the `Schedule`.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.channels import ChannelMap
from engine.config import HostConfig
from engine.fifo import Fifo, Samples
from engine.framing import Schedule
from engine.manifest import Manifest
from engine.remainder import Remainder
from engine.resampling import Resampler
from engine.runtime.protocol import Runtime, RuntimeState


@dataclass(frozen=True)
class ChainState:
    """All that a stream carries from one block to the next."""

    runtime: RuntimeState
    source: Any
    sink: Any
    remainder: Any


_MAX_HOPS = 16
"""Of one step where blocks vary in size: beyond it larger steps gain little, and each size needs
buffers of its own."""


class Chain:
    """One live stream through a model.

    Args:
        manifest: of the model.
        runtime: that runs it; prepared here.
        config: of the host; block_size is the most frames at once.
        quantum: what every block's frames are a multiple of; block_size if all are alike.

    Attributes:
        config: of the host.
        ledger: where the latency comes from, in frames at the host's rate.
    """

    def __init__(
        self, manifest: Manifest, runtime: Runtime, config: HostConfig, quantum: int
    ) -> None:
        # A block of several quanta is the same as several blocks of one: the schedule holds.
        self._schedule = schedule = Schedule.of(manifest, replace(config, block_size=quantum))
        surplus = config.block_size - quantum
        self.config = config
        self.ledger = schedule.ledger
        self._hop = manifest.hop
        self._runtime = runtime
        self._map = ChannelMap(manifest, config.channels)
        step_sizes = schedule.step_sizes
        if surplus:
            most = Schedule.of(manifest, config).step_sizes[-1] // manifest.hop
            step_sizes = tuple(hops * manifest.hop for hops in range(1, min(most, _MAX_HOPS) + 1))
        self._max_hops = step_sizes[-1] // manifest.hop
        runtime.prepare(step_sizes, self._map.batch)

        stems, longest = len(manifest.stems), step_sizes[-1]
        self._stems = slice(stems)
        self._source: Fifo | Resampler
        self._sink: Fifo | Resampler
        self._remainder: Remainder | None = None
        rows = stems
        if config.sample_rate != manifest.sample_rate:
            self._remainder = Remainder(
                config.channels, manifest.latency, longest, schedule.latency, config.block_size
            )
            rows += 1  # the mixture, beside its stems
        ins, outs = (config.channels,), (rows, config.channels)
        if self._remainder is None:
            self._source = Fifo(ins, schedule.max_held_in + surplus)
            self._sink = Fifo(outs, schedule.max_held_out + surplus)
        else:
            more = -(-surplus * manifest.sample_rate // config.sample_rate)
            self._source = Resampler(schedule.down, ins, schedule.max_held_in + surplus)
            self._sink = Resampler(schedule.up, outs, schedule.max_held_out + more)
        self._separated: Samples = np.zeros((*outs, longest), np.float32)
        self._pulled: Samples = np.zeros((*outs, config.block_size), np.float32)
        self.reset()

    def process(self, block: Samples, out: Samples) -> None:
        """Takes `(channels, frames)` and fills `(stems, channels, frames)`."""
        self._source.push(block)
        hops = self._source.ready // self._hop
        while hops:
            taken = min(hops, self._max_hops)
            self._step(taken * self._hop)
            hops -= taken
        if self._remainder is None:
            self._sink.pull(out)
        else:
            pulled = self._pulled[..., : block.shape[-1]]
            self._sink.pull(pulled)
            self._remainder.settle(block, pulled, out)

    def _step(self, frames: int) -> None:
        audio, stems = self._runtime.buffers(frames)
        separated = self._separated[..., :frames]
        self._map.fill(audio, self._source)
        if self._remainder is not None:
            self._remainder.follow(self._map.heard(audio), separated[-1])
        self._runtime.step(frames)
        self._map.collect(stems, separated[self._stems])
        self._sink.push(separated)

    def reset(self) -> None:
        """Starts anew: silence has been playing for ever."""
        schedule = self._schedule
        self._runtime.reset()
        if self._remainder is not None:
            self._remainder.reset()
        for queue, first_in, first_out in (
            (self._source, 0, schedule.first_in),
            (self._sink, schedule.first_in - schedule.model_latency, -schedule.latency),
        ):
            if isinstance(queue, Resampler):
                queue.reset(first_in, first_out)
            else:
                queue.reset(first_in - first_out)

    def snapshot(self) -> ChainState:
        """Returns a copy of all that the stream carries."""
        return ChainState(
            self._runtime.snapshot(),
            self._source.snapshot(),
            self._sink.snapshot(),
            self._remainder.snapshot() if self._remainder is not None else None,
        )

    def restore(self, state: ChainState) -> None:
        """Goes on from a snapshot of a chain of the same model and config."""
        self._runtime.restore(state.runtime)
        for queue, carried in ((self._source, state.source), (self._sink, state.sink)):
            queue.restore(carried)
        if self._remainder is not None:
            self._remainder.restore(state.remainder)
