"""The rack: chains of processors on stems and on the mix, each of which may fail alone.

    stem  --> processor 0 --> processor 1 --> delay --+
    stem  --> processor 0 ------------------> delay --+--> (mixer) --> processor 0 --> mix
    stem  ----------------------------------> delay --+
              |---- stems_latency, for all ----|              |-- mix_latency --|

The delays make all stems as late as the slowest chain. Beside a processor that is late itself, its
input waits just as long: if the processor raises, or gives what is no sound, that takes its place,
from this block on and for good. So nothing moves, and where the processor breaks off, the
difference fades away within 64 frames instead of clicking.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from engine.config import HostConfig
from engine.controls import ControlTable
from engine.denormals import FlushToZero
from engine.errors import ConfigError, StemwireError
from engine.fifo import Fifo, Samples
from engine.processors import MIX, Make, Part, Processor, in_order, prefix_of
from engine.separator import MAX_LEVEL

_FADE_FRAMES = 64
_MAX_LATENCY_SECONDS = 10


class Watcher:
    """Is told what a rack does, in its thread; this one does not care.

    Between `enter` and `leave` somebody else's code runs. If the process does not survive that,
    whoever was told knows whose fault it was.
    """

    def enter(self, index: int) -> None:
        """A call of a part's processor begins."""

    def leave(self) -> None:
        """The call has come back."""

    def bypass(self, index: int, sentence: str) -> None:
        """A part is bypassed for good; called once."""


class Delay:
    """Audio in, the same audio out, later.

    Args:
        latency: frames.
        config: of the host.
    """

    def __init__(self, latency: int, config: HostConfig) -> None:
        self._latency = latency
        self._queue = Fifo((config.channels,), latency + config.block_size)
        self.reset()

    def process(self, audio: Samples, out: Samples) -> None:
        """Takes `(channels, frames)` and fills as much; the two may be the same array."""
        self._queue.push(audio)
        self._queue.pull(out)

    def reset(self) -> None:
        """Starts anew: silence has been playing for ever."""
        self._queue.reset(self._latency)


class _Stage:
    """A processor in its place, and what is heard without it.

    Attributes:
        part: what others know of it.
    """

    def __init__(self, processor: Processor | None, part: Part, config: HostConfig) -> None:
        self.part = part
        self._processor = processor  # None: bypassed, for good
        self._breaks_off = False  # its last sound is still to fade away
        self._beside = Delay(part.latency, config) if part.latency else None
        shape = (config.channels, config.block_size)
        self._waited: Samples = np.zeros(shape, np.float32)
        self._levels: Samples = np.zeros(shape, np.float32)
        self._last_in: Samples = np.zeros((config.channels, 1), np.float32)
        self._last_out: Samples = np.zeros((config.channels, 1), np.float32)

    def process(self, audio: Samples, out: Samples) -> str:
        """Takes a block and fills another; returns what went wrong just now, usually nothing."""
        waited, trouble = audio, ""
        if self._beside is not None:
            waited = self._waited[:, : audio.shape[-1]]
            self._beside.process(audio, waited)
        if self._processor is not None:
            trouble = self._trouble(partial(self._processor.process, audio, out))
        if self._processor is not None and not self._is_sound(out):
            trouble = self._fail("it gave samples that are no sound")
        if self._processor is not None:
            self._last_in[...] = waited[:, -1:]
            self._last_out[...] = out[:, -1:]
            return ""
        out[...] = waited
        if self._breaks_off:
            self._breaks_off = False
            frames = min(out.shape[-1], _FADE_FRAMES)
            fade = np.linspace(1, 0, frames + 2, dtype=np.float32)[1:-1]
            out[:, :frames] += (self._last_out - self._last_in) * fade
        return trouble

    def set(self, name: str, value: float) -> str:
        """Sets a control; returns what went wrong."""
        processor = self._processor
        return self._trouble(partial(processor.set, name, value)) if processor else ""

    def reset(self) -> str:
        """Starts the stream anew; returns what went wrong."""
        if self._beside is not None:
            self._beside.reset()
        self._last_in.fill(0)
        self._last_out.fill(0)
        return self._trouble(self._processor.reset) if self._processor else ""

    def _trouble(self, deed: Callable[[], None]) -> str:
        """Returns what a call raises, in a few words; then the processor is out."""
        try:
            deed()
        except Exception as error:  # noqa: BLE001  nothing that it raises may stop the sound
            return self._fail(f"it raised {type(error).__name__}: {error}".rstrip(".: "))
        return ""

    def _fail(self, trouble: str) -> str:
        self._processor = None
        self._breaks_off = True
        return trouble

    def _is_sound(self, audio: Samples) -> bool:
        levels = self._levels[:, : audio.shape[-1]]
        np.absolute(audio, out=levels)
        return bool(levels.max() <= MAX_LEVEL)  # false where there is a NaN


