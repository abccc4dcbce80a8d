"""The server beside clients that others have written: liblo's tools, Pure Data, node-osc."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from plugin_host.osc.address import Address
from plugin_host.osc.addresses import AddressTable
from plugin_host.osc.datagram import build, build_bundle
from plugin_host.osc.schedule import timetag_of

GAIN = "/stemwire/stem/drums/gain"
PATCH = Path(__file__).with_name("bridge.pd")
Until = Callable[..., None]


class Program:
    """Runs a program and keeps the lines that it prints."""

    def __init__(self, *command: object, env: dict[str, str] | None = None) -> None:
        self.lines: list[str] = []
        self._process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=env,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        for line in self._process.stdout:
            self.lines.append(line.strip())

    def say(self, line: str) -> None:
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        self._process.stdin.close()
        self._process.stdout.close()


@pytest.fixture
def start() -> Iterator[Callable[..., Program]]:
    programs: list[Program] = []

    def run(*command: object, **options: object) -> Program:
        programs.append(Program(*command, **options))
        return programs[-1]

    yield run
    for program in programs:
        program.close()


def _free_port(kind: int = socket.SOCK_DGRAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _other_value(address: Address) -> float:
    """A value that the address does not have at the start, exact in every number format."""
    argument = address.arguments[0]
    if argument.tag == "i":
        return 1
    return -20.0 if argument.unit == "dB" else 0.25


def _controls(board) -> list[Address]:
    return [at for at in AddressTable(board.stems, board.controls) if at.kind == "control"]


# ---- liblo --------------------------------------------------------------------------------------


@pytest.fixture
def oscsend(needs_program) -> Callable[..., None]:
    program = needs_program("oscsend")

    def send(*arguments: object) -> None:
        subprocess.run([program, *map(str, arguments)], check=True, timeout=30)

    return send


def test_oscsend_reaches_every_control(oscsend, server, board, until: Until):
    for address in _controls(board):
        before = board.get(address.shows)
        value = _other_value(address)
        oscsend("127.0.0.1", server.port, address.path, address.tags, value)
        until(lambda address=address, before=before: board.get(address.shows) != before)
        if not address.is_trigger:
            assert address.read(board) == (pytest.approx(value, abs=1e-4),)


@pytest.mark.parametrize("tag", ["i", "f", "d", "h", "T"])
def test_oscsend_may_send_a_number_in_any_type(oscsend, server, board, until: Until, tag):
    oscsend("127.0.0.1", server.port, "/stemwire/bypass", tag, *([] if tag == "T" else [1]))
    until(lambda: board.get("bypass") == 1)


def test_oscsend_over_tcp(oscsend, server, board, until: Until):
    oscsend(f"osc.tcp://127.0.0.1:{server.port}", GAIN, "f", 0.25)
    until(lambda: board.get("stem/drums/gain") == 0.25)


def test_oscdump_hears_answers_changes_meters_and_errors(
    oscsend, needs_program, start, serve, board, until: Until
):
    port = _free_port()
    server = serve(reply_port=port)
    dump = start(needs_program("oscdump"), "-L", port)

    def heard(text: str) -> bool:
        return any(text in line for line in dump.lines)

    def send(*message: object) -> None:
        oscsend("127.0.0.1", server.port, *message)

    time.sleep(0.3)  # until it listens
    send("/stemwire/subscribe", "sf", "//*", 20)
    for address in AddressTable(board.stems, board.controls):
        if address.read is not None:
            until(lambda path=address.path: any(path in line.split() for line in dump.lines))
    send(GAIN, "f", 0.5)
    until(lambda: heard("stem/drums/gain_db f -6.02"))
    board.set("stem/bass/pan", -0.5)
    until(lambda: heard("stem/bass/pan f -0.500000"))
    send("/stemwire/stem/kazoo/gain", "f", 0.5)
    until(lambda: heard("/stemwire/error ss"))
    tags = {line.split()[2] for line in dump.lines if len(line.split()) > 2}
    assert set("".join(tags)) <= set("ifsb")


# ---- Pure Data ----------------------------------------------------------------------------------


class Pd:
    """Pd with the bridge patch: says what it is told to, and prints what it hears."""

    def __init__(self, program: Program, port: int, until: Until) -> None:
        self._program = program
        self._until = until
        self._link: socket.socket | None = None
        until(lambda: self._dial(port), 20)

    def _dial(self, port: int) -> bool:
        try:
            self._link = socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            return False
        return True

    def command(self, words: str) -> None:
        self._link.sendall(f"{words};\n".encode())

    def connect(self, port: int) -> None:
        self.command(f"server 127.0.0.1 {port}")
        self.hears("connected: 1", "")

    def send(self, path: str, *values: object) -> None:
        self.command(f"path {path[1:].replace('/', ' ')}")
        self.command(" ".join(["values", *map(str, values)]))

    def hears(self, text: str, prefix: str = "heard: list ") -> None:
        self._until(lambda: any(line.startswith(prefix + text) for line in self._program.lines))

    def forget(self) -> None:
        self._program.lines.clear()

    def close(self) -> None:
        self._link.close()


@pytest.fixture
def pd(needs_program, start, until: Until, server) -> Iterator[Pd]:
    port = _free_port(socket.SOCK_STREAM)
    options = ("-nogui", "-noaudio", "-nomidi", "-stderr", "-send", f"bridge-port {port}")
    pd = Pd(start(needs_program("pd"), *options, PATCH), port, until)
    pd.connect(server.port)
    yield pd
    pd.close()


def test_pd_sets_and_asks_every_address(pd: Pd, board, until: Until):
    for address in AddressTable(board.stems, board.controls):
        words = address.path[1:].replace("/", " ")
        if address.kind == "control":
            before = board.get(address.shows)
            value = _other_value(address)
            pd.send(address.path, f"{value:g}")
            until(lambda at=address, before=before: board.get(at.shows) != before)
            board.set(address.shows, before)
        if address.read is not None:
            pd.forget()
            pd.send(address.path)
            pd.hears(words)


def test_pd_subscribes_and_is_told_what_is_wrong(pd: Pd, board):
    pd.send("/stemwire/subscribe", "//gain")
    pd.hears("stemwire stem drums gain 1")
    board.set("stem/drums/gain", 0.125)
    pd.hears("stemwire stem drums gain 0.125")
    pd.send("/stemwire/preset/save", "verse")
    pd.hears("stemwire preset save verse")
    pd.send("/stemwire/stem/drums/gain", "loud")
    pd.hears("stemwire error stem/drums/gain\\ takes\\ a\\ number")


# ---- node-osc -----------------------------------------------------------------------------------

_NODE = """
const { Client, Server } = require('node-osc');
const [port, replyPort] = process.argv.slice(2).map(Number);
const server = new Server(replyPort, '127.0.0.1', () => console.log('{}'));
server.on('message', (m) => console.log(JSON.stringify({ message: m })));
server.on('error', (e) => console.log(JSON.stringify({ error: String(e) })));
const client = new Client('127.0.0.1', port);
require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const [path, ...values] = JSON.parse(line);
  client.send(path, ...values, () => {});
});
"""


@pytest.fixture
def node_osc() -> tuple[str, dict[str, str]]:
    """Node and where it finds node-osc; a machine without Node is let off."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None:
        pytest.skip("node is not installed")
    roots = [os.environ.get("NODE_PATH", "")]
    if npm:
        done = subprocess.run([npm, "root", "-g"], capture_output=True, text=True, check=False)
        roots.append(done.stdout.strip())
    env = {**os.environ, "NODE_PATH": os.pathsep.join(filter(None, roots))}
    check = [node, "-e", "require('node-osc')"]
    if subprocess.run(check, env=env, capture_output=True, check=False).returncode:
        reason = "node-osc is not installed (see tests/system-packages.sh)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return node, env


