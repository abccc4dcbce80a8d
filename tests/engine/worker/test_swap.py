"""Another model, or the past of this one, while it plays."""

import os
import signal
import threading
import time

import numpy as np
import pytest

from engine import ConfigError, HostConfig, ModelError
from engine.worker.layout import Engine, engine_word

TOLERANCE = 1e-6
SLOPE = 0.5 * 2 * np.pi * 441 / 44_100
OTHER_GAINS = (0.1, 0.1, 0.2, 0.2, 0.4)


@pytest.fixture(scope="session")
def other_model(make_small_model, tmp_path_factory):
    path = tmp_path_factory.mktemp("other") / "other.onnx"
    return make_small_model(path, gains=OTHER_GAINS, name="other-model")


def _swap_while_playing(session, host, model) -> None:
    """Swaps in another thread, as hosts do, and plays meanwhile."""
    failures = []

    def swap() -> None:
        try:
            session.swap(model)
        except Exception as error:  # noqa: BLE001, handed to the test's own thread
            failures.append(error)

    thread = threading.Thread(target=swap)
    thread.start()
    host.play_until(lambda: not thread.is_alive(), seconds=30)
    thread.join()
    if failures:
        raise failures[0]


def test_a_swap_leaves_no_gap_and_no_step(open_session, player, sine, other_model):
    session = open_session(256)
    latency = session.latency
    host = player(session, sine)
    host.play_paced(0.2)
    _swap_while_playing(session, host, other_model)
    host.play_paced(0.2)
    assert session.model == session.status().model == "other-model"
    assert session.latency == latency
    np.testing.assert_allclose(host.mix, host.delayed, atol=TOLERANCE)
    # From one gain to another within 64 frames: no larger step than that, and the sine's own.
    largest = np.abs(np.diff(host.stems, axis=-1)).max(axis=(1, 2))
    gains = np.array([(0.4, 0.3, 0.15, 0.1, 0.05), OTHER_GAINS])
    change = 0.5 * np.abs(gains[1] - gains[0]) / 64
    # Blocks that were late, on a busy machine, fade from and to nothing.
    fade = 0.5 * gains.max(axis=0) / 64 if any(host.late) else change
    assert (largest <= SLOPE * gains.max(axis=0) + fade + 1e-5).all()
    last = slice(-256, None)
    for stem, gain in zip(host.stems, OTHER_GAINS, strict=True):
        np.testing.assert_allclose(stem[:, last], gain * host.delayed[:, last], atol=1e-6)


def test_a_model_of_less_latency_keeps_the_sessions(
    open_session, player, offline, delayed, noise, make_model
):
    slow = make_model(latency=128)
    quick = make_model(latency=64)
    session = open_session(256, model=slow)
    host = player(session, noise)
    host.play_paced(0.2)
    _swap_while_playing(session, host, quick)
    for _ in range(40):
        host.play(256, wait=True)
    alone = offline(host.played, session.config, quick)
    own = HostConfig(44_100, 256, 2)
    assert session.config == own
    last = slice(-256 * 8, None)
    # The quick model alone is 64 frames late; in this session it is as late as the slow one.
    expected = delayed(alone, session.latency - 64)
    np.testing.assert_allclose(host.stems[..., last], expected[..., last], atol=1e-6)


def test_a_model_of_more_latency_or_other_stems_is_refused(
    open_session, player, noise, small_model, make_model
):
    session = open_session(256, model=make_model(latency=64))
    host = player(session, noise)
    with pytest.raises(ConfigError, match="needs 64 frames of latency more"):
        _swap_while_playing(session, host, make_model(latency=128))
    with pytest.raises(ConfigError, match="has the stems drums, bass, piano, strings, other"):
        _swap_while_playing(session, host, small_model)
    assert session.status().state == "running"


def test_a_model_that_cannot_be_read_leaves_the_old_one_playing(
    open_session, player, sine, tmp_path
):
    session = open_session(256)
    host = player(session, sine)
    host.play_paced(0.1)
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no model")
    with pytest.raises(ModelError):
        _swap_while_playing(session, host, broken)
    with pytest.raises(ModelError):
        session.swap("there-is-no-such-model")
    host.play_paced(0.1)
    np.testing.assert_allclose(host.mix, host.delayed, atol=TOLERANCE)
    assert session.model == "small-test-model"


def test_after_a_swap_a_dead_engine_comes_back_with_the_new_model(
    open_session, player, sine, other_model
):
    session = open_session(256)
    host = player(session, sine)
    host.play_paced(0.1)
    _swap_while_playing(session, host, other_model)
    dead = session.engine_pid
    os.kill(dead, signal.SIGKILL)
    host.play_until(lambda: session.engine_pid != dead)
    host.play_until(lambda: not any(host.late[-8:]))
    last = slice(-256, None)
    np.testing.assert_allclose(host.stems[4, :, last], 0.4 * host.delayed[:, last], atol=1e-6)
    np.testing.assert_allclose(host.mix, host.delayed, atol=TOLERANCE)


def test_a_swapped_model_has_heard_what_was_played(
    open_session, player, offline, delayed, noise, make_model
):
    # This model's output depends on the hop before: it is right at once only if it knows that.
    latencies = (128, 100)  # so that their hops begin at other frames
    models = [make_model(latency=latency) for latency in latencies]
    session = open_session(256, model=models[0])
    host = player(session, noise)
    host.play_paced(0.3)
    _swap_while_playing(session, host, models[1])
    host.play_paced(0.1)
    alone = [
        delayed(offline(host.played, session.config, model), session.latency - latency)
        for model, latency in zip(models, latencies, strict=True)
    ]
    distance = [np.abs(host.stems - stems).max(axis=(0, 1)) for stems in alone]
    # They differ, and at every frame it is the one or the other or in the crossfade between them.
    assert np.abs(alone[0] - alone[1]).max() > 0.005
    late = np.repeat(host.late, 256)
    late |= np.roll(late, 256)  # and the crossfade after it
    assert int((np.minimum(*distance)[~late] > 1e-5).sum()) <= 64


def test_a_stream_goes_on_from_a_snapshot(open_session, player, noise, make_model):
    session = open_session(256, model=make_model(latency=64))
    audio = noise[:, : 256 * 20]
    host = player(session, np.concatenate([audio, audio[:, 256 * 10 :]], axis=1))
    for _ in range(10):
        host.play(256, wait=True)
    session.snapshot("verse")
    for _ in range(10):
        host.play(256, wait=True)
    session.restore("verse")
    for _ in range(10):
        host.play(256, wait=True)
    later = session.latency
    first = host.stems[..., 256 * 10 + later : 256 * 20]
    again = host.stems[..., 256 * 20 + later :]
    np.testing.assert_array_equal(first, again)
    with pytest.raises(ConfigError, match="no snapshot 'chorus'"):
        session.restore("chorus")


def test_a_reset_forgets_what_was_heard(open_session, player, noise, make_model):
    session = open_session(256, model=make_model(latency=64))
    audio = np.tile(noise[:, : 256 * 10], 2)
    host = player(session, audio)
    for _ in range(10):
        host.play(256, wait=True)
    heard = engine_word(0) + Engine.BLOCKS
    while session._words[heard] < 10:
        time.sleep(0.001)
    session.controls.trigger("reset")
    for _ in range(10):
        host.play(256, wait=True)
    later = session.latency
    first = host.stems[..., later : 256 * 10]
    again = host.stems[..., 256 * 10 + later :]
    np.testing.assert_array_equal(first, again)
