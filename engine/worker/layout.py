"""Where everything lies in the memory that a host and its engines share.

One file, mapped by all of them; C and C++ read it just as well. All numbers are little-endian words
of 8 bytes, each written by one side only, and each writer has cache lines (8 words) of its own:

    bytes       what                                            who writes
    0           `Constant`: sizes, rates, the latency           the session, before others map it
    128         `Host`: how far the input goes, counters        the audio link
    256         `Wish`: which engine shall be heard             the session
    320, 512    `Engine`, twice: how far the output goes, ...   the engine in that slot
    4,096       names of the stems, 64 bytes each               the session
    then        controls, float64                               whoever turns a knob
    then        per slot: meters and timings, float64           the engine in that slot
    then        input ring, float32 (channels, in_frames)       the audio link
    then        per slot: output ring, float32                  the engine in that slot
                (1 + stems, channels, out_frames), the mix first

Rings are addressed by absolute frame position: input frame x lies at `x % in_frames`, and the stems
*of input frame x* lie at `x % out_frames`, whatever the latency of the model that made them. With L
the latency in the ledger, a host at block [p, p + n) writes its input to [p, p + n) and plays the
output at [p - L, p - L + n). No fill level exists that could drift.

An engine's output is good from `OUT_FROM` up to `OUT_END`. Data is written first, then the index.
Nobody trusts the other side's numbers: they are compared, never used as an address.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

from engine.config import MAX_BLOCK_SIZE, HostConfig
from engine.manifest import MAX_STEMS

MAGIC = int.from_bytes(b"STEMWIRE", "little")
VERSION = 1
SLOTS = 2
HEADER_BYTES = 4096
NAME_BYTES = 64
TIMINGS = 4096  # blocks whose timing is kept
NOWHERE = 2**62
"""A position that no stream reaches: an engine whose output begins here has none."""

MAX_CONTROLS = 4096
MAX_SHARE_BLOCKS = 16  # the largest share of the latency that a worker may ask for, in blocks
_HISTORY_SECONDS = 3.5  # of input, for an engine that starts in the middle to warm up on
_LARGEST_RING = 2**21
_ALIGNMENT = 64
_LARGEST_COUNT = 2**63 - 1


class Constant(IntEnum):
    """Words that are written once."""

    MAGIC = 0
    VERSION = 1
    BYTES = 2
    SAMPLE_RATE = 3
    BLOCK_SIZE = 4
    CHANNELS = 5
    STEMS = 6
    CONTROLS = 7
    IN_FRAMES = 8
    OUT_FRAMES = 9
    LATENCY = 10
    IS_DIRECT = 11
    IS_FIXED = 12
    QUANTUM = 13  # engines begin their steps at multiples of it
    IS_GUEST = 14  # 1: a plugin made it, and waits for a server to find it


class Host(IntEnum):
    """Words of the audio link."""

    IN_END = 16  # input is there up to this frame
    POSTED_NS = 17  # when it came, on the system's monotonic clock
    BELL = 18  # counts blocks; engines sleep on its low 4 bytes
    IS_PATIENT = 19  # 1: the host waits for every block, so nothing is ever late
    PLAYING = 20  # the slot that is heard, -1: the mixture in its place
    BLOCKS = 21
    UNDERRUNS = 22
    NONFINITE = 23
    IS_WAITING = 24 + 0  # next line: the host sleeps until an engine's bell


class Wish(IntEnum):
    """Words of the session."""

    SLOT = 32
    SERVER = 33  # process that serves a guest, 0: none
    STATE = 34  # of a guest, see `GuestState`


class GuestState(IntEnum):
    """What a plugin may tell its user."""

    ALONE = 0  # nobody serves it
    LOADING = 1
    PLAYING = 2
    REFUSED = 3  # it has told its host less latency than the model needs
    RESTARTING = 4


class Engine(IntEnum):
    """Words of an engine, counted from `engine_word(slot)`."""

    OUT_FROM = 0
    OUT_END = 1
    BELL = 2  # counts blocks; the host sleeps on its low 4 bytes
    IS_WAITING = 3
    BEAT = 4  # grows while the engine lives
    PID = 5
    IS_LIVE = 6  # it has caught up with the host
    LOAD = 7  # float64: compute time / deadline, smoothed
    BLOCKS = 8
    SKIPS = 9
    INSIDE = 10  # 1 + number of the processor that is being called, 0: none


def engine_word(slot: int) -> int:
    """Returns the first word of the engine in a slot."""
    return 40 + 24 * slot


@dataclass(frozen=True)
class Layout:
    """The sizes of a segment, and what follows from them.

    Attributes:
        config: of the host; block_size is the most it hands over at once.
        stems: their names.
        controls: how many there are.
        in_frames: of the input ring, a power of two.
        out_frames: of each output ring, a power of two.
    """

    config: HostConfig
    stems: tuple[str, ...]
    controls: int
    in_frames: int
    out_frames: int

    @classmethod
    def of(cls, config: HostConfig, stems: Sequence[str], controls: int, latency: int) -> "Layout":
        """Returns the layout for a host and a model.

        Args:
            config: of the host.
            stems: their names.
            controls: how many there are.
            latency: frames of model, framing, resampling and chains of processors; the worker's
                share comes on top.
        """
        reach = latency + (MAX_SHARE_BLOCKS + 4) * config.block_size
        history = int(_HISTORY_SECONDS * config.sample_rate)
        return cls(
            config,
            tuple(stems),
            controls,
            in_frames=_power_of_two(max(reach, history)),
            out_frames=_power_of_two(reach),
        )

    @property
    def is_sound(self) -> bool:
        """Whether these are sizes that `of` could have given."""
        sizes = (self.in_frames, self.out_frames)
        return (
            1 <= len(self.stems) <= MAX_STEMS
            and 0 <= self.controls <= MAX_CONTROLS
            and all(size == _power_of_two(size) for size in sizes)
            and 4 * self.config.block_size <= min(sizes)
            and max(sizes) <= _LARGEST_RING
        )

    @property
    def rows(self) -> int:
        """Rows of an output ring: the mix and the stems."""
        return 1 + len(self.stems)

    @property
    def meter_rows(self) -> int:
        """Rows of the meters: input, mix and stems; each has a peak and an rms."""
        return 2 + len(self.stems)

    @cached_property
    def _offsets(self) -> dict[str, int]:
        channels, place = self.config.channels, HEADER_BYTES
        offsets = {}
        for name, size in (
            ("names", NAME_BYTES * len(self.stems)),
            ("controls", 8 * self.controls),
            *((f"meters {slot}", 8 * 2 * self.meter_rows) for slot in range(SLOTS)),
            *((f"timings {slot}", 8 * 3 * TIMINGS) for slot in range(SLOTS)),
            ("input", 4 * channels * self.in_frames),
            *((f"output {slot}", 4 * self.rows * channels * self.out_frames) for slot in range(2)),
            ("end", 0),
        ):
            offsets[name] = place
            place += -(-size // _ALIGNMENT) * _ALIGNMENT
        return offsets

    @property
    def nbytes(self) -> int:
        """Bytes of the whole segment."""
        return self._offsets["end"]

    def offset(self, part: str, slot: int | None = None) -> int:
        """Returns the byte where a part begins.

        Args:
            part: "names", "controls", "input"; with a slot "meters", "timings", "output".
            slot: of the engine whose part it is.
        """
        return self._offsets[part if slot is None else f"{part} {slot}"]


def count_up(words: memoryview, word: int, by: int = 1) -> None:
    """Adds to a counter; whatever stands in there, the sum is one that it can hold."""
    words[word] = (words[word] + by) & _LARGEST_COUNT


def _power_of_two(frames: int) -> int:
    return 1 << (max(frames, MAX_BLOCK_SIZE // 8) - 1).bit_length()
