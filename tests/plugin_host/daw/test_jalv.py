"""The LV2 in jalv on a real JACK server: whatever becomes of the engine, the delay stays."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

URI = "urn:stemwire:separator"
HERE = Path(__file__).resolve().parent
MEMORY = Path("/dev/shm")
PERIOD = 256
DRUMS = 0.4  # of the small model's mix; muted here, so that it is heard whether the engine plays


class Jalv:
    """jalv with the plugin in it, and what it says of the plugin's outputs."""

    def __init__(self, command: list[str], server, folder: Path, log: Path) -> None:
        self._log = log
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                [*command, "-x", "-n", "plug", "-c", "drums_mute=1", URI],
                env={**server.environment, "LV2_PATH": f"{folder}:/usr/lib/lv2"},
                stdin=subprocess.PIPE,
                stdout=file,
                stderr=file,
            )

    def ask(self, symbol: str) -> float:
        """Returns the value of an output as it is now."""
        pattern = rf"{symbol} = ([-\d.]+)\n"
        before = len(re.findall(pattern, self._log.read_text()))
        self.process.stdin.write(b"monitors\n")
        self.process.stdin.flush()
        for _ in range(500):
            found = re.findall(pattern, self._log.read_text())
            if len(found) > before:
                return float(found[-1])
            time.sleep(0.01)
        return pytest.fail("jalv does not answer")

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(10)
        self.process.stdin.close()


@pytest.fixture
def jalv(needs_program, jack, plugin, tmp_path, wait_until):
    """Starts JACK and jalv in it: `jalv(period)`; returns both."""
    # Else it writes to a file only now and then.
    program = [needs_program("stdbuf"), "-oL", needs_program("jalv")]
    started = []

    def start(period: int = PERIOD):
        server = jack(period)
        host = Jalv(program, server, plugin.lv2_folder, tmp_path / "jalv.log")
        started.append(host)
        wait_until(lambda: "plug:mix_left" in server.run("jack_lsp"), "jalv")
        return server, host

    yield start
    for host in started:
        host.stop()


@pytest.fixture
def start_track(tmp_path):
    """Plays and records through jalv; ends with the test."""
    started = []

    def start(server, out: Path) -> subprocess.Popen:
        command = [sys.executable, HERE / "jack_track.py", "plug", out]
        pipe = subprocess.PIPE
        track = subprocess.Popen(
            command, env=server.environment, stdin=pipe, stdout=pipe, text=True
        )
        started.append(track)
        assert track.stdout.readline() == "playing\n"
        return track

    yield start
    for track in started:
        track.kill()
        track.wait()
        track.stdin.close()
        track.stdout.close()


def gains_of(played: np.ndarray, heard: np.ndarray, delay: int, size: int) -> np.ndarray:
    """Gain of each stretch, NaN where what is heard is not what was played just `delay` before."""
    count = (heard.shape[1] - delay) // size
    then = played[:, : count * size].reshape(2, count, size)
    now = heard[:, delay : delay + count * size].reshape(2, count, size)
    gains = (then * now).sum((0, 2)) / (then * then).sum((0, 2))
    rest = now - gains[:, None] * then
    bad = np.sqrt((rest**2).sum((0, 2)) / (then**2).sum((0, 2))) > 0.2
    return np.where(bad, np.nan, gains)


def test_the_delay_never_moves_and_the_sound_never_stops(
    jalv, start_track, serve, tmp_path, wait_until, latency_of
):
    pytest.importorskip("jack", reason="JACK-Client is not installed")
    server, host = jalv()
    latency = re.search(
        r"plug:mix_left\n\s+port playback latency = \[ (\d+)", server.run("jack_lsp", "-l")
    )
    assert int(latency[1]) == latency_of(PERIOD)
    track = start_track(server, tmp_path / "track.npz")
    time.sleep(0.5)  # absent

    def plays() -> bool:
        return host.ask("status") == 2

    def is_alone() -> bool:
        return host.ask("status") == 0

    first = serve()  # started late
    wait_until(plays, "the first server")
    time.sleep(0.4)
    os.kill(first.engine_pid, signal.SIGKILL)  # the engine dies and comes back
    time.sleep(1.5)
    first.kill()  # the server dies, too
    wait_until(is_alone, "the plugin to notice")
    second = serve()
    wait_until(plays, "the second server")
    os.kill(second.pid, signal.SIGSTOP)
    os.kill(second.engine_pid, signal.SIGSTOP)  # both hang for a while
    time.sleep(0.3)
    os.kill(second.engine_pid, signal.SIGCONT)
    os.kill(second.pid, signal.SIGCONT)
    time.sleep(0.3)
    second.stop()
    wait_until(is_alone, "the plugin to be alone")
    time.sleep(0.3)
    track.stdin.close()
    assert track.wait(30) == 0
    saved = np.load(tmp_path / "track.npz")
    played, heard = saved["played"], saved["heard"]
    # A loop through JACK is a period longer; and the graph's first cycles may be without us.
    gains = gains_of(played, heard, latency_of(PERIOD) + PERIOD, 64)[200:]
    wet, dry = np.abs(gains - (1 - DRUMS)) < 1e-3, np.abs(gains - 1) < 1e-3
    assert wet.sum() > 500
    assert dry.sum() > 500
    # The rest are fades of 64 frames, each in one or two of these stretches.
    changes = np.flatnonzero(np.diff(wet[wet | dry].astype(int)))
    assert len(changes) >= 6
    assert (~wet & ~dry).sum() <= 2 * len(changes)
    assert np.abs(heard).max() < 1.5 * np.abs(played).max()


def test_the_plugin_takes_its_memory_along(jalv):
    _server, host = jalv()
    pattern = f"stemwire-{host.process.pid}-*"
    assert len(list(MEMORY.glob(pattern))) == 1
    host.stop()
    assert list(MEMORY.glob(pattern)) == []
