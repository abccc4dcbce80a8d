"""A real browser for the tests: headless Chromium, spoken to over the pipes of its own protocol."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from plugin_host.board import Board
from plugin_host.osc.datagram import build, parse, unpack
from plugin_host.web.server import WebServer, start_web

STEMS = ("drums", "bass", "piano", "strings", "other")
_SECONDS = 30.0
_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")

# Chromium reads commands from descriptor 3 and writes answers to 4.
_LAUNCH = """
import os, sys
for inherited, wanted in ((int(sys.argv[1]), 3), (int(sys.argv[2]), 4)):
    os.dup2(inherited, wanted)
os.execvp(sys.argv[3], sys.argv[3:])
"""
_FLAGS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-first-run",
    "--no-sandbox",  # in containers, tests are root
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--mute-audio",
    "--hide-scrollbars",
)


class Browser:
    """A Chromium of its own profile; see https://chromedevtools.github.io/devtools-protocol/."""

    def __init__(self, program: str, profile: Path) -> None:
        read_commands, self._commands = _above_four(*os.pipe())
        self._answers, write_answers = _above_four(*os.pipe())
        flags = (*_FLAGS, f"--user-data-dir={profile}")
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                _LAUNCH,
                str(read_commands),
                str(write_answers),
                program,
                *flags,
            ],
            pass_fds=(read_commands, write_answers),
            stderr=subprocess.DEVNULL,
        )
        os.close(read_commands)
        os.close(write_answers)
        self._waiting: dict[int, queue.SimpleQueue[dict[str, Any]]] = {}
        self._pages: dict[str, Page] = {}
        self._number = 0
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def call(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        answer = self._waiting[self._number] = queue.SimpleQueue()
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        result = answer.get(timeout=_SECONDS)
        assert "error" not in result, f"{method}: {result}"
        return result["result"]

    def open(self, url: str, width: int = 1280, height: int = 800, touch: bool = False) -> Page:
        """Opens a page in a window of its own, which shares nothing with others."""
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", url="about:blank", browserContextId=context)
        attached = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        page = self._pages[attached["sessionId"]] = Page(self, attached["sessionId"], context)
        page.size(width, height, touch)
        for domain in ("Runtime", "Log", "Page", "Accessibility", "Network"):
            page.call(f"{domain}.enable")
        page.call("Page.navigate", url=url)
        return page

    def close(self) -> None:
        with suppress(OSError):
            os.write(self._commands, b'{"id": 0, "method": "Browser.close"}\0')
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._commands)
        self._thread.join()
        os.close(self._answers)

    def _read(self) -> None:
        rest = b""
        while chunk := os.read(self._answers, 1 << 20):
            *whole, rest = (rest + chunk).split(b"\0")
            for text in whole:
                message = json.loads(text)
                if "id" in message:
                    answer = self._waiting.pop(message["id"], None)
                    if answer is not None:
                        answer.put(message)
                elif (page := self._pages.get(message.get("sessionId", ""))) is not None:
                    page.heard.append(message)


