"""Whole pieces of audio: aligned, as long as the input, whatever comes in."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import AudioError, ConfigError, HostConfig, Separator

LoadModel = Callable[..., Separator]


def noise(channels: int, frames: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.2, (channels, frames)).astype(np.float32)


def tone(sample_rate: int, frames: int, frequency: float = 440.0) -> np.ndarray:
    wave = 0.5 * np.sin(2 * np.pi * frequency * np.arange(frames) / sample_rate)
    return np.tile(wave.astype(np.float32), (2, 1))


@pytest.mark.parametrize("frames", [1, 2, 63, 64, 65, 100, 8191, 8192, 8193, 20_001])
@pytest.mark.parametrize(("hop", "latency"), [(64, 64), (1, 0), (1000, 1500)])
def test_stems_are_as_long_as_the_audio_and_add_up_to_it(
    load_model: LoadModel, frames: int, hop: int, latency: int
) -> None:
    audio = noise(2, frames)
    stems = load_model(hop=hop, latency=latency).separate(audio, 44_100)
    assert stems.shape == (2, 2, frames)
    assert stems.dtype == np.float32
    np.testing.assert_allclose(stems.sum(0), audio, atol=1e-6)


@pytest.mark.parametrize("block_size", [1, 7, 64, 128, 480, 8191])
def test_the_block_size_changes_nothing(load_model: LoadModel, block_size: int) -> None:
    separator = load_model()
    audio = noise(2, 9001)
    expected = separator.separate(audio, 44_100)
    stems = separator.separate(audio, 44_100, block_size=block_size)
    np.testing.assert_allclose(stems, expected, atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(sizes=st.lists(st.integers(0, 3000), min_size=1, max_size=12), rate=st.integers(0, 1))
def test_any_split_of_the_input_gives_the_same_stems(
    load_model: LoadModel, sizes: list[int], rate: int
) -> None:
    sizes = [*sizes, 500]
    separator, sample_rate = load_model(), (44_100, 48_000)[rate]
    audio = noise(2, sum(sizes))
    expected = separator.separate(audio, sample_rate)
    blocks = np.split(audio, np.cumsum(sizes)[:-1], axis=1)
    stems = np.concatenate(list(separator.stream(blocks, sample_rate, 2)), axis=-1)
    np.testing.assert_allclose(stems, expected, atol=1e-6)


@pytest.mark.parametrize("sample_rate", [22_050, 44_101, 48_000, 88_200, 96_000, 192_000])
@pytest.mark.parametrize("frames", [1, 100, 30_001])
def test_any_rate_keeps_length_and_place(
    load_model: LoadModel, sample_rate: int, frames: int
) -> None:
    separator = load_model()
    audio = tone(sample_rate, frames)
    stems = separator.separate(audio, sample_rate)
    assert stems.shape == (2, 2, frames)
    # Where the sound starts and stops at once, filters ring; well inside it they do not.
    inside = np.s_[:, 3000:-3000]
    np.testing.assert_allclose(stems.sum(0)[inside], audio[inside], atol=1e-4)


@pytest.mark.parametrize("sample_rate", [22_050, 44_101, 48_000, 96_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_stems_add_up_at_any_rate_with_all_that_the_model_cannot_hear(
    load_model: LoadModel, sample_rate: int, channels: int
) -> None:
    audio = noise(channels, 30_001)
    stems = load_model().separate(audio, sample_rate)
    np.testing.assert_allclose(stems.sum(0), audio, atol=1e-5)


def test_blocks_may_share_their_memory(load_model: LoadModel) -> None:
    audio = noise(2, 5000)
    memory = np.empty((2, 1000), np.float32)

    def blocks() -> Iterator[np.ndarray]:
        for start in range(0, 5000, 1000):
            memory[:] = audio[:, start : start + 1000]
            yield memory

    stems = np.concatenate(list(load_model().stream(blocks(), 48_000, 2)), axis=-1)
    np.testing.assert_array_equal(stems, load_model().separate(audio, 48_000))


@pytest.mark.parametrize("sample_rate", [48_000, 96_000])
def test_live_and_offline_agree_at_other_rates(load_model: LoadModel, sample_rate: int) -> None:
    separator = load_model(hop=1, latency=30)  # a model that is the same at every frame
    audio = tone(sample_rate, 16_384, frequency=1000.0)
    offline = separator.separate(audio, sample_rate)
    separator.prepare(HostConfig(sample_rate, 128, 2))
    live = np.empty((2, *audio.shape), np.float32)
    for i in range(0, audio.shape[1], 128):
        separator.process(audio[:, i : i + 128], live[..., i : i + 128])
    inside = np.s_[..., 4000:12_000]
    later = live[..., separator.latency :]
    np.testing.assert_allclose(later[inside], offline[inside], atol=1e-3)


def test_one_dimension_is_mono(load_model: LoadModel) -> None:
    separator = load_model()
    audio = noise(1, 1000)
    stems = separator.separate(audio[0], 44_100)
    assert stems.shape == (2, 1, 1000)
    np.testing.assert_array_equal(stems, separator.separate(audio, 44_100))


def test_doubles_are_taken(load_model: LoadModel) -> None:
    audio = noise(2, 1000)
    stems = load_model().separate(audio.astype(np.float64), 44_100)
    np.testing.assert_array_equal(stems, load_model().separate(audio, 44_100))


def test_a_live_stream_is_not_disturbed(load_model: LoadModel) -> None:
    separator = load_model()
    audio, out = noise(2, 1280), np.empty((2, 2, 1280), np.float32)

    def play(interrupt: Callable[[], Any]) -> np.ndarray:
        separator.prepare(HostConfig(44_100, 128, 2))
        for i in range(0, 1280, 128):
            separator.process(audio[:, i : i + 128], out[..., i : i + 128])
            interrupt()
        return out.copy()

    alone = play(lambda: None)
    np.testing.assert_array_equal(play(lambda: separator.separate(audio, 48_000)), alone)


def test_streams_that_run_at_once_do_not_meet(load_model: LoadModel) -> None:
    separator = load_model()
    first, second = noise(2, 20_000, seed=1), noise(2, 20_000, seed=2)

    def blocks(audio: np.ndarray) -> Iterator[np.ndarray]:
        yield from np.split(audio, 10, axis=1)

    one, two = (separator.stream(blocks(audio), 44_100, 2) for audio in (first, second))
    parts: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for a, b in zip(one, two, strict=True):
        parts[0].append(a)
        parts[1].append(b)
    for audio, separated in zip((first, second), parts, strict=True):
        stems = np.concatenate(separated, axis=-1)
        np.testing.assert_array_equal(stems, separator.separate(audio, 44_100))


def test_a_stream_that_is_left_early_frees_its_runtime(load_model: LoadModel) -> None:
    separator = load_model()
    audio = noise(2, 40_000)
    expected = separator.separate(audio, 44_100)
    stream = separator.stream([audio], 44_100, 2)
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    np.testing.assert_array_equal(separator.separate(audio, 44_100), expected)


@pytest.mark.parametrize(
    ("audio", "sample_rate", "words"),
    [
        (np.zeros((2, 0), np.float32), 44_100, "0 frames"),
        (np.zeros(0, np.float32), 44_100, "0 frames"),
        (np.zeros((44_100, 2), np.float32), 44_100, "did you pass (frames, channels)?"),
        (np.zeros((9, 44_100), np.float32), 44_100, "9 channels"),
        (np.zeros((0, 100), np.float32), 44_100, "0 channels"),
        (np.zeros((1, 2, 100), np.float32), 44_100, "(1, 2, 100)"),
        (np.float32(0.5), 44_100, "shape ()"),
        (np.zeros((2, 100), np.int16), 44_100, "int16"),
        (np.zeros((2, 100), np.complex64), 44_100, "complex64"),
        (np.array([["a", "b"]]), 44_100, "<U1"),
        (np.full((2, 3), np.nan, np.float32), 44_100, "6 samples that are NaN"),
        (np.array([0.0, np.inf, 1.0]), 44_100, "1 samples that are NaN"),
        (np.array([0.0, 1e30, 1.0]), 44_100, "1 samples that are NaN"),
        (np.zeros((2, 100), np.float32), 4_000, "4000 Hz"),
        (np.zeros((2, 100), np.float32), 400_000, "400000 Hz"),
        (np.zeros((2, 100), np.float32), 44_100.5, "44100.5 Hz"),
    ],
)
def test_bad_audio_gives_one_sentence(
    load_model: LoadModel, audio: Any, sample_rate: Any, words: str
) -> None:
    with pytest.raises(AudioError) as caught:
        load_model().separate(audio, sample_rate)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bad_streams_give_one_sentence(load_model: LoadModel) -> None:
    separator = load_model()
    with pytest.raises(AudioError, match="0 frames"):
        list(separator.stream([], 44_100, 2))
    with pytest.raises(AudioError, match="0 frames"):
        list(separator.stream([np.zeros((2, 0), np.float32)], 44_100, 2))
    with pytest.raises(AudioError, match="1 channels where 2"):
        list(separator.stream([noise(2, 10), noise(1, 10)], 44_100, 2))
    with pytest.raises(AudioError, match="9 channels"):
        separator.stream([], 44_100, 9)
    with pytest.raises(ConfigError, match="block_size"):
        separator.stream([], 44_100, 2, block_size=0)
