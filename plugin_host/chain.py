"""pedalboard's effects, and any VST3 or Audio Unit, as processors of the engine.

The engine's process imports `build_chains` by name and hands it what `plugin_host.chain_presets`
has checked. It does so in its main thread, in which its loop runs as well: nowhere else can some
plugins be made, or made anew.

From a plugin that is late pedalboard gives back less than it gets, at first: it cuts off what the
plugin begins with, which is silence. 480 frames, in blocks of 128:

    in       |-- 128 --|-- 128 --|-- 128 --|-- 128 --|-- 128 --|
    out      |         |         |         |       32|-- 128 --|

So an effect plays silence beforehand, until whole blocks come back. What was missing by then is its
latency, measured, and every block from then on comes just that much later. Resample works in
portions of its own and gives a little more or less each time; behind what does so is a queue.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from engine import AudioError, ConfigError, HostConfig
from engine.controls import Control
from engine.fifo import Fifo, Samples
from engine.processors import Make
from plugin_host.plugins import PLAIN_FRAMES, Plugin, load

_SETTLED_SECONDS = 0.5  # without more missing than before, until nothing more is expected to be
_MOST_SECONDS = 12.0  # of silence; whoever gives nothing back by then never will


def build_chains(options: Mapping[str, Any], stems: Sequence[str]) -> dict[str, list[Make]]:
    """Returns what makes the effects of a preset, by place.

    Args:
        options: of `plugin_host.chain_presets`.
        stems: the model's.
    """
    del stems  # the engine checks the places
    return {
        place: [partial(Effect, partial(load, entry)) for entry in chain]
        for place, chain in options.items()
    }


class Effect:
    """A plugin, or one for each channel, as a processor.

    Args:
        load: loads the plugin.

    Attributes:
        name: the plugin's.
        latency: frames.
        controls: what can be turned while it plays.
    """

    def __init__(self, load: Callable[[], Plugin]) -> None:
        self._load = load
        self.name = ""
        self.latency = 0
        self.controls: tuple[Control, ...] = ()

    def prepare(self, config: HostConfig) -> None:
        """Loads the plugin and measures its latency. May take seconds.

        Raises:
            ConfigError: if it cannot be loaded, or not be used on so many channels.
        """
        self._config = config
        if config.block_size == 1 and config.channels == 2:
            raise ConfigError(
                "pedalboard cannot tell channels from frames in stereo blocks of 1 frame; choose "
                "larger blocks."
            )
        frames = max(config.block_size, PLAIN_FRAMES)
        self._silence: Samples = np.zeros((config.channels, frames), np.float32)
        self._queue: Fifo | None = None
        self._plugins, self._run = self._fitted(config)
        first = self._plugins[0]
        self.name = first.name
        self.controls = first.controls
        missing, self.latency, is_even = self._settle(_SETTLED_SECONDS * config.sample_rate)
        if not is_even:
            self.latency += config.block_size
            self._queue = Fifo((config.channels,), self.latency + 2 * config.block_size)
            self._queue.reset(self.latency - missing)
        self._said_latency = first.said_latency

    def process(self, audio: Samples, out: Samples) -> None:
        """Takes `(channels, frames)`, of stereo 2 frames or more, and fills as much. Allocates."""
        given = self._run(audio)
        if self._queue is not None:
            self._queue.push(given)
            if self._queue.ready < out.shape[-1]:
                raise AudioError("It gives back less and less.")
            self._queue.pull(out)
        elif given.shape != out.shape:
            raise AudioError(f"It gave {given.shape} back for {out.shape}.")
        else:
            out[...] = given

    def set(self, name: str, value: float) -> None:
        """Sets a control.

        Raises:
            ConfigError: if the plugin says that it is not as late as before any more.
        """
        for plugin in self._plugins:
            plugin.set(name, value)
        said = self._plugins[0].said_latency
        if said != self._said_latency:
            raise ConfigError(
                f"With {name} at {value:g} it is {said} frames late and not {self._said_latency}; "
                "choose that in the preset."
            )

    def reset(self) -> None:
        """Forgets all sound. A plugin that knows no other way is loaded again."""
        if self._queue is not None:
            missing, _, _ = self._settle(_SETTLED_SECONDS * self._config.sample_rate)
            self._queue.reset(self.latency - missing)
            return
        missing, _, _ = self._settle(self._config.block_size)
        if missing != self.latency:
            raise AudioError(f"It was {self.latency} frames late and is {missing} after a reset.")

    # ---- channels -----------------------------------------------------------------------------

    def _fitted(self, config: HostConfig) -> tuple[list[Plugin], Callable[[Samples], Samples]]:
        """Returns as many plugins as the channels need, and how audio runs through them."""
        channels = config.channels
        plugin = self._load()
        refusal = plugin.try_on(channels, config)
        if not refusal:
            return [plugin], plugin.run
        if channels == 2 and not plugin.try_on(1, config):
            other = self._load()
            refusal = other.try_on(1, config)
            if not refusal:
                return [plugin, other], lambda audio: _run_each([plugin, other], audio)
        elif channels == 1 and not plugin.try_on(2, config):
            return [plugin], lambda audio: _run_doubled(plugin, audio)
        form = "mono" if channels == 1 else "stereo"
        raise ConfigError(f"{plugin.name} takes no {form} sound ({refusal}).")

    # ---- latency ------------------------------------------------------------------------------

    def _settle(self, enough: float) -> tuple[int, int, bool]:
        """Resets the plugins and plays silence.

        Args:
            enough: frames in which no more must be missing than ever before.

        Returns:
            The frames that are missing now, the most that ever were, and whether every block was
            whole once the first had come.
        """
        for plugin in self._plugins:
            plugin.reset()
        missing = most_missing = played = calm = 0
        has_begun, is_even = False, True
        for frames in self._sizes():
            given = self._run(self._silence[:, :frames]).shape[-1]
            missing += frames - given
            if has_begun and given != frames:
                is_even = False
            has_begun = has_begun or given > 0
            calm = calm + frames if missing <= most_missing else 0
            most_missing = max(missing, most_missing)
            played += frames
            if has_begun and calm >= enough:
                break
            if played > _MOST_SECONDS * self._config.sample_rate:
                raise ConfigError(f"{self.name} gives no sound back.")
        return missing, most_missing, is_even

    def _sizes(self) -> Iterator[int]:
        """Yields sizes of blocks as hosts send them: most of them whole, some shorter.

        After a reset plugins do not know any more which axis is which: the first is plain.
        """
        most = self._config.block_size
        yield max(most, PLAIN_FRAMES)
        for number in itertools.count():
            yield max(min(2, most), number * 7919 % most) if number % 4 == 3 else most


def _run_each(plugins: Sequence[Plugin], audio: Samples) -> Samples:
    """Runs each channel through a plugin of its own."""
    rows = [plugin.run(audio[row : row + 1]) for row, plugin in enumerate(plugins)]
    return np.concatenate(rows)


def _run_doubled(plugin: Plugin, audio: Samples) -> Samples:
    """Runs mono through a stereo plugin: the same on both sides, and the mean of what comes."""
    both = plugin.run(np.repeat(audio, 2, axis=0))
    mean: Samples = both.mean(axis=0, keepdims=True, dtype=np.float32)
    return mean
