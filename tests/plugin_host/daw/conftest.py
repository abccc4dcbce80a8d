"""The plugin, built once, a song, servers that can be killed, and hosts that run in processes.

A host runs in a process of its own: some of them cannot be loaded side by side, and none of them
shall take the tests along when it crashes.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from engine.separator import Separator

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
SOURCES = ROOT / "plugin_host" / "daw_plugin"
DPF = Path("/usr/share/dpf")
CORE = ("segment", "exchange", "starter", "instance")
RATE = 44_100
PATIENCE = 30.0
MODEL_LATENCY = 64
"""Frames that the bundled and the small model take at 44.1 kHz."""


@pytest.fixture(scope="session")
def latency_of() -> Callable[[int], int]:
    """What the plugin tells its host at 44.1 kHz: `latency_of(block)`."""
    return lambda block: MODEL_LATENCY + 63 + block


def _missing(reason: str) -> None:
    """Skips, or fails in CI, where everything has to be there."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def _wait_until(is_true: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    until = time.monotonic() + patience
    while time.monotonic() < until:
        if found := is_true():
            return found
        time.sleep(0.02)
    return pytest.fail(f"waited {patience:.0f} s for {what}")


@pytest.fixture(scope="session")
def wait_until() -> Callable[..., Any]:
    """Polls until something is true: `wait_until(lambda: ..., "what")`."""
    return _wait_until


@dataclass(frozen=True)
class Plugin:
    """Where the built plugin lies."""

    out: Path

    @property
    def vst3(self) -> Path:
        return self.out / "vst3" / "Stemwire.vst3"

    @property
    def clap(self) -> Path:
        return self.out / "clap" / "Stemwire.clap"

    @property
    def lv2_folder(self) -> Path:
        return self.out / "lv2"


@pytest.fixture(scope="session")
def make_plugin(tmp_path_factory) -> Callable[..., Path]:
    """Runs the plugin's Makefile: `make_plugin("windows", OUT=...)`; returns where it built."""
    if not shutil.which("g++") or not shutil.which("make"):
        _missing("g++ and make are not installed")
    if not DPF.is_dir():
        _missing("dpf-source is not installed")

    def make(*goals: str, out: Path | None = None, **variables: str) -> Path:
        out = out or tmp_path_factory.mktemp("plugin")
        pairs = [f"{name}={value}" for name, value in variables.items()]
        command = ["make", "-j2", "-C", str(SOURCES), f"OUT={out}", *pairs, *goals]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return out

    return make


@pytest.fixture(scope="session")
def plugin(make_plugin) -> Plugin:
    """VST3, CLAP and LV2, built once."""
    return Plugin(make_plugin())


@pytest.fixture(scope="session")
def clap_host(plugin, tmp_path_factory) -> Path:
    """The CLAP host of these tests."""
    program = tmp_path_factory.mktemp("host") / "clap_host"
    subprocess.run(
        ["g++", "-std=c++17", "-O1", "-Wall", "-Wextra", "-Werror", "-isystem"]
        + [
            str(DPF / "distrho/src"),
            str(HERE / "clap_host.cpp"),
            "-ldl",
            "-pthread",
            "-o",
            program,
        ],
        check=True,
    )
    return program


@pytest.fixture
def make_program(plugin, tmp_path) -> Callable[[str], Path]:
    """Builds a program over the plugin's core: `make_program("int main() ...")`."""

    def make(text: str) -> Path:
        source, program = tmp_path / "program.cpp", tmp_path / "program"
        source.write_text(textwrap.dedent(text))
        core = [plugin.out / "objects" / f"{name}.o" for name in CORE]
        subprocess.run(
            ["g++", "-std=c++17", f"-I{SOURCES}", source, *core, "-pthread", "-o", program],
            check=True,
        )
        return program

    return make


@dataclass(frozen=True)
class Song:
    """A piece of music and what the offline command makes of it.

    Attributes:
        audio: float32 `(channels, frames)`.
        stems: the same, one more axis in front, from the bundled model.
    """

    audio: np.ndarray
    stems: np.ndarray

    def mix(self, **gains: float) -> np.ndarray:
        """The sum of the stems, with some of them at another gain."""
        names = ("drums", "bass", "piano", "strings", "other")
        weights = np.array([gains.get(name, 1.0) for name in names], np.float32)
        return np.tensordot(weights, self.stems, 1)