class Rack:
    """All processors of one engine. Belongs to one thread; made by `load`.

    Attributes:
        parts: the processors in their places, in the order of the stems, the mix last.
        stems_latency: frames by which `process_stems` delays every stem.
        mix_latency: frames by which `process_mix` delays the mix.
        watcher: is told what happens.
    """

    def __init__(
        self,
        stems: Sequence[str],
        config: HostConfig,
        stages: Sequence[_Stage] = (),
        watcher: Watcher | None = None,
    ) -> None:
        self.parts = tuple(stage.part for stage in stages)
        self.watcher = watcher or Watcher()
        self._stages = tuple(stages)
        *self._chains, self._mix_chain = [
            [(index, stage) for index, stage in enumerate(stages) if stage.part.place == place]
            for place in (*stems, MIX)
        ]
        latencies = [_latency_of(chain) for chain in self._chains]
        self.mix_latency = _latency_of(self._mix_chain)
        self.stems_latency = max(latencies, default=0)
        missing = [self.stems_latency - latency for latency in latencies]
        self._delays = [Delay(frames, config) if frames else None for frames in missing]
        self._scratch: Samples = np.zeros((2, config.channels, config.block_size), np.float32)
        self._flush_to_zero = FlushToZero()
        self._turned = _Turned(self.parts)

    @classmethod
    def load(
        cls,
        makers: Mapping[str, Sequence[Make]],
        stems: Sequence[str],
        config: HostConfig,
        *,
        known: Sequence[Part] = (),
        faulty: Collection[int] = (),
        watcher: Watcher | None = None,
    ) -> "Rack":
        """Makes and prepares processors. May take long.

        Args:
            makers: what makes the processors, by place.
            stems: their names.
            config: of the host.
            known: the parts, if an engine of this session has loaded them before. Then one that
                fails to load, or is not what it was, is bypassed like any other that fails.
            faulty: numbers of known parts that are not even to be loaded.
            watcher: is told what happens, now as well.

        Raises:
            StemwireError: if a processor that is not known cannot be loaded.
        """
        watcher = watcher or Watcher()
        places = in_order(makers, stems)
        if known and len(known) != len(places):
            raise ConfigError("The chains are not those that the session began with.")
        stages = []
        for index, (place, number, make) in enumerate(places):
            if index in faulty:
                stages.append(_Stage(None, known[index], config))
                continue
            watcher.enter(index)
            try:
                stage = _load(place, number, make, config)
                if known and stage.part.form != known[index].form:
                    raise ConfigError("it is not what it was when the session began")
            except StemwireError as error:
                if not known:
                    raise
                stage = _Stage(None, known[index], config)
                watcher.bypass(index, bypass_sentence(known[index], str(error)))
            finally:
                watcher.leave()
            stages.append(stage)
        return cls(stems, config, stages, watcher)

    @property
    def latency(self) -> int:
        """Frames from a stem to its share in the mix."""
        return self.stems_latency + self.mix_latency

    @property
    def has_mix(self) -> bool:
        """Whether there are processors for the mix."""
        return bool(self._mix_chain)

    def follow(self, table: ControlTable) -> None:
        """Hands on what has been turned since the last call.

        Args:
            table: the controls, those of `parts` among them; garbage in its memory does no harm.
        """
        if self.parts:
            for index, name, value in self._turned.since(table):
                self._call(index, partial(self._stages[index].set, name, value))

    def process_stems(self, stems: Samples) -> None:
        """Processes `(stems, channels, frames)` in place; frames are at most the block size.

        Raises nothing, and allocates nothing itself: what processors do is theirs to answer for.
        """
        if not self.parts:
            return
        with self._flush_to_zero:
            for chain, delay, audio in zip(self._chains, self._delays, stems, strict=True):
                self._process(chain, audio)
                if delay is not None:
                    delay.process(audio, audio)

    def process_mix(self, mix: Samples) -> None:
        """Processes `(channels, frames)` in place, as `process_stems` does."""
        with self._flush_to_zero:
            self._process(self._mix_chain, mix)

    def reset(self) -> None:
        """Starts all streams anew. Plugins may take their time for it."""
        for index, stage in enumerate(self._stages):
            self._call(index, stage.reset)
        for delay in filter(None, self._delays):
            delay.reset()

    def _process(self, chain: list[tuple[int, _Stage]], audio: Samples) -> None:
        source = audio
        for step, (index, stage) in enumerate(chain):
            out = self._scratch[step % 2, :, : audio.shape[-1]]
            self._call(index, partial(stage.process, source, out))
            source = out
        if chain:
            audio[...] = source

    def _call(self, index: int, deed: Callable[[], str]) -> None:
        """Has a stage do something, and tells the watcher."""
        self.watcher.enter(index)
        trouble = deed()
        self.watcher.leave()
        if trouble:
            self.watcher.bypass(index, bypass_sentence(self.parts[index], trouble))


