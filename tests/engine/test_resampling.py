"""The live resampler: flat, free of aliases, exact in time, for ever."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.resampling import Ratio, Resampler

PAIRS = [
    (in_rate, out_rate)
    for host in (22_050, 48_000, 88_200, 96_000, 192_000, 44_101)
    for in_rate, out_rate in ((host, 44_100), (44_100, host))
]


def convert(audio: np.ndarray, in_rate: int, out_rate: int, block_size: int = 500) -> np.ndarray:
    """Returns mono audio at another rate, from input frame 0 on."""
    resampler = Resampler(Ratio.between(in_rate, out_rate), (1,), block_size)
    resampler.reset(0, 0)
    parts = []
    for i in range(0, len(audio), block_size):
        resampler.push(audio[np.newaxis, i : i + block_size])
        out = np.empty((1, resampler.ready), np.float32)
        resampler.pull(out)
        parts.append(out[0])
    return np.concatenate(parts)


def sine(frequency: float, sample_rate: int, frames: int) -> np.ndarray:
    phase = 2 * np.pi * frequency * np.arange(frames) / sample_rate
    return np.sin(phase).astype(np.float32)


@pytest.mark.parametrize(("in_rate", "out_rate"), PAIRS)
def test_what_is_heard_passes_unchanged_and_in_place(in_rate: int, out_rate: int) -> None:
    for part in (0.05, 0.5, 0.9):  # of the slower rate's Nyquist frequency; 0.9 is 19.8 kHz
        frequency = part * min(in_rate, out_rate) / 2
        got = convert(sine(frequency, in_rate, 6000), in_rate, out_rate)
        expected = sine(frequency, out_rate, len(got))
        inside = slice(300 * out_rate // in_rate, None)
        np.testing.assert_allclose(got[inside], expected[inside], atol=2e-3)


@pytest.mark.parametrize("in_rate", [48_000, 88_200, 96_000, 192_000])
def test_what_would_alias_is_75_db_down(in_rate: int) -> None:
    frames = 3000 * in_rate // 44_100
    got = convert(sine(23_600, in_rate, frames), in_rate, 44_100)
    assert np.abs(got[200:]).max() < 10 ** (-75 / 20)


@pytest.mark.parametrize(("in_rate", "out_rate"), PAIRS)
def test_a_constant_stays_what_it_is(in_rate: int, out_rate: int) -> None:
    got = convert(np.ones(2000, np.float32), in_rate, out_rate)
    np.testing.assert_allclose(got[300 * out_rate // in_rate :], 1.0, atol=1e-6)


@pytest.mark.parametrize("block_size", [1, 7, 64, 65, 1000])
def test_blocks_change_nothing(block_size: int) -> None:
    audio = np.random.default_rng(0).normal(0, 0.2, 3000).astype(np.float32)
    for in_rate, out_rate in ((48_000, 44_100), (44_100, 96_000)):
        expected = convert(audio, in_rate, out_rate, 500)
        got = convert(audio, in_rate, out_rate, block_size)
        np.testing.assert_allclose(got[: len(expected)], expected[: len(got)], atol=1e-6)


@settings(max_examples=200, deadline=None)
@given(
    in_rate=st.integers(1, 400), out_rate=st.integers(1, 400), end=st.integers(-(10**12), 10**12)
)
def test_frames_are_ready_just_when_their_input_is_there(
    in_rate: int, out_rate: int, end: int
) -> None:
    ratio = Ratio.between(in_rate, out_rate)
    first_missing = ratio.outputs_before(end)

    def newest_needed(output: int) -> int:
        position = Fraction(output * in_rate, out_rate)
        return position.numerator // position.denominator + ratio.half

    look_ahead = 0 if in_rate == out_rate else 1
    assert newest_needed(first_missing - 1) < end
    assert newest_needed(first_missing) >= end
    assert (ratio.half > 0) == bool(look_ahead)


def test_nothing_drifts_in_a_thousand_hours() -> None:
    # The count of frames is exact at any time, and so is the phase of the filter.
    in_rate, out_rate, hours = 48_000, 44_100, 1000
    ratio = Ratio.between(in_rate, out_rate)
    resampler = Resampler(ratio, (1,), 1000)
    start_in, start_out = hours * 3600 * in_rate, hours * 3600 * out_rate
    audio = np.random.default_rng(0).normal(0, 0.2, (1, 1000)).astype(np.float32)
    results = []
    for first_in, first_out in ((0, 0), (start_in, start_out)):
        resampler.reset(first_in, first_out)
        resampler.push(audio)
        out = np.empty((1, resampler.ready), np.float32)
        resampler.pull(out)
        results.append(out)
    np.testing.assert_array_equal(results[0], results[1])


def test_more_than_there_is_cannot_be_pulled() -> None:
    resampler = Resampler(Ratio.between(48_000, 44_100), (1,), 100)
    resampler.reset(0, 0)
    resampler.push(np.zeros((1, 100), np.float32))
    with pytest.raises(OverflowError):
        resampler.pull(np.empty((1, resampler.ready + 1), np.float32))
