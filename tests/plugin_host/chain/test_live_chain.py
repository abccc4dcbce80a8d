"""Chains of real plugins in the engine's process: aligned to the frame, turned while they play."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pedalboard import Compressor, Gain, Reverb

from engine import ConfigError, HostConfig
from engine.worker import Exchange, Session
from plugin_host.chain_presets import chains_from, read_chains

GAINS = (0.4, 0.3, 0.15, 0.1, 0.05)
BLOCK = 256


class Host:
    """Plays audio through a session, waiting for each block."""

    def __init__(self, session: Session, audio: np.ndarray) -> None:
        self.exchange = Exchange.attach(session.segment_path)
        self._audio = audio
        self.position = 0
        self._heard: list[np.ndarray] = []

    def play(self, blocks: int, *, wait: bool = True) -> None:
        for _ in range(blocks):
            stems = np.zeros((len(self.exchange.stems), 2, BLOCK), np.float32)
            mix = np.zeros((2, BLOCK), np.float32)
            block = np.ascontiguousarray(self._audio[:, self.position : self.position + BLOCK])
            self.exchange.process(block, mix, stems, wait=wait)
            self._heard.append(np.concatenate([mix[np.newaxis], stems]))
            self.position += BLOCK

    def play_until(self, condition: Callable[[], bool]) -> None:
        until = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < until, "it did not happen in time"
            self.play(1, wait=False)
            time.sleep(BLOCK / 44_100)

    @property
    def rows(self) -> np.ndarray:
        """The mix and the stems as heard, `(rows, channels, frames)`."""
        return np.concatenate(self._heard, axis=-1)


@pytest.fixture
def host(small_model: Path) -> Iterator[Callable[..., tuple[Session, Host]]]:
    opened: list[tuple[Session, Host]] = []

    def begin(audio: np.ndarray, **options: Any) -> tuple[Session, Host]:
        session = Session.open(small_model, HostConfig(44_100, BLOCK, 2), **options)
        opened.append((session, Host(session, audio)))
        return opened[-1]

    yield begin
    for session, player in opened:
        player.exchange.close()
        session.close()


@pytest.fixture
def noise() -> np.ndarray:
    return np.random.default_rng(4).uniform(-0.3, 0.3, (2, 44_100 * 60)).astype(np.float32)


def _bypassed(session: Session) -> list[str]:
    return [note for note in session.status().notes if "bypassed" in note]


def test_an_impulse_leaves_every_chain_at_the_frame_that_the_ledger_says(host, vst3):
    audio = np.zeros((2, 200 * BLOCK), np.float32)
    audio[:, 5_000] = 0.1
    late = {"plugin": vst3("ZaMaximX2")}
    session, player = host(
        audio, processors=chains_from({"drums": [late, late], "bass": [late], "mix": [late]})
    )
    assert dict(session.ledger)["plugin chain"] == 960 + 480
    player.play(150)
    for row in player.rows:
        assert np.abs(row).argmax(axis=-1).tolist() == [5_000 + session.latency] * 2
    assert _bypassed(session) == []


def test_parameters_are_turned_by_name_while_it_plays(host, noise, vst3):
    session, player = host(
        noise,
        processors=chains_from({"drums": [Gain(0)], "mix": [{"plugin": vst3("ZaMaximX2")}]}),
    )
    player.play(20)
    session.controls.set("stem/drums/plugin/0/gain_db", -20.0)
    session.controls.set("mix/plugin/0/output_ceiling_db", -30.0)
    turned = player.position
    player.play(60)
    later = slice(turned + session.latency + 8_192, None)
    played = noise[:, : player.position]
    delayed = np.pad(played, ((0, 0), (session.latency, 0)))[:, : played.shape[1]]
    np.testing.assert_allclose(player.rows[1, :, later], 0.04 * delayed[:, later], atol=1e-5)
    assert np.abs(player.rows[0, :, later]).max() <= 10 ** (-30 / 20) + 1e-3
    assert _bypassed(session) == []


def test_a_killed_engine_comes_back_with_chains_and_parameters(host, noise, vst3):
    session, player = host(
        noise,
        processors=chains_from({"drums": [{"plugin": vst3("ZaMaximX2")}], "bass": [Gain(0)]}),
    )
    latency = session.latency
    session.controls.set("stem/bass/plugin/0/gain_db", -20.0)
    player.play(20)
    dead = session.engine_pid
    os.kill(dead, signal.SIGKILL)
    player.play_until(lambda: session.engine_pid != dead)
    player.play(60)
    last = slice(-20 * BLOCK, None)
    played = noise[:, : player.position]
    delayed = np.pad(played, ((0, 0), (latency, 0)))[:, : played.shape[1]]
    np.testing.assert_allclose(player.rows[2, :, last], 0.03 * delayed[:, last], atol=1e-5)
    np.testing.assert_allclose(player.rows[3, :, last], 0.15 * delayed[:, last], atol=1e-5)
    assert _bypassed(session) == []


def test_a_swap_keeps_chains_and_latency(host, noise, make_small_model, tmp_path, vst3):
    other = make_small_model(tmp_path / "other.onnx", gains=(0.1, 0.1, 0.2, 0.2, 0.4))
    session, player = host(
        noise, processors=chains_from({"other": [Gain(-20), {"plugin": vst3("ZaMaximX2")}]})
    )
    player.play(20)
    session.swap(other)
    player.play(80)
    last = slice(-20 * BLOCK, None)
    played = noise[:, : player.position]
    delayed = np.pad(played, ((0, 0), (session.latency, 0)))[:, : played.shape[1]]
    np.testing.assert_allclose(player.rows[1, :, last], 0.1 * delayed[:, last], atol=1e-5)
    np.testing.assert_allclose(player.rows[5, :, last], 0.04 * delayed[:, last], atol=2e-3)


def test_a_reset_in_the_middle_is_survived_even_by_plugins_that_load_again(host, noise, vst3):
    slow_to_forget, late = ({"plugin": vst3(name)} for name in ("ZamTube", "ZaMaximX2"))
    session, player = host(
        noise, processors=chains_from({"drums": [slow_to_forget], "mix": [late]})
    )
    player.play(20)
    session.controls.trigger("reset")
    player.play(60)
    last = slice(-20 * BLOCK, None)
    played = noise[:, : player.position]
    delayed = np.pad(played, ((0, 0), (session.latency, 0)))[:, : played.shape[1]]
    np.testing.assert_allclose(player.rows[2, :, last], 0.3 * delayed[:, last], atol=1e-6)
    assert np.abs(player.rows[1, :, last]).max() > 0.01
    assert _bypassed(session) == []
    assert session.status().restarts == 0


def test_what_a_plugin_refuses_is_told_where_the_session_was_to_begin(small_model, vst3, tmp_path):
    preset = tmp_path / "chain.toml"
    preset.write_text(
        f'[[bass]]\nplugin = "{vst3("ZaMaximX2")}"\nparameters = {{ loudness = 11 }}\n'
    )
    with pytest.raises(ConfigError, match="Plugin 0 of bass: ZaMaximX2 has no 'loudness'"):
        Session.open(small_model, HostConfig(44_100, 256, 2), processors=read_chains(preset))


def test_live_and_in_one_go_they_sound_the_same(host, noise, vst3):
    from pedalboard import Pedalboard, load_plugin

    audio = noise[:, : 200 * BLOCK]
    late = vst3("ZaMaximX2")
    effects = [Compressor(-30, 4), Reverb(0.4)]
    session, player = host(
        np.pad(audio, ((0, 0), (0, 100 * BLOCK))),
        processors=chains_from({"drums": [*effects, {"plugin": late}]}),
    )
    player.play(-(-(audio.shape[1] + session.latency) // BLOCK))
    live = player.rows[1, :, session.latency : session.latency + audio.shape[1]]
    board = Pedalboard([Compressor(-30, 4), Reverb(0.4), load_plugin(late)])
    alone = board(GAINS[0] * audio, 44_100, buffer_size=BLOCK)
    np.testing.assert_allclose(live, alone, atol=1e-5)
