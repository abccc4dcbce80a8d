"""`stemwire serve --audio plugin`: who is there, how they do, and a clean end."""

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from engine import HostConfig
from engine.controls import controls_for
from engine.worker.guests import GuestStatus
from engine.worker.layout import Constant, GuestState, Layout
from engine.worker.segment import Segment
from plugin_host.serve_plugins import draw

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def guest():
    """A segment as a plugin makes it."""
    stems = ("",) * 8
    layout = Layout.of(HostConfig(44_100, 256, 2), stems, len(controls_for(stems)), 64)
    segment = Segment.create(layout, is_direct=False, quantum=64)
    segment.settle_latency(64 + 63 + 256)
    segment.words[Constant.IS_GUEST] = 1
    yield segment
    segment.unlink()
    segment.close()


def start(model: Path, *options: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "plugin_host", "serve", "--audio", "plugin"]
    return subprocess.Popen(
        [*command, "--model", str(model), *options],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip


def states(server: subprocess.Popen) -> list[str]:
    line = json.loads(server.stdout.readline())
    assert line["event"] == "plugins"
    assert line["model"] == "small-test-model"
    return [plugin["state"] for plugin in line["plugins"] if plugin["pid"] == os.getpid()]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_script_sees_plugins_come_and_go(small_model, guest, number):
    with start(small_model, "--json") as server:
        seen = states(server)
        while seen != ["playing"]:
            seen = states(server)
        guest.unlink()
        while seen:
            seen = states(server)
        server.send_signal(number)
        assert server.wait(20) == 0
        assert server.stderr.read() == ""


def test_without_a_screen_it_says_what_happens(small_model, guest):
    with start(small_model) as server:
        assert server.stderr.readline() == "Waiting for plugins; Ctrl-C ends.\n"
        line = server.stderr.readline()
        while "Note:" in line or "loading" in line:
            line = server.stderr.readline()
        assert "is playing: 44100 Hz, up to 256 frames, latency 383 frames." in line
        server.terminate()
        assert server.wait(20) == 0


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--block-size", "128"), "--block-size goes with"),
        (("--direct",), "--direct goes with"),
        (("--set", "bypass=1"), "--set goes with"),
    ],
)
def test_what_belongs_to_other_links_is_refused(small_model, options, sentence):
    with start(small_model, *options) as server:
        _, said = server.communicate(timeout=60)
        assert sentence in said
        assert server.returncode == 2


def test_eight_plugins_fit_on_a_screen():
    config = HostConfig(192_000, 8_192, 2)
    plugins = tuple(
        GuestStatus(10_000_000 + n, config, 20_000, state, 0.5, 10**8, 10**6, "")
        for n, state in enumerate([*GuestState, *GuestState][:8])
    )
    guests = SimpleNamespace(model="wavenet-frame", runtime="ONNX Runtime", notes=())
    console = Console(file=io.StringIO(), width=80, height=24)
    console.print(draw(guests, plugins, 3725.0))
    lines = console.file.getvalue().splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    for word in ("01:02:05", "192000 Hz", "8192", "104.2 ms", "playing", "refused", "1000000"):
        assert word in text
