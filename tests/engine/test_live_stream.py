"""Blocks in, stems out: the live path equals the offline one, whatever the blocks are."""

import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest

from engine import AudioError, ConfigError, HostConfig, Separator

LoadModel = Callable[..., Separator]
BLOCK_SIZES = (1, 7, 64, 65, 100, 128, 480, 8191, 8192)
CHANNELS = ((1, 1), (1, 2), (2, 1), (2, 2))  # host, model


def noise(channels: int, frames: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.2, (channels, frames)).astype(np.float32)


def play(separator: Separator, audio: np.ndarray) -> np.ndarray:
    """Returns what the live path gives for audio and the silence after it, latency removed."""
    config, frames = separator.config, audio.shape[1]
    blocks = -(-(frames + separator.latency) // config.block_size)
    padded = np.zeros((audio.shape[0], blocks * config.block_size), np.float32)
    padded[:, :frames] = audio
    out = np.full((len(separator.stems), *padded.shape), np.nan, np.float32)
    for i in range(blocks):
        block = np.s_[i * config.block_size : (i + 1) * config.block_size]
        separator.process(padded[:, block], out[..., block])
    assert np.isfinite(out).all(), "every output frame is filled"
    return out[..., separator.latency : separator.latency + frames]


@pytest.mark.parametrize("block_size", BLOCK_SIZES)
@pytest.mark.parametrize(("hop", "latency"), [(64, 64), (1, 0), (48, 5), (1000, 1500)])
def test_streamed_equals_offline_for_any_block_size(
    load_model: LoadModel, block_size: int, hop: int, latency: int
) -> None:
    separator = load_model(hop=hop, latency=latency)
    audio = noise(2, 3001 if block_size < 64 else 20_001)
    offline = separator.separate(audio, 44_100)
    separator.prepare(HostConfig(44_100, block_size, 2))
    np.testing.assert_allclose(play(separator, audio), offline, atol=1e-6)


@pytest.mark.parametrize("sample_rate", [22_050, 44_100, 48_000, 192_000])
@pytest.mark.parametrize(("hop", "latency"), [(64, 64), (48, 5)])
@pytest.mark.parametrize("quantum", [1, 16, 64, 96])
def test_blocks_of_any_multiple_of_the_quantum_are_the_same_stream(
    load_model: LoadModel, sample_rate: int, hop: int, latency: int, quantum: int
) -> None:
    separator = load_model(hop=hop, latency=latency)
    most = quantum * (4096 // quantum)
    audio = noise(2, 2 * most)
    separator.prepare(HostConfig(sample_rate, quantum, 2))
    wanted_latency = separator.latency
    alike = np.zeros((2, *audio.shape), np.float32)
    for start in range(0, audio.shape[1], quantum):
        block = np.s_[start : start + quantum]
        separator.process(audio[:, block], alike[..., block])
    separator.prepare(HostConfig(sample_rate, most, 2), quantum=quantum)
    assert separator.latency == wanted_latency
    varied = np.full_like(alike, np.nan)
    start, random = 0, np.random.default_rng(0)
    sizes = [most, quantum]
    while start < audio.shape[1]:
        size = sizes.pop(0) if sizes else quantum * int(random.integers(1, most // quantum + 1))
        block = np.s_[start : min(start + size, audio.shape[1])]
        separator.process(audio[:, block], varied[..., block])
        start += size
    np.testing.assert_allclose(varied, alike, atol=1e-6)


def test_other_blocks_than_multiples_of_the_quantum_are_refused(load_model: LoadModel) -> None:
    separator = load_model()
    with pytest.raises(ConfigError, match="give a divisor of the block size"):
        separator.prepare(HostConfig(44_100, 256, 2), quantum=100)
    separator.prepare(HostConfig(44_100, 256, 2), quantum=64)
    for frames in (0, 32, 100, 320):
        with pytest.raises(AudioError):
            separator.process(np.zeros((2, frames), np.float32), np.zeros((2, 2, frames), "f4"))


@pytest.mark.parametrize(("host", "model"), CHANNELS)
def test_mono_and_stereo_meet_in_any_combination(
    load_model: LoadModel, host: int, model: int
) -> None:
    separator = load_model(channels=model)
    audio = noise(host, 5000)
    offline = separator.separate(audio, 44_100)
    separator.prepare(HostConfig(44_100, 100, host))
    streamed = play(separator, audio)
    assert streamed.shape == (2, host, 5000)
    np.testing.assert_allclose(streamed, offline, atol=1e-6)
    np.testing.assert_allclose(streamed.sum(0), audio, atol=1e-6)


@pytest.mark.parametrize("sample_rate", [22_050, 48_000, 96_000, 192_000])
@pytest.mark.parametrize(("host", "model", "block_size"), [(1, 2, 100), (2, 1, 128), (2, 2, 777)])
def test_stems_add_up_at_any_rate_with_all_that_the_model_cannot_hear(
    load_model: LoadModel, sample_rate: int, host: int, model: int, block_size: int
) -> None:
    separator = load_model(channels=model)
    audio = noise(host, 12_000)  # as loud at 96 kHz as anywhere
    separator.prepare(HostConfig(sample_rate, block_size, host))
    np.testing.assert_allclose(play(separator, audio).sum(0), audio, atol=1e-5)


def test_a_mono_model_keeps_the_two_channels_of_the_host_apart(load_model: LoadModel) -> None:
    separator = load_model(channels=1)
    left, right = noise(1, 3000, seed=1), noise(1, 3000, seed=2)
    separator.prepare(HostConfig(44_100, 128, 2))
    both = play(separator, np.concatenate([left, right]))
    for channel, alone in enumerate((left, right)):
        expected = separator.separate(alone, 44_100)[:, 0]
        np.testing.assert_allclose(both[:, channel], expected, atol=1e-6)


@pytest.mark.parametrize("sample_rate", [44_100, 48_000])
def test_reset_starts_as_if_just_prepared(load_model: LoadModel, sample_rate: int) -> None:
    separator = load_model()
    separator.prepare(HostConfig(sample_rate, 100, 2))
    audio = noise(2, 3000)
    first = play(separator, audio)
    bad = np.full((2, 100), np.nan, np.float32)
    separator.process(bad, np.empty((2, 2, 100), np.float32))
    separator.reset()
    assert separator.nonfinite_samples == 0
    np.testing.assert_array_equal(play(separator, audio), first)


@pytest.mark.parametrize("sample_rate", [44_100, 48_000, 44_101])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_restored_snapshot_goes_on_bit_for_bit(
    load_model: LoadModel, sample_rate: int, channels: int
) -> None:
    separator = load_model(channels=1)
    separator.prepare(HostConfig(sample_rate, 100, channels))
    play(separator, noise(channels, 3333))
    snapshot = separator.snapshot()
    audio = noise(channels, 5000, seed=3)
    first = play(separator, audio)
    separator.restore(snapshot)
    np.testing.assert_array_equal(play(separator, audio), first)
    separator.prepare(separator.config)
    separator.restore(snapshot)
    np.testing.assert_array_equal(play(separator, audio), first)


def test_a_snapshot_of_another_stream_is_refused(load_model: LoadModel) -> None:
    separator, other = load_model(), load_model(hop=48, latency=5)
    separator.prepare(HostConfig(44_100, 100, 2))
    snapshot = separator.snapshot()
    other.prepare(HostConfig(44_100, 100, 2))
    with pytest.raises(ConfigError, match="another model"):
        other.restore(snapshot)
    separator.prepare(HostConfig(44_100, 101, 2))
    with pytest.raises(ConfigError, match="block_size=100"):
        separator.restore(snapshot)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38])
def test_samples_that_are_no_audio_count_as_silence_and_poison_nothing(
    load_model: LoadModel, value: float
) -> None:
    separator = load_model()
    separator.prepare(HostConfig(44_100, 128, 2))
    audio = noise(2, 4000)
    silenced, broken = audio.copy(), audio.copy()
    silenced[:, 700:710] = 0
    broken[:, 700:710] = value
    expected = play(separator, silenced)
    separator.reset()
    np.testing.assert_array_equal(play(separator, broken), expected)
    assert separator.nonfinite_samples == 20


@pytest.mark.parametrize("sample_rate", [44_100, 48_000])
def test_process_allocates_nothing(load_model: LoadModel, sample_rate: int) -> None:
    separator = load_model()
    separator.prepare(HostConfig(sample_rate, 256, 2))
    block, out = noise(2, 256), np.empty((2, 2, 256), np.float32)
    for _ in range(50):
        separator.process(block, out)
    tracemalloc.start()
    try:
        for _ in range(50):
            separator.process(block, out)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # One block of one channel takes 1,024 bytes; views and numbers come and go below that.
    assert peak < 4 * block.nbytes


@pytest.mark.parametrize(
    ("block", "out", "words"),
    [
        (np.zeros((128, 2), np.float32), np.zeros((2, 2, 128), np.float32), "did you pass"),
        (np.zeros((2, 127), np.float32), np.zeros((2, 2, 128), np.float32), "(2, 127)"),
        (np.zeros((2, 128)), np.zeros((2, 2, 128), np.float32), "float64"),
        (np.zeros((2, 128), np.float32), np.zeros((2, 128), np.float32), "out has the shape"),
        (np.zeros((2, 128), np.float32), np.zeros((2, 2, 128)), "out is of type float64"),
    ],
)
def test_arrays_of_another_shape_or_type_are_refused(
    load_model: LoadModel, block: np.ndarray, out: np.ndarray, words: str
) -> None:
    separator = load_model()
    separator.prepare(HostConfig(44_100, 128, 2))
    with pytest.raises(AudioError) as caught:
        separator.process(block, out)
    assert words in str(caught.value)


def test_nothing_live_works_before_prepare(make_model: Callable[..., str]) -> None:
    separator = Separator.load(make_model())
    block, out = np.zeros((2, 64), np.float32), np.zeros((2, 2, 64), np.float32)
    for call in (
        lambda: separator.process(block, out),
        separator.reset,
        separator.snapshot,
        lambda: separator.latency,
        lambda: separator.config,
    ):
        with pytest.raises(ConfigError, match="prepare"):
            call()


def test_views_of_any_memory_layout_work(load_model: LoadModel) -> None:
    separator = load_model()
    separator.prepare(HostConfig(44_100, 128, 2))
    audio = noise(2, 128)
    plain = np.empty((2, 2, 128), np.float32)
    separator.process(audio, plain)
    separator.reset()
    interleaved = np.asfortranarray(audio)
    strided = np.empty((128, 2, 2, 2), np.float32)[..., 0].transpose(1, 2, 0)
    separator.process(interleaved, strided)
    np.testing.assert_array_equal(strided, plain)