def test_node_osc_hears_every_answer_and_is_not_crashed_by_any(
    node_osc, start, serve, board, tmp_path, until: Until
):
    node, env = node_osc
    script = tmp_path / "client.js"
    script.write_text(_NODE)
    port = _free_port()
    server = serve(reply_port=port)
    board.counters["osc_messages"] = 2**40  # would be an int64
    program = start(node, script, server.port, port, env=env)
    until(lambda: program.lines, 20)

    def heard() -> list:
        return [json.loads(line).get("message") for line in program.lines]

    program.say(json.dumps(["/stemwire/subscribe", "//*"]))
    paths = {at.path for at in AddressTable(board.stems, board.controls) if at.read is not None}
    until(lambda: paths <= {message[0] for message in heard() if message})
    program.say(json.dumps([GAIN, 0.5]))
    until(lambda: board.get("stem/drums/gain") == 0.5)
    until(lambda: any(m and m[0] == f"{GAIN}_db" and abs(m[1] + 6.02) < 0.01 for m in heard()))
    program.say(json.dumps([GAIN, "loud"]))
    until(lambda: any(m and m[0] == "/stemwire/error" for m in heard()))
    assert not any("error" in json.loads(line) for line in program.lines)
    assert program.is_running, "it has crashed"


# ---- SuperCollider ------------------------------------------------------------------------------

_SCLANG = """
(
var net = NetAddr("127.0.0.1", PORT);
thisProcess.addOSCRecvFunc({ |msg| ("heard " ++ msg).postln });
net.sendMsg("/stemwire/stem/drums/gain", 0.25);
net.sendMsg("/stemwire/stem/drums/gain");
net.sendMsg("/stemwire/subscribe", "//pan");
net.sendBundle(0.2, ["/stemwire/stem/bass/gain", 0.5]);
)
"""


def test_sclang_sets_asks_subscribes_and_sends_bundles_ahead(
    start, server, board, tmp_path, until: Until
):
    sclang = shutil.which("sclang")
    if sclang is None:
        pytest.skip("sclang is not installed; it is large, so it is tried only where it is")
    script = tmp_path / "client.scd"
    script.write_text(_SCLANG.replace("PORT", str(server.port)))
    env = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "QTWEBENGINE_DISABLE_SANDBOX": "1"}
    program = start(sclang, script, env={**env, "HOME": str(tmp_path)})
    until(lambda: f"heard [ {GAIN}, 0.25 ]" in program.lines, 60)
    until(lambda: "heard [ /stemwire/stem/bass/pan, 0.0 ]" in program.lines)
    until(lambda: board.get("stem/bass/gain") == 0.5)


# ---- several at once ----------------------------------------------------------------------------


def test_all_of_them_at_once_follow_one_another(
    oscsend, pd: Pd, needs_program, start, server, connect, board, until: Until
):
    client = connect(server)
    pd.send("/stemwire/subscribe", "//gain")
    pd.hears("stemwire master gain 1")
    client.send("/stemwire/subscribe", "//gain")
    client.hear_until(lambda heard: len(heard) == 5)
    oscsend("127.0.0.1", server.port, GAIN, "f", 0.5)
    pd.hears("stemwire stem drums gain 0.5")
    assert client.receive() == (GAIN, (0.5,))
    pd.send(GAIN, 0.75)
    assert client.receive() == (GAIN, (0.75,))
    bundle = build_bundle([build(GAIN, [0.25])], timetag_of(time.time() + 0.05))
    client.send_raw(bundle)
    pd.hears("stemwire stem drums gain 0.25")
