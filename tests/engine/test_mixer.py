"""The mixer: exact where nothing moves, never a step where something does, in any blocks."""

import itertools
import tracemalloc
from collections.abc import Iterable, Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import HostConfig
from engine.controls import ControlTable, controls_for
from engine.mixer import Mixer, fallback_gain

STEMS = ("drums", "bass", "other")
RATE = 44_100
RAMP = 441  # frames in 10 ms
BLOCK_SIZES = (1, 7, 64, 65, 100, 128, 441, 480, 8191, 8192)

Audio = np.ndarray
Changes = Mapping[int, Mapping[str, float]]
"""Values of controls by the frame that they are set before."""


def make_table(**values: float) -> ControlTable:
    """A table; `drums__gain=2` sets stem/drums/gain, `master__gain=2` sets master/gain."""
    table = ControlTable(controls_for(STEMS))
    for key, value in values.items():
        name = key.replace("__", "/")
        table.set(name if name in table.names else f"stem/{name}", value)
    return table


def noise(frames: int, channels: int = 2) -> tuple[Audio, Audio]:
    """Returns a mixture (channels, frames) and stems (stems, channels, frames) without relation."""
    rng = np.random.default_rng(7)
    mixture = rng.normal(0, 0.2, (channels, frames)).astype(np.float32)
    stems = rng.normal(0, 0.2, (len(STEMS), channels, frames)).astype(np.float32)
    return mixture, stems


def run(
    table: ControlTable,
    mixture: Audio,
    stems: Audio,
    blocks: Iterable[int],
    changes: Changes | None = None,
) -> tuple[Audio, Audio]:
    """Mixes in blocks of these sizes, over and over; returns the mix and the stems.

    Args:
        table: the controls.
        mixture: `(channels, frames)`.
        stems: `(stems, channels, frames)`; left as they are.
        blocks: frames per block; blocks are cut where a change comes, and at the end.
        changes: made before their frame.
    """
    changes = changes or {}
    blocks = list(blocks)
    heard, mix = stems.copy(), np.full_like(mixture, np.nan)
    mixer = Mixer(STEMS, HostConfig(RATE, max(blocks), mixture.shape[0]))
    start, end = 0, mixture.shape[1]
    sizes = itertools.cycle(blocks)
    while start < end:
        if start in changes:
            table.set_all(changes[start])
        stop = min([start + next(sizes), end, *(frame for frame in changes if frame > start)])
        part = np.s_[..., start:stop]
        mixer.process(table, mixture[part], heard[part], mix[part])
        start = stop
    return mix, heard


def gains(
    changes: Changes, frames: int, blocks: Iterable[int], **start: float
) -> tuple[Audio, ...]:
    """Returns the gain of each frame: (stems, channels, frames), wet and dry (channels, frames)."""
    blocks = list(blocks)
    ones, nothing = (np.full((len(STEMS) + 1, 2, frames), x, np.float32) for x in (1, 0))
    _, heard = run(make_table(**start), nothing[0], ones[1:], blocks, changes)
    dry, _ = run(make_table(**start), ones[0], nothing[1:], blocks, changes)
    # Where no stem moves, their sum is their number.
    of_sum = {
        frame: {name: value for name, value in values.items() if name in ("master/gain", "bypass")}
        for frame, values in changes.items()
    }
    mix, _ = run(make_table(), nothing[0], ones[1:], blocks, of_sum)
    return heard, mix / len(STEMS), dry


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("block_size", BLOCK_SIZES)
def test_untouched_controls_leave_stems_bit_exact_and_mix_is_their_sum(
    block_size: int, channels: int
) -> None:
    mixture, stems = noise(1000, channels)
    stems[0, 0, :3] = (1e-42, -0.0, 3e38)  # nothing is too small or too large
    mix, heard = run(make_table(), mixture, stems, [block_size])
    assert heard.tobytes() == stems.tobytes()
    assert mix.tobytes() == stems.sum(axis=0).tobytes()


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(
    ("values", "factors", "master"),
    [
        ({"drums__gain": 0.5}, (0.5, 1, 1), 1),
        ({"drums__gain": 4, "master__gain": 0.25}, (4, 1, 1), 0.25),
        ({"bass__mute": 1}, (1, 0, 1), 1),
        ({"bass__solo": 1}, (0, 1, 0), 1),
        ({"bass__solo": 1, "other__solo": 1, "other__gain": 2}, (0, 1, 2), 1),
        ({"bass__solo": 1, "bass__mute": 1}, (0, 0, 0), 1),
        ({"drums__mute": 1, "bass__mute": 1, "other__mute": 1}, (0, 0, 0), 1),
        ({"master__gain": 0}, (1, 1, 1), 0),
        ({"panic": 1, "bass__gain": 3}, (0, 0, 0), 1),
    ],
)
def test_controls_from_the_start_act_from_the_first_frame(
    values: dict[str, float], factors: tuple[float, ...], master: float, channels: int
) -> None:
    mixture, stems = noise(500, channels)
    mix, heard = run(make_table(**values), mixture, stems, [100])
    expected = stems * np.array(factors, np.float32)[:, None, None]
    np.testing.assert_array_equal(heard, expected)
    np.testing.assert_array_equal(mix, expected.sum(axis=0) * np.float32(master))


