"""The latency that is told is the latency there is: by impulse, and by brute force."""

from collections.abc import Callable
from math import gcd

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import HostConfig, LatencyLedger, Separator
from engine.framing import Schedule
from engine.resampling import Ratio

LoadModel = Callable[..., Separator]
SAMPLE_RATES = (22_050, 32_000, 44_100, 44_101, 48_000, 88_200, 96_000, 192_000)
BLOCK_SIZES = (1, 7, 64, 65, 100, 128, 480, 8191, 8192)


@pytest.mark.parametrize("sample_rate", SAMPLE_RATES)
@pytest.mark.parametrize("block_size", BLOCK_SIZES)
def test_an_impulse_comes_out_where_latency_says(
    load_model: LoadModel, sample_rate: int, block_size: int
) -> None:
    check_impulse(load_model(), HostConfig(sample_rate, block_size, 2))


@pytest.mark.parametrize("model_rate", [16_000, 48_000, 96_000])
@pytest.mark.parametrize("block_size", [64, 100, 8192])
def test_models_of_other_rates_are_met_as_well(
    load_model: LoadModel, model_rate: int, block_size: int
) -> None:
    separator = load_model(sample_rate=model_rate, hop=48, latency=5)
    check_impulse(separator, HostConfig(44_100, block_size, 2))


def check_impulse(separator: Separator, config: HostConfig) -> None:
    """Asserts that an impulse comes out of every stem, and of the sum, just `latency` later."""
    block_size = config.block_size
    separator.prepare(config)
    assert separator.ledger.total == separator.latency
    position = 301
    blocks = -(-(position + separator.latency + 300) // block_size)
    audio = np.zeros((2, blocks * block_size), np.float32)
    audio[:, position] = 1
    out = np.empty((2, *audio.shape), np.float32)
    for i in range(blocks):
        block = np.s_[i * block_size : (i + 1) * block_size]
        separator.process(audio[:, block], out[..., block])
    for stem in (*out, out.sum(0)):
        assert np.argmax(np.abs(stem[0])) == position + separator.latency


@pytest.mark.parametrize("block_size", BLOCK_SIZES)
@pytest.mark.parametrize(("hop", "latency"), [(64, 64), (1, 0), (48, 5), (1000, 1500)])
def test_framing_adds_hop_less_the_common_divisor(
    load_model: LoadModel, block_size: int, hop: int, latency: int
) -> None:
    separator = load_model(hop=hop, latency=latency)
    separator.prepare(HostConfig(44_100, block_size, 2))
    assert list(separator.ledger) == [
        ("model", latency),
        ("framing", hop - gcd(hop, block_size)),
    ]


def _brute_force(schedule: Schedule, blocks: int) -> tuple[int, set[int]]:
    """Counts frames block by block; returns the latency and the sizes of the steps."""
    down, up = schedule.down, schedule.up
    first = schedule.first_in
    taken, sizes, latency = 0, set(), 0
    for i in range(1, blocks + 1):
        end = i * schedule.block_size
        model_frames = sum(
            1
            for k in range(first, first + (end * down.den) // down.num + 3 * down.half + 3)
            if k * down.num // down.den + down.half < end
        )
        step = (model_frames - taken) // schedule.hop * schedule.hop
        sizes.add(step)
        taken += step
        through = first + taken - schedule.model_latency
        host_frame = -(10**6)
        host_frame = max(
            k for k in range(end - 6000, end + 6000) if k * up.num // up.den + up.half < through
        )
        latency = max(latency, end - 1 - host_frame)
    return latency, sizes - {0}


@settings(max_examples=40, deadline=None)
@given(
    rates=st.sampled_from([(1, 1), (2, 1), (1, 2), (3, 2), (4, 5), (5, 4), (7, 3)]),
    block_size=st.integers(1, 40),
    hop=st.integers(1, 24),
    model_latency=st.integers(0, 50),
)
def test_the_latency_formula_equals_brute_force(
    rates: tuple[int, int], block_size: int, hop: int, model_latency: int
) -> None:
    host, model = rates
    schedule = Schedule(
        block_size, Ratio.between(host, model), Ratio.between(model, host), hop, model_latency
    )
    period = host * hop  # frames after which blocks, hops and both rates are in step again
    blocks = period // gcd(period, block_size)
    latency, sizes = _brute_force(schedule, blocks)
    assert schedule.latency == latency
    assert sizes <= set(schedule.step_sizes)
    assert schedule.ledger.total == latency
    assert all(frames >= 0 for _, frames in schedule.ledger)


def test_a_ledger_adds_up_and_takes_further_entries() -> None:
    ledger = LatencyLedger((("model", 64), ("framing", 60)))
    longer = ledger.plus("device", 256)
    assert (ledger.total, longer.total) == (124, 380)
    assert list(longer) == [("model", 64), ("framing", 60), ("device", 256)]
    assert str(ledger) == "model 64 + framing 60 = 124 frames"