@pytest.fixture(scope="session")
def song() -> Song:
    audio, rate = soundfile.read(
        ROOT / "plugin_host/demo/song.flac", frames=2 * RATE, dtype="float32"
    )
    assert rate == RATE
    audio = np.ascontiguousarray(audio.T)
    separator = Separator.load("default")
    return Song(audio, separator.separate(audio, RATE))


class Server:
    """A process that serves plugins."""

    def __init__(self, model: Path | str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "server.py"), str(model)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.engine_pid = int(self._process.stdout.readline() or 0)
        assert self.engine_pid, "the server does not start"
        self.pid = self._process.pid

    def kill(self) -> None:
        """Ends it without a word."""
        self.stop(signal.SIGKILL)

    def stop(self, number: int | None = None) -> None:
        """Ends it; by a signal or by the end of its input."""
        if number is not None:
            self._process.send_signal(number)
        self._process.stdin.close()
        self._process.wait(PATIENCE)
        self._process.stdout.close()

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None


@pytest.fixture
def serve(small_model) -> Iterator[Callable[..., Server]]:
    """Starts servers: `serve("default")`; none is left at the end."""
    started: list[Server] = []

    def start(model: Path | str = small_model) -> Server:
        started.append(Server(model))
        return started[-1]

    yield start
    for server in started:
        if server.is_running:
            server.stop()


@dataclass(frozen=True)
class Heard:
    """What a host has heard and seen.

    Attributes:
        buses: float32 `(buses, channels, frames)`, the mix first.
        seen: what it says of the plugin.
    """

    buses: np.ndarray
    seen: dict[str, Any]

    @property
    def latency(self) -> int:
        return int(self.seen["latency"])

    def aligned(self, bus: int = 0) -> np.ndarray:
        """A bus without the latency that the plugin has told: `(channels, frames - latency)`."""
        return self.buses[bus, :, self.latency :]


@pytest.fixture
def play_clap(clap_host, plugin, tmp_path) -> Callable[..., Heard]:
    """Plays audio through the CLAP: `play_clap(audio, "--offline")`."""

    def play(audio: np.ndarray, *options: object, prefix: tuple[str, ...] = ()) -> Heard:
        name = tmp_path / secrets.token_hex(4)
        source, target = name.with_suffix(".in"), name.with_suffix(".out")
        source.write_bytes(np.ascontiguousarray(audio.T, np.float32).tobytes())
        words = [str(word) for word in (clap_host, plugin.clap, source, target, *options)]
        done = subprocess.run(
            [*prefix, *words], capture_output=True, text=True, timeout=120, cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
        heard = np.frombuffer(target.read_bytes(), np.float32)
        return Heard(heard.reshape(-1, 9, 2).transpose(1, 2, 0), json.loads(done.stdout))

    return play


@dataclass
class Jack:
    """`jackd` with the dummy driver, under a name of its own."""

    name: str
    process: subprocess.Popen[bytes]
    environment: dict[str, str]

    def run(self, *command: str) -> str:
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True)
        return done.stdout

    def connect(self, source: str, target: str) -> None:
        assert (
            subprocess.run(["jack_connect", source, target], env=self.environment).returncode == 0
        )


@pytest.fixture
def jack(needs_program, tmp_path) -> Iterator[Callable[..., Jack]]:
    """Starts JACK: `jack(period=256)`. It waits for late clients instead of leaving them out."""
    jackd = needs_program("jackd")
    for program in ("jack_connect", "jack_lsp"):
        needs_program(program)
    started: list[Jack] = []

    def start(period: int = 256) -> Jack:
        name = f"stemwire-daw-{secrets.token_hex(3)}"
        command = [jackd, "-n", name, "-r", "-S", "-d", "dummy", "-r", str(RATE), "-p", str(period)]
        with (tmp_path / "jackd.log").open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        server = Jack(name, process, {**os.environ, "JACK_DEFAULT_SERVER": name})
        started.append(server)
        _wait_until(lambda: "system:playback_1" in server.run("jack_lsp"), "the JACK server")
        return server

    yield start
    for server in started:
        server.process.terminate()
        server.process.wait(PATIENCE)


@pytest.fixture
def run_python() -> Callable[..., dict[str, Any]]:
    """Runs a host that is a Python package, in a process; returns the JSON that it prints last."""

    def run(code: str, *arguments: object, **environment: str) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-c", code, *map(str, arguments)],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        lines = [line for line in done.stdout.splitlines() if re.match(r"\s*\{", line)]
        return json.loads(lines[-1])

    return run