class Page:
    """One page. `heard` is what the browser has told of it."""

    def __init__(self, browser: Browser, session: str, context: str) -> None:
        self._browser = browser
        self._session = session
        self._context = context
        self.heard: list[dict[str, Any]] = []

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._browser.call(method, self._session, **parameters)

    def close(self) -> None:
        self._browser.call("Target.disposeBrowserContext", browserContextId=self._context)

    def size(self, width: int, height: int, touch: bool = False) -> None:
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=2 if touch else 1,
            mobile=touch,
        )
        self.call("Emulation.setTouchEmulationEnabled", enabled=touch)

    def run(self, script: str) -> Any:
        """Returns what a JavaScript expression gives; a promise is waited for."""
        answer = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, script: str) -> Any:
        """Waits until an expression is true."""
        return until(lambda: self.run(script), script)

    def wait_for_mixer(self, stems: int = len(STEMS)) -> None:
        self.wait(
            f"document.querySelectorAll('.strip').length === {stems + 1} && "
            "document.querySelector('#state').dataset.state !== 'lost' && "
            "document.querySelector('.readout').textContent !== ''"
        )

    def slider(self, name: str) -> Slider:
        return Slider(self, f"[role=slider][aria-label={json.dumps(name)}]")

    def box(self, selector: str) -> dict[str, float]:
        return self.run(
            f"(() => {{ const b = document.querySelector({json.dumps(selector)})"
            ".getBoundingClientRect(); return {x: b.x, y: b.y, width: b.width, height: b.height}"
            "})()"
        )

    def click(self, selector: str) -> None:
        box = self.box(selector)
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        for kind in ("mousePressed", "mouseReleased"):
            self.mouse(kind, x, y, button="left", clickCount=1)

    def mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def touch(self, kind: str, *points: tuple[float, float]) -> None:
        touches = [{"x": x, "y": y} for x, y in points]
        self.call("Input.dispatchTouchEvent", type=kind, touchPoints=touches)

    def key(self, key: str, shift: bool = False) -> None:
        number = {"Tab": 9, "Enter": 13, " ": 32, "PageUp": 33, "PageDown": 34, "End": 35}
        number |= {"Home": 36, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
        code = number.get(key, ord(key.upper()) if len(key) == 1 else 0)
        fields = {"key": key, "windowsVirtualKeyCode": code, "modifiers": 8 if shift else 0}
        text = {"Enter": "\r", " ": " "}.get(key, key if len(key) == 1 else "")
        self.call(
            "Input.dispatchKeyEvent", type="keyDown", **fields, **({"text": text} if text else {})
        )
        self.call("Input.dispatchKeyEvent", type="keyUp", **fields)

    def screenshot(self, path: Path) -> None:
        data = self.call("Page.captureScreenshot", format="png")["data"]
        path.write_bytes(base64.b64decode(data))

    def faults(self) -> list[str]:
        """What the browser has complained of: exceptions, policy, files that are not there."""
        found = []
        for message in self.heard:
            details = message["params"]
            if message["method"] == "Runtime.exceptionThrown":
                found.append(str(details["exceptionDetails"]))
            elif message["method"] == "Log.entryAdded" and details["entry"]["level"] == "error":
                found.append(f"{details['entry']['text']} {details['entry'].get('url', '')}")
            elif message["method"] == "Runtime.consoleAPICalled" and details["type"] in (
                "error",
                "warning",
            ):
                found.append(str(details["args"]))
        return found


class Slider:
    """A fader or a pan on a page."""

    def __init__(self, page: Page, selector: str) -> None:
        self._page = page
        self.selector = selector

    @property
    def value(self) -> float:
        return float(self.attribute("aria-valuenow"))

    def attribute(self, name: str) -> str:
        return self._page.run(
            f"document.querySelector({json.dumps(self.selector)}).getAttribute('{name}')"
        )

    def focus(self) -> None:
        self._page.run(f"document.querySelector({json.dumps(self.selector)}).focus()")

    def cap(self) -> tuple[float, float]:
        box = self._page.box(f"{self.selector} .cap")
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


class Socket:
    """A client over a WebSocket. It reads only while it is asked to."""

    def __init__(self, url: str, **options: Any) -> None:
        self._loop = asyncio.new_event_loop()
        self._session = self._wait(_session())
        try:
            self._link = self._wait(self._session.ws_connect(url, **options))
        except aiohttp.ClientError:
            self._end()
            raise
        self.port = self._link.get_extra_info("sockname")[1]
        self._pings = 0

    @property
    def origin(self) -> str:
        return f"web 127.0.0.1:{self.port}"

    @property
    def is_closed(self) -> bool:
        return self._link.closed

    def _wait(self, coroutine: Any, seconds: float = _SECONDS) -> Any:
        return self._loop.run_until_complete(asyncio.wait_for(coroutine, seconds))

    def send(self, path: str, *values: Any) -> None:
        self.send_raw(build(path, values))

    def send_raw(self, packet: bytes) -> None:
        self._wait(self._link.send_bytes(packet))

    def command(self, name: str, data: Any) -> None:
        self.say(json.dumps({"COMMAND": name, "DATA": data}))

    def say(self, text: str) -> None:
        self._wait(self._link.send_str(text))

    def receive(self, seconds: float = _SECONDS) -> Any:
        """The next message: (address, values) of OSC, a dict of JSON, None at the end."""
        message = self._wait(self._link.receive(), seconds)
        if message.type == aiohttp.WSMsgType.BINARY:
            [packet] = unpack(message.data)
            return parse(packet.data)
        return json.loads(message.data) if message.type == aiohttp.WSMsgType.TEXT else None

    def until(self, wanted: Callable[[Any], bool]) -> list[Any]:
        """All that comes, up to and with what is wanted."""
        heard = [self.receive()]
        while not wanted(heard[-1]):
            assert heard[-1] is not None, "the connection has ended"
            heard.append(self.receive())
        return heard

    def until_pong(self) -> list[Any]:
        """All that has come up to now, and nothing that comes later."""
        self._pings += 1
        self.send("/stemwire/ping", self._pings)
        return self.until(lambda message: message == ("/stemwire/pong", (self._pings,)))[:-1]

    def ask(self, path: str, *values: Any) -> list[Any]:
        """The answers to one message."""
        self.send(path, *values)
        return self.until_pong()

    def close(self) -> None:
        self._wait(self._link.close())
        self._end()

    def _end(self) -> None:
        self._wait(self._session.close())
        self._loop.close()


async def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession()


def _above_four(*descriptors: int) -> tuple[int, int]:
    """Returns pipes under numbers that do not get in the way of 3 and 4."""
    import fcntl

    first, second = (fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 10) for number in descriptors)
    for number in descriptors:
        os.close(number)
    return first, second


