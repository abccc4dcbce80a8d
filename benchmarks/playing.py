"""What every way of playing needs: noise, room for what comes back, and a word now and then."""

import time

import numpy as np

from engine import HostConfig
from engine.fifo import Samples
from engine.worker import Exchange
from plugin_host.links.line import Line

_TELL_SECONDS = 0.5


class Player:
    """Plays noise through an exchange, block by block.

    Args:
        exchange: to play through.
        line: that is told how far it is.
    """

    def __init__(self, exchange: Exchange, line: Line) -> None:
        self._exchange = exchange
        self._line = line
        self._noise = noise(exchange.config)
        shape = (exchange.config.channels, exchange.config.block_size)
        self._mix: Samples = np.zeros(shape, np.float32)
        self._stems: Samples = np.zeros((len(exchange.stems), *shape), np.float32)
        self._next_word = 0.0
        self.blocks = 0
        """How many were played."""

    def play(self, *, wait: bool = False) -> None:
        """Plays the next block.

        Args:
            wait: for its output, instead of going without.
        """
        block = self._noise[self.blocks % len(self._noise)]
        self._exchange.process(block, self._mix, self._stems, wait=wait)
        self.blocks += 1

    def tell(self) -> bool:
        """Tells now and then how far it is; returns whether anybody is still there to be told."""
        now = time.perf_counter()
        if now < self._next_word:
            return True
        self._next_word = now + _TELL_SECONDS
        self._line.say("progress", blocks=self.blocks)
        return not self._line.is_over()


def noise(config: HostConfig) -> Samples:
    """Returns two seconds of noise at -20 dBFS in whole blocks, at least one, always the same.

    Args:
        config: of the host.

    Returns:
        float32 `(blocks, channels, block_size)`.
    """
    blocks = max(1, 2 * config.sample_rate // config.block_size)
    shape = (blocks, config.channels, config.block_size)
    return np.random.default_rng(0).normal(0.0, 0.1, shape).astype(np.float32)
