"""A plugin that finds no server starts one, if the user has said so and none is there already."""

import sys
import time
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]


@pytest.fixture
def silence() -> np.ndarray:
    return np.zeros((2, 2 * 44_100), np.float32)


@pytest.fixture
def allow(tmp_path, monkeypatch):
    """Writes the user's file: `allow("command")`."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))

    def write(command: str) -> None:
        folder = tmp_path / "config" / "stemwire"
        folder.mkdir(parents=True)
        (folder / "plugin.conf").write_text(
            f"# The server that plugins start.\n\n  start = {command}\nother = thing\n"
        )

    return write


def test_nothing_is_started_that_nobody_has_allowed(monkeypatch, tmp_path, play_clap, silence):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    begin = time.monotonic()
    assert play_clap(silence[:, :1_000], "--paced").seen["status"] == 0
    assert time.monotonic() - begin < 2


def test_one_server_is_started_for_many_plugins(allow, play_clap, silence, tmp_path, wait_until):
    count, end = tmp_path / "count", tmp_path / "end"
    allow(f"echo 1 >> '{count}'; while [ ! -e '{end}' ]; do sleep 0.1; done")
    for _ in range(2):
        play_clap(silence, "--paced")
    assert count.read_text() == "1\n"
    end.touch()

    def again() -> bool:
        play_clap(silence, "--paced")
        return count.read_text() == "1\n1\n"

    wait_until(again, "the next server, now that the first one has ended")


def test_nothing_is_started_where_a_server_serves(allow, serve, play_clap, silence, tmp_path):
    started = tmp_path / "started"
    allow(f"touch '{started}'")
    serve()
    assert play_clap(silence, "--paced").seen["status"] == 2
    assert not started.exists()


def test_a_plugin_that_goes_at_once_starts_nothing_and_waits_for_nothing(
    allow, play_clap, silence, tmp_path
):
    started = tmp_path / "started"
    allow(f"touch '{started}'")
    begin = time.monotonic()
    play_clap(silence[:, :500], "--passes", "20")
    assert time.monotonic() - begin < 1.5
    assert not started.exists()


def test_a_render_waits_for_the_server_that_it_starts(
    allow, play_clap, song, small_model, tmp_path
):
    end = tmp_path / "end"
    allow(f"PYTHONPATH='{ROOT}' '{sys.executable}' '{HERE}/server.py' '{small_model}' '{end}'")
    audio = song.audio[:, :20_000]
    heard = play_clap(audio, "--offline", "--set", "1=1")  # without the drums
    end.touch()
    assert heard.seen["status"] == 2
    np.testing.assert_allclose(heard.aligned(), 0.6 * audio[:, : -heard.latency], atol=1e-6)