class _Turned:
    """Which of the parts' controls have been turned."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._controls = [
            (index, control, control.name.removeprefix(prefix_of(part.place, part.number)))
            for index, part in enumerate(parts)
            for control in part.controls
        ]
        self._seen = np.array([control.default for _, control, _ in self._controls], np.float64)
        self._slots: slice | None = None

    def since(self, table: ControlTable) -> list[tuple[int, str, float]]:
        """Returns (part, control, value) of what has other values than at the last call."""
        if not self._controls:
            return []
        if self._slots is None:
            first = table.slot(self._controls[0][1].name)
            self._slots = slice(first, first + len(self._controls))
        values: NDArray[np.float64] = table.values[self._slots]
        changed = values != self._seen
        if not changed.any():
            return []
        turned = []
        for place in np.flatnonzero(changed).tolist():
            index, control, name = self._controls[place]
            value = float(values[place])  # read once: somebody may be writing
            self._seen[place] = value
            turned.append((index, name, control.trusted(value)))
        return turned


def bypass_sentence(part: Part, trouble: str) -> str:
    """Says that a part is bypassed, and why."""
    return f"{part} is bypassed from now on: {trouble.rstrip('.')}."


def _latency_of(chain: list[tuple[int, _Stage]]) -> int:
    return sum(stage.part.latency for _, stage in chain)


def _load(place: str, number: int, make: Make, config: HostConfig) -> _Stage:
    where = f"Plugin {number} of {place}"
    try:
        processor = make()
        processor.prepare(config)
        if not 0 <= processor.latency <= _MAX_LATENCY_SECONDS * config.sample_rate:
            raise ConfigError(
                f"{processor.name} is {processor.latency} frames late; {_MAX_LATENCY_SECONDS} s "
                "are the most."
            )
        names = [control.name for control in processor.controls]
        if len(set(names)) < len(names):
            raise ConfigError("two of its controls have the same name.")
    except StemwireError as error:
        raise type(error)(f"{where}: {error}") from error
    except Exception as error:
        reason = str(error).rstrip(".") or type(error).__name__
        raise ConfigError(f"{where} cannot be loaded: {reason}.") from error
    prefix = prefix_of(place, number)
    controls = tuple(replace(control, name=prefix + control.name) for control in processor.controls)
    return _Stage(
        processor, Part(place, number, processor.name, processor.latency, controls), config
    )