def until(condition: Callable[[], Any], what: object = "") -> Any:
    """Waits until something is true; returns it."""
    end = time.monotonic() + _SECONDS
    while not (result := condition()):
        assert time.monotonic() < end, f"it did not happen in time: {what}"
        time.sleep(0.02)
    return result


@pytest.fixture(name="until")
def _until() -> Callable[..., Any]:
    return until


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEMWIRE_PRESETS", str(tmp_path / "presets"))
    monkeypatch.setenv("STEMWIRE_MODELS", str(tmp_path / "models"))


@pytest.fixture
def board() -> Iterator[Board]:
    with Board(STEMS, "default") as board:
        yield board


@pytest.fixture
def server(board: Board) -> Iterator[WebServer]:
    with start_web(board, port=0, osc_port=9130, is_announced=False) as server:
        yield server


@pytest.fixture
def connect(server: WebServer) -> Iterator[Callable[..., Socket]]:
    """Opens a WebSocket: `connect(headers=...)`."""
    opened: list[Socket] = []

    def open_one(**options: Any) -> Socket:
        opened.append(Socket(server.url, **options))
        return opened[-1]

    yield open_one
    for client in opened:
        client.close()


@pytest.fixture(scope="session")
def _browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Browser]]:
    started: list[Browser] = []
    yield started
    for browser in started:
        browser.close()


@pytest.fixture
def browser(
    _browser: list[Browser],
    needs_program: Callable[[str], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Browser:
    """One browser for all tests; each opens pages of its own."""
    if not _browser:
        program = next(filter(None, map(shutil.which, _PROGRAMS)), "") or needs_program("chromium")
        _browser.append(Browser(program, tmp_path_factory.mktemp("profile")))
    return _browser[0]


@pytest.fixture
def open_mixer(browser: Browser, server: WebServer) -> Iterator[Callable[..., Page]]:
    """Opens the mixer: `open_mixer(width, height, touch)`; faults of the page fail the test."""
    opened: list[Page] = []

    def open_one(width: int = 1280, height: int = 800, touch: bool = False) -> Page:
        page = browser.open(server.url, width, height, touch)
        opened.append(page)
        page.wait_for_mixer()
        return page

    yield open_one
    faults = [fault for page in opened for fault in page.faults()]
    for page in opened:
        page.close()
    assert not faults, faults
