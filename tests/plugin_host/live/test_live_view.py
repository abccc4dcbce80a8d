"""What is shown while it plays, and the keys that are typed then."""

from __future__ import annotations

import math
import os
import pty
import re
import signal
import subprocess
import sys
import termios
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from engine import HostConfig
from engine.worker import Status
from plugin_host.live_keys import Keys
from plugin_host.live_report import Report
from plugin_host.live_text import sentence_for
from plugin_host.live_view import draw, meter

ROOT = Path(__file__).resolve().parents[3]
STEMS = ("drums", "bass", "piano", "strings", "other")


@pytest.fixture
def report():
    status = Status(
        state="running",
        model="wavenet-frame",
        runtime="ONNX Runtime on the CPU: it is the first choice, and it works.",
        load=0.23,
        blocks=1_234_567,
        underruns=3,
        skips=0,
        restarts=1,
        nonfinite_samples=12,
        latency=320,
        first_seconds=0.01,
        notes=(),
    )
    controls = {"stem/drums/gain": 0.5, "stem/bass/mute": 1.0, "stem/piano/pan": -0.5}
    return Report(
        state="running",
        audio="JACK client stemwire",
        kind="jack",
        config=HostConfig(44_100, 256, 2),
        status=status,
        ledger=(("model", 64), ("framing", 0), ("worker", 256), ("device", 512)),
        latency=832,
        meters=dict.fromkeys(("input", "mix", *STEMS), (0.5, 0.1)),
        controls=controls,
        places={bus: f"{bus}_1" for bus in ("mix", *STEMS)},
        reached={"osc": "127.0.0.1:9130"},
        xruns=2,
        seconds=4521.0,
        notes=("A note that is a whole sentence long, and tells the way out as well. " * 2,) * 5,
    )


def _lines(report, news=""):
    console = Console(width=80, height=24)
    lines = console.render_lines(draw(report, news), console.options, pad=False)
    return ["".join(segment.text for segment in line) for line in lines]


def test_it_says_where_the_session_is_reached(report):
    assert "osc 127.0.0.1:9130" in _lines(report)[0]


def test_it_fits_into_80_by_24(report):
    lines = _lines(report, news="Now playing through another model. " * 4)
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80


def test_all_that_matters_is_there(report):
    shown = " ".join(" ".join(_lines(report)).split())
    for text in (
        "running 01:15:21",
        "wavenet-frame",
        "44100 Hz, stereo, 256 frames",
        "23%",
        "3 of 1234567 blocks, 2 xruns of the device, 1 restart of the engine, 12 bad samples",
        "model 64 + worker 256 + device 512 = 832 frames = 18.9 ms",
        "x0.50",
        "mute",
        "50% left",
        "-6.0 dB",
        "q end",
        "A note that is a whole sentence",
    ):
        assert text in shown


def test_channels_of_a_sound_card_are_shown(report):
    card = replace(report, kind="portaudio", places={"mix": "1/2", "drums": "3/4"})
    assert "mix 1/2, drums 3/4" in "\n".join(_lines(card))


def test_there_is_something_to_see_before_there_is_sound(report):
    early = replace(report, config=None, status=None, ledger=(), meters={}, controls={}, notes=())
    assert "running" in "\n".join(_lines(early))


@pytest.mark.parametrize(
    ("peak", "columns"),
    [(0.0, 0), (0.001, 0), (0.0316, 20), (0.5, 36), (1.0, 40), (8.0, 40), (math.inf, 40)],
)
def test_a_meter_shows_60_decibels(peak, columns):
    bar = meter(peak, 0.0).plain
    assert len(bar) == 40
    assert bar.find("┃") + 1 == columns


def test_a_meter_is_red_above_full_scale():
    assert "red" in {span.style for span in meter(1.01, 0.5).spans}
    assert "red" not in {span.style for span in meter(0.99, 0.5).spans}


def test_a_level_that_is_no_number_is_silence():
    assert meter(math.nan, math.nan).plain == "─" * 40


@pytest.mark.parametrize(
    ("typed", "commands"),
    [
        ("1", [{"toggle": "stem/drums/mute"}]),
        ("s5", [None, {"toggle": "stem/other/solo"}]),
        ("s11", [None, {"toggle": "stem/drums/solo"}, {"toggle": "stem/drums/mute"}]),
        ("bpr", [{"toggle": "bypass"}, {"toggle": "panic"}, {"trigger": "reset"}]),
        ("mq", [{"swap": None}, {"quit": True}]),
        ("69x \x1b", [None] * 5),
    ],
)
def test_keys_are_commands(typed, commands):
    keys = Keys()
    keys.stems = STEMS
    assert [keys.command(key) for key in typed] == commands


def test_news_are_sentences(report):
    assert sentence_for("running", report) == (
        "Playing: JACK client stemwire, latency 832 frames = 18.9 ms "
        "(model 64 + worker 256 + device 512). Ctrl-C ends."
    )
    ended = sentence_for("ended", report, outputs={"mix": "out/song.mix.wav"})
    assert ended.splitlines() == [
        "Played 4521.0 s, 1234567 blocks: 3 underruns, 1 restart of the engine.",
        "Recorded: out/song.mix.wav",
    ]


def _serve_on_a_terminal(*arguments):
    """Starts it on a terminal of its own; gives the process and our end of the terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "plugin_host", "serve", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "80", "LINES": "24"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    return process, ours, theirs


def _read_until(terminal, pattern):
    shown = b""
    while not re.search(pattern, shown):
        shown += os.read(terminal, 1 << 16)
    return shown


@pytest.mark.parametrize("way", ["key", "signal"])
def test_on_a_terminal_it_draws_takes_keys_and_leaves_everything_as_it_was(
    make_song, small_model, way
):
    process, ours, theirs = _serve_on_a_terminal(
        "--audio", f"file:{make_song()}", "--loop", "--model", small_model
    )
    try:
        before = termios.tcgetattr(theirs)
        _read_until(ours, rb"drums.*dB")
        os.write(ours, b"1")
        _read_until(ours, rb"drums.*mute")
        if way == "key":
            os.write(ours, b"q")
        else:
            process.send_signal(signal.SIGINT)
        shown = _read_until(ours, rb"Played [\d.]+ s, \d+ blocks")
        assert b"\x1b[?1049l" in shown  # the other screen is left before the last words
        assert process.wait(30) == 0
        assert termios.tcgetattr(theirs) == before
    finally:
        process.kill()
        process.wait()
        os.close(ours)
        os.close(theirs)
