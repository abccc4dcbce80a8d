"""What a host hears: the very samples of an undisturbed stream, a constant time later."""

import gc
import os
import tracemalloc

import numpy as np
import pytest

from engine import AudioError, HostConfig
from engine.worker import Exchange


@pytest.mark.parametrize(
    ("sample_rate", "block_size", "channels"),
    [(44_100, 64, 2), (44_100, 256, 2), (44_100, 37, 1), (48_000, 480, 2), (22_050, 8_192, 1)],
)
def test_stems_are_those_of_one_process_bit_for_bit(
    open_session, player, offline, delayed, noise, sample_rate, block_size, channels
):
    config = HostConfig(sample_rate, block_size, channels)
    session = open_session(block_size, sample_rate=sample_rate, channels=channels)
    host = player(session, noise[:channels])
    for _ in range(12 + 3 * session.latency // block_size):
        host.play(block_size, wait=True)
    alone = offline(host.played, config)
    share = dict(session.ledger)["worker"]
    np.testing.assert_array_equal(host.stems, delayed(alone, share))
    assert host.late == [False] * len(host.late)


@pytest.mark.parametrize(
    ("sample_rate", "block_size"), [(44_100, 128), (48_000, 256), (96_000, 96)]
)
def test_an_impulse_comes_back_after_the_ledgers_sum(open_session, player, sample_rate, block_size):
    session = open_session(block_size, sample_rate=sample_rate)
    audio = np.zeros((2, 64 * block_size + 8 * session.latency), np.float32)
    audio[:, 1000] = 1.0
    host = player(session, audio)
    while host.position + block_size <= audio.shape[1]:
        host.play(block_size, wait=True)
    assert session.latency == sum(frames for _, frames in session.ledger)
    assert int(np.abs(host.mix[0]).argmax()) == 1000 + session.latency


def test_a_worker_that_computes_in_time_adds_one_block(open_session):
    # 8,192 frames last 186 ms; the small model takes a hundredth of that anywhere.
    assert dict(open_session(8_192).ledger) == {"model": 64, "framing": 0, "worker": 8_192}


def test_a_worker_adds_whole_blocks_and_never_none(open_session):
    for block_size in (1, 16, 100):
        share = dict(open_session(block_size).ledger)["worker"]
        assert share >= block_size
        assert share % block_size == 0


def test_a_direct_worker_adds_nothing_and_is_waited_for(
    open_session, player, offline, delayed, noise
):
    session = open_session(4_096, direct=True)
    assert dict(session.ledger)["worker"] == 0
    host = player(session, noise)
    for _ in range(8):
        host.play(4_096)
    alone = offline(host.played, session.config)
    on_time = ~np.repeat(host.late, 4_096)
    assert on_time.any()
    settled = slice(64, None)  # after a late block the first frames are a crossfade
    for number, late in enumerate(host.late):
        if not late:
            part = slice(number * 4_096, (number + 1) * 4_096)
            np.testing.assert_array_equal(
                host.stems[..., part][..., settled], alone[..., part][..., settled]
            )


def test_blocks_may_vary_where_the_host_says_so(open_session, player, offline, delayed, noise):
    session = open_session(256, fixed=False)
    host = player(session, noise)
    sizes = np.random.default_rng(0).integers(1, 257, 100)
    for frames in [1, 256, 255, *sizes.tolist()]:
        host.play(frames, wait=True)
    alone = offline(host.played, HostConfig(44_100, 64, 2))
    share = dict(session.ledger)["worker"]
    assert share in (63 + 256, 63 + 512)  # the second where the machine is very busy
    whole = alone.shape[-1]
    np.testing.assert_array_equal(host.stems[..., :whole], delayed(alone, share))


def test_a_late_block_is_the_delayed_mixture_and_silent_stems(open_session, player, noise):
    session = open_session(256)
    host = player(session, noise)
    host.play_paced(0.2)
    os.kill(session.engine_pid, 9)
    for _ in range(4):  # no engine can be there so soon
        host.play(256)
    assert host.late[-3:] == [True] * 3
    last = slice(-512, None)
    np.testing.assert_array_equal(host.mix[:, last], host.delayed[:, last])
    assert not host.stems[..., last].any()


def test_samples_that_are_no_numbers_count_as_zero(open_session, player, noise):
    session = open_session(256)
    bad = noise.copy()
    bad[0, 300:310] = np.nan
    bad[1, 700] = np.inf
    bad[0, 900] = -1e30
    host = player(session, bad)
    for _ in range(20):
        host.play(256, wait=True)
    clean = np.where(np.abs(bad) <= 1e6, bad, 0).astype(np.float32)
    expected = player(open_session(256), clean)
    for _ in range(20):
        expected.play(256, wait=True)
    assert np.isfinite(host.mix).all()
    np.testing.assert_array_equal(host.stems, expected.stems)
    assert session.status().nonfinite_samples == 12


def test_full_scale_square_waves_pass(open_session, player):
    square = np.where(np.arange(44_100) // 50 % 2, 1.0, -1.0).astype(np.float32)
    host = player(open_session(256), np.stack([square, -square]))
    for _ in range(40):
        host.play(256, wait=True)
    np.testing.assert_allclose(host.mix, host.delayed, atol=1e-6)


def test_wrong_blocks_are_refused_in_one_sentence(open_session, attach):
    exchange = attach(open_session(256))
    good = np.zeros((2, 256), np.float32)
    stems = np.zeros((5, 2, 256), np.float32)
    for block, mix, out in (
        (good.T.copy(), good, stems),
        (good[:, :255], good[:, :255], stems[..., :255]),
        (good.astype(np.float64), good, stems),
        (good, good[:1], stems),
        (good, good, stems[:4]),
        (np.float32(0), good, stems),
    ):
        with pytest.raises(AudioError, match="this session takes float32, 2 channels, 5 stems"):
            exchange.process(np.asarray(block), mix, out)


def test_a_link_that_starts_again_finds_the_stream_going_on(open_session, player, noise):
    session = open_session(256)
    first = player(session, noise)
    first.play_paced(0.1)
    first.exchange.close()
    second = player(session, noise)
    second.play_paced(0.3)
    np.testing.assert_allclose(second.mix, second.delayed, atol=1e-6)


def test_a_callback_keeps_no_memory(open_session, attach):
    exchange = attach(open_session(256))
    block, mix = np.zeros((2, 256), np.float32), np.zeros((2, 256), np.float32)
    stems = np.zeros((5, 2, 256), np.float32)

    def play(blocks: int) -> None:
        for _ in range(blocks):
            exchange.process(block, mix, stems)

    play(50)
    gc.collect()
    tracemalloc.start()
    try:
        play(50)
        before = tracemalloc.get_traced_memory()[0]
        play(500)
        assert tracemalloc.get_traced_memory()[0] - before < 2_000
    finally:
        tracemalloc.stop()


def test_two_sessions_do_not_hear_each_other(open_session, player, noise, sine):
    hosts = [player(open_session(256), audio) for audio in (noise, sine)]
    for _ in range(30):
        for host in hosts:
            host.play(256, wait=True)
    for host in hosts:
        np.testing.assert_allclose(host.mix, host.delayed, atol=1e-6)
    assert len({host.exchange._segment.path for host in hosts}) == 2


def test_a_segment_that_is_gone_is_refused(open_session, attach):
    session = open_session(256)
    path = session.segment_path
    session.close()
    with pytest.raises(Exception, match="its session has ended"):
        Exchange.attach(path)
