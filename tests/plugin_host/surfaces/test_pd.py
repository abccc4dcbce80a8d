"""The patch for Pure Data runs in a real Pd, and everything in it turns and follows."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from plugin_host.board import SAVED, Board
from plugin_host.osc.address import Address
from plugin_host.osc.addresses import AddressTable
from plugin_host.osc.server import OscOptions, OscServer
from plugin_host.surfaces import make_surfaces
from plugin_host.surfaces.plan import Plan, Target, limits, plan

STEMS = ("drums", "bass", "other")


class Pd:
    """A Pd with the patch, and a driver beside it: it sends to names, and prints what names get."""

    def __init__(self, program: str, folder: Path, osc_port: int, shown: Plan) -> None:
        patch = next(
            s.text
            for s in make_surfaces(STEMS, Target("127.0.0.1", osc_port))
            if s.name == "stemwire.pd"
        )
        (folder / "stemwire.pd").write_text(patch)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        told = [address for address in shown.table if address.read is not None]
        (folder / "driver.pd").write_text(_driver(port, [a.path[1:] for a in told]))
        self.lines: list[str] = []
        self._process = subprocess.Popen(
            [program, "-nogui", "-noaudio", "-stderr", "driver.pd", "stemwire.pd"],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self._link = _connect(port)

    def _read(self) -> None:
        for line in self._process.stderr:
            self.lines.append(line.strip())

    def send(self, name: str, *words: object) -> None:
        """Sends something to a name, as an object in a patch does."""
        said = " ".join(str(word) for word in words)
        self._link.sendall(f"turn {name} {said};\n".encode())

    def last(self, name: str) -> str:
        """What a name was sent last."""
        found = [line for line in self.lines if line.startswith(f"{name}/is: ")]
        return found[-1].partition(": ")[2] if found else ""

    def close(self) -> None:
        self._link.close()
        self._process.kill()
        self._process.wait()
        self._reader.join()
        self._process.stderr.close()


def _driver(port: int, names: list[str]) -> str:
    lines = [
        "#N canvas 0 0 400 400 12;",
        f"#X obj 10 10 netreceive {port};",
        "#X obj 10 40 route turn;",
        "#X obj 10 70 list;",
        "#X msg 10 100 \\; \\$1 \\$2;",
        *("#X connect 0 0 1 0;", "#X connect 1 0 2 0;", "#X connect 2 0 3 0;"),
    ]
    for number, name in enumerate(names):
        at = 4 + 2 * number
        lines += [
            f"#X obj 10 {100 + 20 * number} r {name}/is;",
            f"#X obj 90 {100 + 20 * number} print {name}/is;",
            f"#X connect {at} 0 {at + 1} 0;",
        ]
    return "\n".join([*lines, ""])


def _connect(port: int) -> socket.socket:
    end = time.monotonic() + 20
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            assert time.monotonic() < end, "Pd does not start"
            time.sleep(0.05)


def _until(condition: Callable[[], object], what: object = "") -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, f"it did not happen in time: {what}"
        time.sleep(0.01)


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Board]:
    monkeypatch.setenv("STEMWIRE_PRESETS", str(tmp_path / "presets"))
    with Board(STEMS, "default") as board:
        yield board


@pytest.fixture
def shown() -> Plan:
    return plan(AddressTable(STEMS))


@pytest.fixture
def pd(
    board: Board, shown: Plan, tmp_path: Path, needs_program: Callable[[str], str]
) -> Iterator[Pd]:
    with OscServer(board, OscOptions(port=0)) as server:
        pd = Pd(needs_program("pd"), tmp_path, server.port, shown)
        try:
            _until(lambda: pd.last("stemwire/bypass"), pd.lines)  # it has subscribed
            yield pd
        finally:
            pd.close()


def test_all_that_can_be_read_comes_by_itself(pd, board, shown):
    names = {a.path[1:] for a in shown.table if a.read is not None} - {"stemwire/preset/list"}
    _until(lambda: all(pd.last(name).startswith("set") for name in names), names)
    assert not [line for line in pd.lines if "error" in line or "couldn't" in line]


def test_each_control_turns_the_engine_and_follows_others(pd, board, shown):
    for address in shown.controls:
        if address.is_trigger:
            _goes_off(pd, board, address)
        else:
            _turns(pd, board, address)
            _follows(pd, board, address)


def _goes_off(pd: Pd, board: Board, address: Address) -> None:
    before = board.get(address.shows)
    pd.send(address.path[1:], 1)
    _until(lambda: board.get(address.shows) != before, address.path)


def _turns(pd: Pd, board: Board, address: Address) -> None:
    low, high = limits(address)
    wanted = high if address.tags == "i" else low + 0.6 * (high - low)
    pd.send(f"{address.path[1:]}/is", wanted)  # as a hand does it: it moves, and tells
    _until(lambda: address.read(board)[0] == pytest.approx(wanted, abs=0.02), address.path)


def _follows(pd: Pd, board: Board, address: Address) -> None:
    name = address.path[1:]
    value = 0.25 if address.tags == "f" else 0.0
    board.set(address.shows, value)
    wanted = pytest.approx(address.read(board)[0], abs=1e-3)
    # "set" shows a value, and does not send it again
    _until(lambda: pd.last(name).startswith("set ") and float(pd.last(name)[4:]) == wanted, name)
    if address.tags == "f":
        pd.send(f"{name}/is", "bang")  # it tells where it stands
        time.sleep(0.05)
    assert board.get(address.shows) == pytest.approx(value, abs=0.01), name


def test_commands_take_names(pd, board):
    told = []
    board.subscribe(lambda *news: told.append(news))
    pd.send("stemwire/preset/save", "verse")
    _until(lambda: any(name == SAVED and value == "verse" for name, value, _ in told))


def test_meters_and_state_are_shown(pd, board):
    _until(lambda: pd.last("stemwire/status/state") == "set waiting")
    _until(lambda: pd.last("stemwire/stem/drums/meter") == "set -100 -100")
    assert pd.last("stemwire/model") == "set default"
