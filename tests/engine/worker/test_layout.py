"""Nothing in the shared memory overlaps, and each writer has cache lines of its own."""

import pytest

from engine import HostConfig
from engine.worker.layout import (
    HEADER_BYTES,
    SLOTS,
    Constant,
    Engine,
    Host,
    Layout,
    Wish,
    engine_word,
)

WORDS_PER_LINE = 8


def test_no_two_writers_share_a_cache_line():
    writers = [list(Constant), list(Host), list(Wish)]
    writers += [[engine_word(slot) + word for word in Engine] for slot in range(SLOTS)]
    lines = [{word // WORDS_PER_LINE for word in words} for words in writers]
    assert sum(map(len, lines)) == len(set().union(*lines))
    assert max(map(max, lines)) * WORDS_PER_LINE * 8 < HEADER_BYTES


@pytest.mark.parametrize("config", [HostConfig(22_050, 1, 1), HostConfig(44_100, 256, 2),
                                    HostConfig(192_000, 8_192, 2)])  # fmt: skip
@pytest.mark.parametrize("stems", [1, 5, 64])
@pytest.mark.parametrize("latency", [0, 64, 20_000])
def test_parts_follow_each_other_and_rings_hold_what_they_must(config, stems, latency):
    names = [f"stem{number}" for number in range(stems)]
    layout = Layout.of(config, names, 4 * stems + 4, latency)
    assert layout.is_sound
    channels = config.channels
    parts = [("names", None, 64 * stems), ("controls", None, 8 * layout.controls)]
    parts += [("meters", slot, 16 * (stems + 2)) for slot in range(SLOTS)]
    parts += [("input", None, 4 * channels * layout.in_frames)]
    parts += [
        ("output", slot, 4 * channels * (stems + 1) * layout.out_frames) for slot in range(SLOTS)
    ]
    end = HEADER_BYTES
    for part, slot, size in parts:
        begin = layout.offset(part, slot)
        assert begin >= end
        assert begin % 64 == 0
        end = begin + size
    assert end <= layout.nbytes
    # A host reads `latency` frames, and up to 16 blocks of a slow worker's share, behind.
    assert layout.out_frames >= latency + 18 * config.block_size
    assert layout.in_frames >= layout.out_frames
    assert layout.in_frames >= 3 * config.sample_rate
