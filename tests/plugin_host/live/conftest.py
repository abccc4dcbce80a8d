"""Real parts for live tests: a JACK server of the test's own, and `stemwire serve` beside it."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = (
    60.0  # seconds; the machine may be busy, and nothing here waits that long when all is well
)
MEMORY = Path("/dev/shm")

Event = dict[str, Any]


def _wait_until(condition: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """Polls until something is true; returns it."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    pytest.fail(f"{what}: not within {seconds:.0f} s")


class Graph:
    """A JACK graph that runs in this test alone; the tools of JACK that look at it.

    `environment` and `prefix` bring a command into it.
    """

    environment: dict[str, str]
    prefix: tuple[str, ...] = ()

    def run(self, *command: str) -> str:
        """Runs a JACK tool; returns what it prints."""
        done = subprocess.run(
            [*self.prefix, *command],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout

    def connect(self, source: str, sink: str) -> None:
        """Connects two ports as soon as both are there."""
        self.wait_until(lambda: {source, sink} <= set(self.connections()), f"{source}, {sink}")
        self.run("jack_connect", source, sink)
        self.wait_until(lambda: sink in self.connections()[source], f"{source} -> {sink}")

    def disconnect(self, source: str, sink: str) -> None:
        self.run("jack_disconnect", source, sink)
        self.wait_until(lambda: sink not in self.connections()[source], f"{source} -/> {sink}")

    def connections(self) -> dict[str, list[str]]:
        """What each port is connected to."""
        found: dict[str, list[str]] = {}
        port = ""
        for line in self.run("jack_lsp", "-c").splitlines():
            if line.startswith(" "):
                found[port].append(line.strip())
            else:
                port = line
                found[port] = []
        return found

    def wait_until(self, condition: Callable[[], Any], what: str) -> None:
        _wait_until(condition, what)

    @contextmanager
    def round_trips(self, jack_iodelay: str) -> Iterator[list[int]]:
        """Measures through Stemwire for as long as the `with` block runs; gives frames."""
        measuring = subprocess.Popen(
            [*self.prefix, "stdbuf", "-oL", jack_iodelay],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        frames: list[int] = []

        def read() -> None:
            for line in measuring.stdout:
                found = re.match(r"\s*([\d.]+) frames", line)
                frames.extend([round(float(found[1]))] if found else [])

        reader = threading.Thread(target=read)
        reader.start()
        try:
            self.connect("jack_delay:out", "stemwire:in_1")
            self.connect("stemwire:mix_1", "jack_delay:in")
            yield frames
        finally:
            measuring.terminate()
            measuring.wait()
            reader.join()
            measuring.stdout.close()


class Server(Graph):
    """`jackd` with the dummy driver, under a name of its own."""

    def __init__(self, jackd: str, log: Path) -> None:
        self._jackd = jackd
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self.name = f"stemwire-test-{secrets.token_hex(3)}"
        self.environment = {**os.environ, "JACK_DEFAULT_SERVER": self.name}

    def start(
        self,
        sample_rate: int = 44_100,
        period: int = 256,
        *driver: str,
        is_synchronous: bool = False,
    ) -> None:
        """Starts it; a synchronous one waits for clients that are late, and skips no block."""
        waits = ["-S"] if is_synchronous else []
        command = [self._jackd, "-n", self.name, "-r", *waits, "-d", "dummy", *driver]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "-r", str(sample_rate), "-p", str(period)], stdout=log, stderr=log
            )
        self.wait_until(lambda: "system:playback_1" in self.run("jack_lsp"), "the JACK server")

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Ends the server; a killed one is remembered by libjack, which remembers eight at most."""
        if self._process is not None:
            end(self._process, number)
            self._process = None

    def sweep(self) -> None:
        """Removes what libjack leaves of clients that outlived their server."""
        for left in MEMORY.glob(f"jack_sem.*_{self.name}_*"):
            left.unlink(missing_ok=True)


class PipeWire(Graph):
    """PipeWire without a device, and its session manager, in a world of their own."""

    def __init__(self, programs: Sequence[str], folder: Path, log: Path) -> None:
        self._programs = programs
        self._log = log
        self._processes: list[subprocess.Popen[bytes]] = []
        self.prefix = ("pw-jack",)
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if name not in ("DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "JACK_DEFAULT_SERVER")
        }
        self.environment["XDG_RUNTIME_DIR"] = self.environment["HOME"] = str(folder)

    def start(self) -> None:
        with self._log.open("ab") as log:
            for program in self._programs:
                self._processes.append(
                    subprocess.Popen([program], env=self.environment, stdout=log, stderr=log)
                )
                self.wait_until(lambda: "id 0," in self.run("pw-cli", "list-objects"), program)

    def set_block_size(self, frames: int) -> None:
        self.run("pw-metadata", "-n", "settings", "0", "clock.force-quantum", str(frames))

    def stop(self) -> None:
        while self._processes:
            end(self._processes.pop(), signal.SIGTERM)


def end(process: subprocess.Popen[Any], number: int) -> None:
    """Ends a process by a signal, and surely."""
    process.send_signal(number)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Live:
    """`stemwire serve --json`, its events and its end."""

    def __init__(
        self, arguments: list[str], environment: dict[str, str], prefix: Sequence[str]
    ) -> None:
        self.events: list[Event] = []
        self._news = threading.Condition()
        self._reads = True
        self._has_ended = False
        self.process = subprocess.Popen(
            [*prefix, sys.executable, "-m", "plugin_host", "serve", "--json", *arguments],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        while self._reads and (line := self.process.stdout.readline()):
            with self._news:
                self.events.append({"at": time.monotonic(), **json.loads(line)})
                self._news.notify_all()
        with self._news:
            self._has_ended = True
            self._news.notify_all()

    def wait_for(self, event: str, after: int = 0, **fields: Any) -> Event:
        """Returns the first event of that kind with those fields, of those from `after` on."""

        def found() -> Event | None:
            for candidate in self.events[after:]:
                if candidate["event"] == event and fields.items() <= candidate.items():
                    return candidate
            return None

        with self._news:
            self._news.wait_for(lambda: found() or self._has_ended, PATIENCE)
            seen = found()
        if seen is None:
            self.process.kill()
            said = [{k: v for k, v in e.items() if k != "meters"} for e in self.events[-5:]]
            pytest.fail(f"no event {event} {fields}: {said} {self.process.stderr.read()}")
        return seen

    def next_status(self) -> Event:
        return self.wait_for("status", after=len(self.events))

    def send(self, **command: Any) -> None:
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()

    def children(self) -> list[int]:
        """The processes that it has started."""
        return [pid for pid in _pids() if _parent(pid) == self.process.pid]

    def child(self, module: str) -> int:
        """The one that runs a module."""
        [pid] = [p for p in self.children() if module in _command(p)]
        return pid

    def segments(self) -> list[Path]:
        """Its shared memory."""
        return list(MEMORY.glob(f"stemwire-{self.process.pid}-*"))

    def stop_reading(self) -> None:
        """Closes the pipe from which its events are read."""
        self._reads = False
        self._reader.join()
        self.process.stdout.close()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ends it; returns the exit code."""
        self.process.send_signal(number)
        return self.finish()

    def finish(self) -> int:
        """Waits for its end; returns the exit code."""
        code = self.process.wait(PATIENCE)
        self._reader.join()
        return code


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _parent(pid: int) -> int:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    state, parent = stat.rpartition(")")[2].split()[:2]
    return 0 if state == "Z" else int(parent)


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def is_running(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    return _parent(pid) != 0


@pytest.fixture
def wait_until() -> Callable[..., Any]:
    """Polls until something is true: `wait_until(lambda: ..., "what")`."""
    return _wait_until


@pytest.fixture
def jack_server(needs_program, tmp_path) -> Iterator[Server]:
    """A JACK server, not started yet."""
    server = Server(needs_program("jackd"), tmp_path / "jackd.log")
    yield server
    server.stop()
    server.sweep()


@pytest.fixture
def pipewire(needs_program, tmp_path) -> Iterator[PipeWire]:
    """PipeWire, not started yet."""
    programs = [needs_program(name) for name in ("pipewire", "wireplumber")]
    needs_program("pw-jack")
    with tempfile.TemporaryDirectory(prefix="pw-") as folder:  # sockets want short paths
        graph = PipeWire(programs, Path(folder), tmp_path / "pipewire.log")
        yield graph
        graph.stop()


@pytest.fixture
def live(small_model) -> Iterator[Callable[..., Live]]:
    """Starts `stemwire serve` with the small model, in a graph or without; nothing may be left."""
    started: list[Live] = []

    def start(*arguments: object, graph: Graph | None = None) -> Live:
        model = () if "--model" in arguments else ("--model", small_model)
        command = [str(argument) for argument in (*arguments, *model)]
        environment = dict(os.environ) if graph is None else graph.environment
        started.append(Live(command, environment, () if graph is None else graph.prefix))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.stop()
        one.process.stdin.close()
        one.process.stderr.close()
        one.process.stdout.close()
    for one in started:
        assert _wait_until(lambda one=one: not one.segments(), "the shared memory's end", 5.0)
        assert _wait_until(lambda one=one: not one.children(), "the children's end", 5.0)


class Tester:
    """A JACK client that plays a signal into Stemwire and keeps all that comes back.

    Sound comes back one period late, because the two clients form a loop: that is the graph's own.
    """

    def __init__(
        self, server: Server, sound: np.ndarray, outputs: Sequence[str], *, connects: bool = True
    ) -> None:
        jack = pytest.importorskip("jack")
        self._sound = sound  # (channels, frames)
        self._place = 0
        self._rewinds = False
        self.heard: list[np.ndarray] = []  # (outputs, frames) each
        self.client = jack.Client("tester", servername=server.name, no_start_server=True)
        inports, outports = self.client.inports, self.client.outports
        self._sources = [outports.register(f"out_{n + 1}") for n in range(len(sound))]
        self._sinks = [inports.register(f"in_{n + 1}") for n in range(len(outputs))]
        self.client.set_process_callback(self._process)
        self.client.activate()
        if not connects:
            return
        for number, source in enumerate(self._sources, 1):
            self.client.connect(source, f"stemwire:in_{number}")
        for sink, output in zip(self._sinks, outputs, strict=True):
            self.client.connect(f"stemwire:{output}", sink)

    def _process(self, frames: int) -> None:
        if self._rewinds:
            self._place = 0
            self.heard.clear()
            self._rewinds = False
        part = self._sound[:, self._place : self._place + frames]
        for port, channel in zip(self._sources, part, strict=True):
            port.get_array()[:] = 0.0
            port.get_array()[: len(channel)] = channel
        self.heard.append(np.stack([port.get_array() for port in self._sinks]))
        self._place += frames

    def rewind(self) -> None:
        """Plays the sound from its beginning, and forgets what was heard."""
        self._rewinds = True
        _wait_until(lambda: not self._rewinds, "the next block")

    def listen(self, frames: int) -> np.ndarray:
        """Waits until so many frames were heard since the last rewind; returns them."""
        _wait_until(lambda: sum(part.shape[1] for part in self.heard) >= frames, "sound")
        return np.concatenate(list(self.heard), axis=1)[:, :frames]

    def close(self) -> None:
        self.client.deactivate()
        self.client.close()


@pytest.fixture
def needs_portaudio() -> None:
    """Skips without PortAudio, and fails in CI."""
    try:
        import sounddevice  # noqa: F401
    except OSError:
        reason = "PortAudio is not installed (see tests/system-packages.sh)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture
def tester() -> Iterator[Callable[..., Tester]]:
    """Starts a `Tester`."""
    started: list[Tester] = []

    def start(server: Server, sound: np.ndarray, outputs: Sequence[str], **how: bool) -> Tester:
        started.append(Tester(server, sound, outputs, **how))
        return started[-1]

    yield start
    for one in started:
        one.close()
