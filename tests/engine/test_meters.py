"""Meters show what is heard: levels in true units, times in true seconds, always numbers."""

import tracemalloc

import numpy as np
import pytest

from engine.meters import Meters

RATE = 44_100
BLOCK_SIZES = (1, 64, 65, 256, 8192)


def sine(seconds: float, level: float = 0.5, channels: int = 2) -> np.ndarray:
    time = np.arange(round(seconds * RATE)) / RATE
    return np.tile(level * np.sin(2 * np.pi * 441 * time), (channels, 1)).astype(np.float32)


def play(meters: Meters, row: int, audio: np.ndarray, block_size: int) -> None:
    for start in range(0, audio.shape[-1], block_size):
        meters.measure(row, audio[..., start : start + block_size])


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("block_size", BLOCK_SIZES[1:])
def test_a_steady_sine_shows_its_peak_and_its_rms(block_size: int, channels: int) -> None:
    meters = Meters(1, RATE)
    play(meters, 0, sine(3.0, channels=channels), block_size)
    # Between two crests it falls a little.
    assert meters.values[0, 0] == pytest.approx(0.5, rel=4e-3)
    assert meters.values[0, 1] == pytest.approx(0.5 / np.sqrt(2), rel=5e-3)


@pytest.mark.parametrize("sign", [1, -1])
def test_one_sample_is_enough_for_the_peak_on_either_side(sign: int) -> None:
    meters = Meters(1, RATE)
    block = np.zeros((2, 256), np.float32)
    block[1, 17] = sign * 0.75
    meters.measure(0, block)
    assert meters.values[0, 0] == 0.75


@pytest.mark.parametrize("block_size", BLOCK_SIZES)
def test_in_silence_the_peak_falls_24_db_a_second_and_rms_by_its_time_constant(
    block_size: int,
) -> None:
    meters = Meters(1, RATE)
    play(meters, 0, sine(1.5), 64)
    peak, rms = meters.values[0]
    play(meters, 0, np.zeros((2, RATE // 2), np.float32), block_size)
    assert 20 * np.log10(meters.values[0, 0] / peak) == pytest.approx(-12, abs=1e-6)
    assert (meters.values[0, 1] / rms) ** 2 == pytest.approx(np.exp(-0.5 / 0.3), rel=1e-6)


def test_after_long_silence_meters_rest_at_zero() -> None:
    meters = Meters(1, RATE)
    play(meters, 0, sine(0.1), 256)
    play(meters, 0, np.zeros((2, 15 * RATE), np.float32), 8192)
    assert not meters.values.any()


def test_several_signals_at_once_are_measured_as_one_by_one() -> None:
    signals = np.random.default_rng(0).normal(0, 0.1, (3, 2, 4000)).astype(np.float32)
    together, apart = Meters(5, RATE), Meters(5, RATE)
    play(together, 1, signals, 128)
    for row, signal in enumerate(signals):
        play(apart, 1 + row, signal, 128)
    np.testing.assert_allclose(together.values, apart.values, rtol=1e-12)
    assert together.values[1:4].all()
    assert not together.values[[0, 4]].any()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_counts_as_silence_and_poisons_nothing(bad: float) -> None:
    block = sine(0.01)
    with_bad, with_zero = block.copy(), block.copy()
    with_bad[:, 30:40], with_zero[:, 30:40] = bad, 0
    found, expected = Meters(1, RATE), Meters(1, RATE)
    for meters, audio in ((found, with_bad), (expected, with_zero)):
        meters.measure(0, audio)
        play(meters, 0, sine(0.1), 64)
    np.testing.assert_allclose(found.values, expected.values, rtol=1e-6)


def test_the_largest_samples_there_are_still_give_numbers() -> None:
    meters = Meters(1, RATE)
    meters.measure(0, np.full((2, 8192), np.finfo(np.float32).max))
    assert np.isfinite(meters.values).all()
    assert meters.values[0, 0] == np.finfo(np.float32).max


def test_a_block_without_frames_changes_nothing() -> None:
    meters = Meters(1, RATE)
    meters.measure(0, sine(0.1))
    before = meters.values.copy()
    meters.measure(0, np.empty((2, 0), np.float32))
    np.testing.assert_array_equal(meters.values, before)


def test_measuring_keeps_no_memory_and_makes_no_copy_of_the_audio() -> None:
    meters, audio = Meters(5, RATE), np.ones((5, 2, 256), np.float32)
    for _ in range(20):
        meters.measure(0, audio)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(100):
            meters.measure(0, audio)
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 1024
    assert peak - before < audio.nbytes // 2
