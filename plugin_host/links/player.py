"""What every link's callback does with a block: input to the engine, mix and stems to the outputs.

The device may hand over blocks of another size than the engine was prepared for, until the engine
for the new size is there. Blocks that hold a whole number of the old ones go through in pieces; at
worst the engine is late, and the exchange plays the delayed mixture. Others are silence.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.worker import Exchange
from plugin_host.audio_files import Audio, Stems

Channel = npt.NDArray[np.float32]
"""float32 `(frames,)`, of any stride"""

MIX = "mix"
_LONGEST_BLOCK = 1.0  # seconds that a callback may still be inside an exchange


@dataclass(frozen=True)
class _Attached:
    """An exchange and the buffers for one of its blocks."""

    exchange: Exchange
    block: Audio
    mix: Audio
    stems: Stems
    rows: tuple[Channel, ...]  # every channel of mix and stems, views of them

    @classmethod
    def to(cls, segment: str) -> _Attached:
        exchange = Exchange.attach(segment)
        shape = (exchange.config.channels, exchange.config.block_size)
        out = np.zeros((1 + len(exchange.stems), *shape), np.float32)
        rows = tuple(out.reshape(-1, shape[1]))
        return cls(exchange, np.zeros(shape, np.float32), out[0], out[1:], rows)


class Player:
    """Blocks of any length through the exchange that is attached.

    Attributes:
        segment: The path of the shared memory attached.
        fault: Why the callback gave up, once it did; silence since.
    """

    def __init__(self, segment: str) -> None:
        """Attaches the first exchange.

        Args:
            segment: The path of its shared memory.

        Raises:
            StemwireError: If there is none.
        """
        self.segment = segment
        self.fault: str | None = None
        self._attached = _Attached.to(segment)
        self._in_use: _Attached | None = None

    @property
    def exchange(self) -> Exchange:
        """The exchange that is attached."""
        return self._attached.exchange

    @property
    def buses(self) -> tuple[str, ...]:
        """What comes out: "mix", then the stems' names."""
        return (MIX, *self.exchange.stems)

    def attach(self, segment: str) -> None:
        """Changes to another exchange between two blocks; for any thread but the callback's.

        Args:
            segment: The path of its shared memory.

        Raises:
            StemwireError: If there is none; the one before stays.
        """
        if segment == self.segment:
            return
        before, self._attached = self._attached, _Attached.to(segment)
        self.segment = segment
        patience = time.monotonic() + _LONGEST_BLOCK
        while self._in_use is before and time.monotonic() < patience:
            time.sleep(1e-3)
        before.exchange.close()

    def process(
        self, inputs: Sequence[Channel], outputs: Sequence[Channel], *, wait: bool = False
    ) -> None:
        """Plays one block; for the callback alone. Never waits unless asked to.

        Args:
            inputs: One array of `frames` per channel.
            outputs: Filled whole: the mix's channels, then each stem's.
            wait: Wait for the engine, as when the graph runs faster or slower than the clock.
        """
        self._in_use = attached = self._attached
        try:
            self._play(attached, inputs, outputs, wait)
        except Exception as error:  # noqa: BLE001  whatever it is, the device must not hear of it
            self.fault = f"{type(error).__name__}: {error}"
            _silence(outputs)
        finally:
            self._in_use = None

    def close(self, *, is_orphan: bool) -> None:
        """Lets go of the shared memory; the callback must have ended.

        Args:
            is_orphan: Nobody else may be left to remove the shared memory, so that is done here.
        """
        if is_orphan:
            self.exchange.unlink()
        self.exchange.close()

    def _play(
        self,
        attached: _Attached,
        inputs: Sequence[Channel],
        outputs: Sequence[Channel],
        wait: bool,
    ) -> None:
        exchange, block, mix, stems = (
            attached.exchange,
            attached.block,
            attached.mix,
            attached.stems,
        )
        frames, size = len(inputs[0]), block.shape[1]
        if frames % size:
            _silence(outputs)
            return
        for start in range(0, frames, size):
            part = slice(start, start + size)
            for row, channel in zip(block, inputs, strict=True):
                row[...] = channel[part]
            exchange.process(block, mix, stems, wait=wait)
            for row, channel in zip(attached.rows, outputs, strict=True):
                channel[part] = row


def _silence(outputs: Sequence[Channel]) -> None:
    for output in outputs:
        output[...] = 0.0