@pytest.mark.parametrize(
    ("pan", "left", "right"), [(-1, 1, 0), (-0.25, 1, 0.75), (0, 1, 1), (0.5, 0.5, 1), (1, 0, 1)]
)
def test_pan_is_a_balance_that_is_unity_at_the_centre(
    pan: float, left: float, right: float
) -> None:
    mixture, stems = noise(300)
    _, heard = run(make_table(bass__pan=pan), mixture, stems, [128])
    np.testing.assert_array_equal(heard[1, 0], stems[1, 0] * np.float32(left))
    np.testing.assert_array_equal(heard[1, 1], stems[1, 1] * np.float32(right))
    np.testing.assert_array_equal(heard[[0, 2]], stems[[0, 2]])


def test_pan_leaves_a_mono_host_alone() -> None:
    mixture, stems = noise(300, 1)
    _, heard = run(make_table(bass__pan=1), mixture, stems, [128])
    np.testing.assert_array_equal(heard, stems)


@pytest.mark.parametrize("block_size", BLOCK_SIZES)
def test_bypass_gives_the_input_exactly_after_its_ramp_and_the_sum_exactly_before(
    block_size: int,
) -> None:
    mixture, stems = noise(3000)
    table = make_table(drums__gain=3, bass__mute=1, other__pan=0.5, master__gain=0.5)
    before, heard_before = run(table, mixture, stems, [block_size])
    changes = {700: {"bypass": 1}, 1800: {"bypass": 0}}
    mix, heard = run(table, mixture, stems, [block_size], changes)
    for part in (np.s_[..., :700], np.s_[..., 1800 + RAMP :]):
        np.testing.assert_array_equal(mix[part], before[part])
        np.testing.assert_array_equal(heard[part], heard_before[part])
    bypassed = np.s_[..., 700 + RAMP - 1 : 1800]
    np.testing.assert_array_equal(mix[bypassed], mixture[bypassed])
    np.testing.assert_array_equal(heard[bypassed], stems[bypassed])


def test_panic_silences_mix_and_stems_and_bypass_too() -> None:
    mixture, stems = noise(3000)
    changes = {100: {"panic": 1}, 1000: {"bypass": 1}, 2000: {"panic": 0}}
    mix, heard = run(make_table(), mixture, stems, [128], changes)
    silent = np.s_[..., 100 + RAMP - 1 : 2000]
    assert not mix[silent].any()
    assert not heard[silent].any()
    after = np.s_[..., 2000 + RAMP :]
    np.testing.assert_array_equal(mix[after], mixture[after])
    np.testing.assert_array_equal(heard[after], stems[after])


@pytest.mark.parametrize(
    ("start", "change", "what", "before", "after"),
    [
        ({}, {"stem/drums/gain": 4}, 0, 1, 4),
        ({}, {"stem/drums/mute": 1}, 0, 1, 0),
        ({}, {"stem/bass/solo": 1}, 0, 1, 0),
        ({"drums__mute": 1}, {"stem/drums/mute": 0}, 0, 0, 1),
        ({}, {"stem/drums/pan": 1}, 0, 1, 0),
        ({}, {"master/gain": 2}, 1, 1, 2),
        ({}, {"bypass": 1}, 1, 1, 0),
        ({}, {"bypass": 1}, 2, 0, 1),
        ({"bypass": 1}, {"panic": 1}, 2, 1, 0),
    ],
)
def test_every_change_is_a_straight_line_of_10_ms(
    start: dict[str, float], change: dict[str, float], what: int, before: float, after: float
) -> None:
    found = gains({150: change}, 1000, [64], **start)[what]
    line = found[0, 0] if what == 0 else found[0]
    expected = np.interp(np.arange(1000), [149, 149 + RAMP], [before, after])
    np.testing.assert_allclose(line, expected, atol=2e-6)
    np.testing.assert_array_equal(line[149 + RAMP :], after)


def test_a_change_in_mid_ramp_goes_on_from_where_the_gain_is() -> None:
    changes = {0: {}, 100: {"stem/drums/gain": 4}, 300: {"stem/drums/gain": 0}}
    line = gains(changes, 1000, [64])[0][0, 0]
    turn = 1 + 3 * 200 / RAMP
    corners = [99, 299, 299 + RAMP]
    expected = np.interp(np.arange(1000), corners, [1, turn, 0])
    np.testing.assert_allclose(line, expected, atol=2e-6)


def test_other_gains_do_not_notice_a_change() -> None:
    changes = {100: {"stem/drums/gain": 4}, 300: {"stem/bass/gain": 0}}
    alone = gains({100: changes[100]}, 1000, [64])[0][0]
    np.testing.assert_array_equal(gains(changes, 1000, [64])[0][0], alone)


FADERS = st.sampled_from(
    [(f"stem/drums/{what}", value) for what, value in
     [("gain", 0), ("gain", 0.3), ("gain", 4), ("mute", 1), ("mute", 0), ("pan", -1), ("pan", 0.4)]]
    + [("stem/bass/solo", 1), ("stem/bass/solo", 0), ("master/gain", 0), ("master/gain", 4),
       ("bypass", 1), ("bypass", 0), ("panic", 1), ("panic", 0)]
)  # fmt: skip


@settings(max_examples=40)
@given(
    moves=st.lists(st.tuples(st.integers(0, 1500), FADERS), max_size=12),
    blocks=st.lists(st.integers(1, 700), min_size=1, max_size=4),
)
def test_no_gain_ever_steps_whatever_moves_when(
    moves: list[tuple[int, tuple[str, float]]], blocks: list[int]
) -> None:
    changes: dict[int, dict[str, float]] = {}
    for frame, (name, value) in moves:
        changes.setdefault(frame + 1, {})[name] = value
    for found in gains(changes, 2200, blocks):
        assert np.abs(np.diff(found, axis=-1)).max() < 4.01 / RAMP
        assert found.min() > -1e-6


@settings(max_examples=25)
@given(blocks=st.lists(st.integers(1, 900), min_size=1, max_size=5))
def test_how_the_sound_is_cut_into_blocks_changes_nothing(blocks: list[int]) -> None:
    mixture, stems = noise(2500)
    changes = {
        40: {"stem/drums/gain": 0.1, "bypass": 1},
        300: {"master/gain": 3, "stem/bass/solo": 1},
        900: {"bypass": 0},
        1000: {"panic": 1},
    }
    mix, heard = run(make_table(), mixture, stems, [8192], changes)
    mix_cut, heard_cut = run(make_table(), mixture, stems, blocks, changes)
    np.testing.assert_array_equal(heard_cut, heard)
    np.testing.assert_array_equal(mix_cut, mix)


@pytest.mark.parametrize("garbage", [np.nan, np.inf, -np.inf, 1e300, -1e300, 0.3])
def test_garbage_in_the_table_moves_gains_within_their_range_and_without_a_step(
    garbage: float,
) -> None:
    ones, mixture = np.ones((3, 2, 100), np.float32), np.ones((2, 100), np.float32)
    table, mixer = make_table(), Mixer(STEMS, HostConfig(RATE, 100, 2))
    lines = []
    for i in range(20):
        if i == 3:
            table.values[:] = garbage
        heard, mix = ones.copy(), np.empty((2, 100), np.float32)
        mixer.process(table, mixture, heard, mix)
        lines.append(heard)
        assert np.isfinite(mix).all()
    gain = np.concatenate(lines, axis=-1)
    assert gain.min() >= 0
    assert gain.max() <= 4
    assert np.abs(np.diff(gain, axis=-1)).max() < 4.01 / RAMP


def test_what_is_muted_stays_silent_even_where_a_model_gives_no_numbers() -> None:
    mixture, stems = noise(200)
    stems[1, :, 50] = (np.nan, np.inf)
    mix, heard = run(make_table(bass__mute=1), mixture, stems, [100])
    assert not heard[1].any()
    np.testing.assert_array_equal(mix, stems[0] + stems[2])
    mix, _ = run(make_table(master__gain=0), mixture, stems, [100])
    assert not mix.any()


def test_views_of_any_memory_layout_work() -> None:
    mixture, stems = noise(256)
    table = make_table(drums__gain=2, bass__pan=0.3)
    mix, heard = run(table, mixture, stems, [256])
    strided = np.empty((256, 3, 2, 2), np.float32)[..., 0].transpose(1, 2, 0)
    strided[...] = stems
    out = np.empty((256, 2), np.float32).T
    Mixer(STEMS, HostConfig(RATE, 256, 2)).process(table, np.asfortranarray(mixture), strided, out)
    np.testing.assert_array_equal(strided, heard)
    np.testing.assert_array_equal(out, mix)


def test_process_keeps_no_memory_whether_gains_rest_or_move() -> None:
    mixture, stems = noise(256)
    mix, table = np.empty_like(mixture), make_table()
    mixer = Mixer(STEMS, HostConfig(RATE, 256, 2))

    def play(blocks: int) -> None:
        for i in range(blocks):
            table.set("stem/drums/gain", 0.5 + i % 2)
            table.set("bypass", i % 3 == 0)
            for _ in range(4):
                mixer.process(table, mixture, stems, mix)

    play(20)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        play(20)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 1024


@pytest.mark.parametrize(
    ("values", "gain"),
    [
        ({}, 1),
        ({"master__gain": 0.5}, 0.5),
        ({"master__gain": 0.5, "bypass": 1}, 1),
        ({"master__gain": 0.5, "panic": 1}, 0),
        ({"bypass": 1, "panic": 1}, 0),
    ],
)
def test_what_takes_the_place_of_a_late_mix_is_as_loud_as_the_mix_was(
    values: dict[str, float], gain: float
) -> None:
    assert fallback_gain(make_table(**values)) == gain
