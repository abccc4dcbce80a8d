"""The mixer in a real browser: what is turned there is turned, and everybody sees it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine import HostConfig
from engine.worker import Exchange, Session
from plugin_host.board import Board
from plugin_host.web.server import WebServer, start_web

_CONTROLS = {"slider", "button", "combobox", "meter"}
_NAMED = _CONTROLS | {"img", "image", "group", "main", "complementary", "heading", "status"}


@pytest.fixture
def session(small_model: Path, board: Board) -> Iterator[Session]:
    """An engine of its own process behind the board."""
    config = HostConfig(44_100, 256, 2)
    with Session.open(small_model, config, fifo_priority=None, direct=True) as session:
        board.connect(session, "small")
        yield session
        board.disconnect()


@pytest.fixture
def play(session: Session) -> Iterator[Callable[[float], None]]:
    """Plays a tone of a level for a few blocks."""
    exchange = Exchange.attach(session.segment_path)
    mix, stems = np.empty((2, 256), np.float32), np.empty((5, 2, 256), np.float32)

    def run(level: float, blocks: int = 60) -> None:
        wave = level * np.sin(2 * np.pi * 10 * np.arange(256) / 256).astype(np.float32)
        for _ in range(blocks):
            exchange.process(np.ascontiguousarray(np.stack([wave, wave])), mix, stems, wait=True)

    yield run
    exchange.close()


def test_a_fader_moves_the_engines_table_and_a_second_browser_follows(open_mixer, session, until):
    ann, ben = open_mixer(), open_mixer(390, 844, touch=True)
    fader = ann.slider("drums gain")
    x, y = fader.cap()
    ann.mouse("mousePressed", x, y, button="left", clickCount=1)
    for step in range(1, 11):
        ann.mouse("mouseMoved", x, y + 12 * step, button="left", buttons=1)
    ann.mouse("mouseReleased", x, y + 120, button="left", clickCount=1)
    shown = fader.value
    assert -40 < shown < -10
    gain = 10 ** (shown / 20)
    until(lambda: session.controls.get("stem/drums/gain") == pytest.approx(gain, rel=0.01))
    until(lambda: ben.slider("drums gain").value == shown)
    assert ben.slider("drums gain").attribute("aria-valuetext").startswith("minus ")
    assert session.controls.get("stem/bass/gain") == 1.0


def test_a_finger_moves_a_lying_fader_from_where_it_is(open_mixer, session, until):
    page = open_mixer(390, 844, touch=True)
    fader = page.slider("bass gain")
    assert fader.attribute("aria-orientation") == "horizontal"
    box = page.box(fader.selector)
    y = box["y"] + box["height"] / 2
    page.touch("touchStart", (box["x"] + 40, y))
    for step in range(1, 9):
        page.touch("touchMove", (box["x"] + 40 + 5 * step, y))
    page.touch("touchEnd")
    assert 0 < fader.value <= 12.1, "it has jumped to the finger"
    wanted = pytest.approx(10 ** (fader.value / 20), rel=0.01)
    until(lambda: session.controls.get("stem/bass/gain") == wanted)


def test_what_others_turn_is_seen_but_not_while_somebody_holds_the_fader(open_mixer, board, until):
    page = open_mixer()
    fader = page.slider("drums gain")
    board.set("stem/drums/gain", 0.1)
    until(lambda: fader.value == -20)
    x, y = fader.cap()
    page.mouse("mousePressed", x, y, button="left", clickCount=1)
    board.set("stem/drums/gain", 2.0)
    page.wait("new Promise((done) => setTimeout(() => done(true), 300))")
    assert fader.value == -20, "it has been pulled out of the hand"
    page.mouse("mouseMoved", x, y - 5, button="left", buttons=1)
    page.mouse("mouseReleased", x, y - 5, button="left", clickCount=1)
    until(lambda: board.get("stem/drums/gain") == pytest.approx(10 ** (fader.value / 20), rel=0.01))
    assert -20 < fader.value < -10


def test_in_the_end_all_browsers_agree_whoever_came_last(open_mixer, board, until):
    pages = [open_mixer() for _ in range(2)]
    for step in range(12):
        for page in pages:
            page.slider("piano gain").focus()
            page.key("ArrowDown" if step % 3 else "PageUp")
    until(lambda: pages[0].slider("piano gain").value == pages[1].slider("piano gain").value)
    page.wait("new Promise((done) => setTimeout(() => done(true), 400))")
    value = pages[0].slider("piano gain").value
    assert value == pages[1].slider("piano gain").value
    assert board.get("stem/piano/gain") == pytest.approx(10 ** (value / 20), rel=0.01)


@pytest.mark.parametrize(
    ("name", "keys", "value"),
    [
        ("drums gain", ["ArrowUp", "ArrowRight", "ArrowDown"], 1),
        ("drums gain", ["PageDown", "ArrowLeft"], -7),
        ("drums gain", ["Home"], -70),
        ("drums gain", ["End"], 12.04),
        ("drums gain", ["Home", "0"], 0),
        ("bass pan", ["ArrowLeft", "ArrowLeft"], -0.1),
        ("bass pan", ["End"], 1),
        ("mix gain", ["ArrowDown"], -1),
    ],
)
def test_keys_turn_what_has_the_focus(open_mixer, board, until, name, keys, value):
    page = open_mixer()
    slider = page.slider(name)
    slider.focus()
    for key in keys:
        page.key(key)
    assert slider.value == pytest.approx(value)
    control = {"drums gain": "stem/drums/gain", "bass pan": "stem/bass/pan"}.get(
        name, "master/gain"
    )
    wanted = value if "pan" in name else 0 if value == -70 else 10 ** (value / 20)
    until(lambda: board.get(control) == pytest.approx(wanted, abs=1e-3))
    page.key("ArrowDown", shift=True)
    assert 0 <= value - slider.value < (0.02 if "pan" in name else 0.2)


def test_all_can_be_reached_and_pressed_with_the_keyboard_alone(open_mixer, board, until):
    page = open_mixer()
    page.run("document.body.focus()")
    reached = []
    for _ in range(60):
        page.key("Tab")
        reached.append(
            page.run(
                "document.activeElement.getAttribute('aria-label') ?? document.activeElement.id"
            )
        )
    wanted = {"model-choice", "Mute drums", "Solo other", "drums gain", "other pan", "mix gain"}
    assert wanted <= set(reached)
    assert any(name.startswith("Panic") for name in reached)
    page.run("document.querySelector('[aria-label^=Panic]').focus()")
    page.key(" ")
    until(lambda: board.get("panic") == 1)
    page.key("Enter")
    until(lambda: board.get("panic") == 0)
    page.slider("strings gain").focus()
    page.key("m")
    page.key("s")
    until(lambda: board.get("stem/strings/mute") == board.get("stem/strings/solo") == 1)


def test_buttons_turn_and_show_how_things_stand(open_mixer, board, until):
    page, other = open_mixer(), open_mixer()
    for label, control in (
        ("Mute drums", "stem/drums/mute"),
        ("Solo bass", "stem/bass/solo"),
        ("Bypass: play the input as it came", "bypass"),
        ("Panic: silence everything", "panic"),
    ):
        selector = f"button[aria-label={json.dumps(label)}]"
        page.click(selector)
        until(lambda control=control: board.get(control) == 1)
        other.wait(f"document.querySelector({json.dumps(selector)}).ariaPressed === 'true'")
        other.click(selector)
        until(lambda control=control: board.get(control) == 0)
        page.wait(f"document.querySelector({json.dumps(selector)}).ariaPressed === 'false'")
    before = board.get("reset")
    page.click("button.reset")
    until(lambda: board.get("reset") == before + 1)


def test_twice_quickly_is_back_to_the_middle(open_mixer, board, until):
    board.set("stem/drums/gain", 0.2)
    board.set("stem/drums/pan", -0.6)
    page = open_mixer()
    for name, control, middle in (
        ("drums gain", "stem/drums/gain", 1),
        ("drums pan", "stem/drums/pan", 0),
    ):
        x, y = page.slider(name).cap()
        for count in (1, 2):
            for kind in ("mousePressed", "mouseReleased"):
                page.mouse(kind, x, y, button="left", clickCount=count)
        until(lambda control=control, middle=middle: board.get(control) == middle)


def test_meters_and_spectrograms_move_with_the_music(open_mixer, play):
    page = open_mixer()
    level = "Number(document.querySelector('.strip .meter').style.getPropertyValue('--peak'))"
    assert page.run(level) == 0
    play(0.5)
    page.wait(f"{level} > 0.5")
    lit = (
        "(() => { const c = document.querySelector('.spectrogram'); const d = c.getContext('2d')"
        ".getImageData(0, 0, c.width, c.height).data;"
        "return d.some((part, at) => at % 4 === 0 && part > 60) })()"
    )
    for _ in range(20):
        play(0.5)
        if page.run(lit):
            break
    assert page.run(lit), "the spectrogram is dark"
    play(0.0, 400)
    page.wait(f"{level} < 0.5")


def test_latency_load_and_state_are_told(open_mixer, session, board, play):
    board.set_device_latency(512)
    page = open_mixer()
    play(0.1)
    page.wait("document.querySelector('#state .words').textContent === 'Running'")
    ms = f"{1e3 * board.ledger.total / 44_100:.1f}"
    page.wait(f"document.querySelector('#figures').textContent.includes('{ms} ms')")
    page.wait("document.querySelector('.parts').textContent.includes('device')")
    shown = page.run(
        "[...document.querySelectorAll('.parts div')].map((part) => [part.dataset.what,"
        "parseInt(part.querySelector('dd').textContent)])"
    )
    assert [tuple(part) for part in shown] == list(board.ledger)
    assert page.run("document.querySelector('.about').textContent").count("small-test-model") == 1


def test_what_the_system_did_not_allow_is_told(open_mixer, session, board, monkeypatch):
    note = "No permission for <b>SCHED_FIFO</b>."
    told = replace(board.status(), notes=(note,), load=0.93, underruns=3, restarts=2)
    monkeypatch.setattr(board, "status", lambda: told)
    page = open_mixer()
    page.wait(f"document.querySelector('.notes').textContent === {json.dumps(note)}")
    page.wait("document.querySelectorAll('#figures .warns').length === 2")
    assert page.run("document.querySelector('.about').textContent.includes('Restarts2')")


def test_another_model_is_chosen_by_name_and_everybody_sees_it(
    open_mixer, session, board, make_small_model, tmp_path, until
):
    folder = tmp_path / "models"
    folder.mkdir()
    make_small_model(folder / "louder.onnx", gains=(0.5, 0.2, 0.15, 0.1, 0.05), name="louder-one")
    until(lambda: "louder" in board.models())
    page, other = open_mixer(), open_mixer()
    for one in (page, other):
        one.run("document.querySelector('select').focus()")
        one.wait("[...document.querySelector('select').options].some((o) => o.value === 'louder')")
        assert one.run("document.querySelector('select').value") == "small"
    page.run(
        "(() => { const s = document.querySelector('select'); s.value = 'louder';"
        "s.dispatchEvent(new Event('change')) })()"
    )
    until(lambda: session.model == "louder-one")
    for one in (page, other):
        one.wait("document.querySelector('select').value === 'louder'")
        one.wait("document.querySelector('select').getAttribute('aria-busy') === 'false'")


def test_a_model_that_does_not_play_is_told_and_the_choice_goes_back(
    open_mixer, session, board, make_small_model, tmp_path, until
):
    folder = tmp_path / "models"
    folder.mkdir()
    make_small_model(folder / "late.onnx", latency=44_100)
    until(lambda: "late" in board.models())
    page = open_mixer()
    page.run("document.querySelector('select').focus()")
    page.wait("[...document.querySelector('select').options].some((o) => o.value === 'late')")
    page.run(
        "(() => { const s = document.querySelector('select'); s.value = 'late';"
        "s.dispatchEvent(new Event('change')) })()"
    )
    page.wait("document.querySelector('#toast').textContent.includes('latency')")
    page.wait("document.querySelector('select').value === 'small'")


def test_a_lost_connection_is_told_and_mended(browser, board, until):
    with start_web(board, port=0, is_announced=False) as first:
        page = browser.open(first.url)
        page.wait_for_mixer()
    page.wait("document.querySelector('#state').textContent.includes('Connection lost')")
    board.set("stem/drums/gain", 0.1)
    with start_web(board, port=first.port, is_announced=False):
        page.wait("!document.querySelector('#state').textContent.includes('lost')")
        until(lambda: page.slider("drums gain").value == -20)
        page.slider("drums gain").focus()
        page.key("0")
        until(lambda: board.get("stem/drums/gain") == 1)
        page.close()


def test_other_stems_are_other_strips(open_mixer, server: WebServer):
    page = open_mixer()
    with Board(("voice", "rest")) as other:
        server.use(other)
        page.wait_for_mixer(2)
        names = page.run("[...document.querySelectorAll('.strip h2')].map((h) => h.textContent)")
        assert names == ["voice", "rest", "mix"]
        page.slider("voice gain").focus()
        page.key("Home")
        page.wait("document.querySelector('.readout').textContent === '−∞'")
        server.close()
    page.heard.clear()  # that the connection is lost is meant


@pytest.mark.parametrize(
    ("width", "height"), [(360, 640), (360, 740), (390, 844), (844, 390), (768, 1024), (1280, 800)]
)
def test_nothing_is_cut_off_and_all_targets_are_large(open_mixer, width, height):
    page = open_mixer(width, height, touch=width < 1_000)
    assert page.run("document.documentElement.scrollWidth") <= width
    small = page.run(
        "[...document.querySelectorAll('button, select, [role=slider]')].map((node) =>"
        "[node.ariaLabel ?? node.id, node.getBoundingClientRect()]).filter(([, box]) =>"
        "Math.min(box.width, box.height) < 44 || box.left < 0 || box.right > innerWidth)"
        ".map(([name, box]) => [name, box.width, box.height])"
    )
    assert small == []
    cut = page.run(
        "[...document.querySelectorAll('button, h2, dd, .readout')].filter((node) =>"
        "node.scrollWidth > node.clientWidth + 1 && node.clientWidth).map((n) => n.textContent)"
    )
    assert cut == []


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 800)])
def test_everything_has_a_name_for_who_does_not_see_it(open_mixer, session, width, height):
    page = open_mixer(width, height, touch=width < 1_000)
    nodes = [
        node
        for node in page.call("Accessibility.getFullAXTree")["nodes"]
        if not node.get("ignored")
    ]
    found: dict[str, list[str]] = {}
    for node in nodes:
        role = node["role"]["value"]
        found.setdefault(role, []).append(node.get("name", {}).get("value", ""))
    for role, names in found.items():
        if role.lower() in _NAMED - {"status"}:
            assert all(names), f"a {role} has no name"
    assert len(found["slider"]) == len(set(found["slider"])) == 11
    assert len(found["meter"]) == (7 if width > 1_000 else 6)
    assert {"Mute drums", "Solo other"} <= set(found["button"])
    assert found["heading"][0] == "Stemwire"
    for node in nodes:
        if node["role"]["value"] in ("slider", "meter"):
            properties = {p["name"]: p["value"].get("value") for p in node["properties"]}
            assert properties["valuemin"] < properties["valuemax"]
    assert page.run(
        "[...document.querySelectorAll('[role=slider], [role=meter]')].every((node) =>"
        "node.ariaValueText && node.ariaValueNow)"
    )


def test_words_stand_out_from_their_ground(open_mixer):
    """WCAG's contrast of 7 to 1 (AAA), for all text that is not on a picture."""
    page = open_mixer()
    page.run("document.querySelectorAll('.mute, .solo, .bypass').forEach((b) => b.click())")
    assert page.run(_CONTRAST) == []


_CONTRAST = """
(() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const [R, G, B] = [r, g, b].map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * R + 0.7152 * G + 0.0722 * B;
  };
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [0, 0, 0];
  };
  const poor = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || node.tagName === 'NOSCRIPT') continue;
    const [a, b] = [light(parse(getComputedStyle(node).color)), light(ground(node))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const needed = node.closest('.switch') ? 4.5 : 7; // large and bold
    if (contrast < needed) poor.push([node.textContent, contrast]);
  }
  return poor;
})()
"""


def test_who_wants_no_motion_gets_no_moving_pictures(browser, server, play, until):
    page = browser.open("about:blank")
    page.call(
        "Emulation.setEmulatedMedia",
        features=[{"name": "prefers-reduced-motion", "value": "reduce"}],
    )
    page.call("Page.navigate", url=server.url)
    page.wait_for_mixer()
    play(0.5, 300)
    texts = [
        message["params"]["response"]["payloadData"]
        for message in page.heard
        if message["method"] == "Network.webSocketFrameSent"
    ]
    assert json.dumps({"COMMAND": "SPECTRA", "DATA": False}, separators=(",", ":")) in texts
    page.close()


def test_a_browser_reaches_every_address_of_the_tree(open_mixer, board):
    """From within the page, with its own code: each is set where it can be, and read."""
    page = open_mixer()
    walked = page.run(_WALK)
    assert walked["missing"] == []
    assert walked["wrong"] == []
    assert walked["set"] >= len(board.controls)


_WALK = """
(async () => {
  const { encode, decode } = await import('/mixer/osc.js');
  const tree = await (await fetch('/stemwire', {headers: {Accept: 'application/json'}})).json();
  const nodes = [];
  const walk = (node) => {
    if (node.TYPE) nodes.push(node);
    Object.values(node.CONTENTS ?? {}).forEach(walk);
  };
  walk(tree);
  const socket = new WebSocket(location.origin.replace('http', 'ws'));
  socket.binaryType = 'arraybuffer';
  await new Promise((done) => socket.addEventListener('open', done));
  const answers = new Map();
  let pong = null;
  socket.addEventListener('message', (event) => {
    for (const { address, values } of decode(event.data)) {
      if (address === '/stemwire/pong') pong();
      else answers.set(address, values);
    }
  });
  const settle = () => new Promise((done) => {
    pong = done;
    socket.send(encode('/stemwire/ping', '', []));
  });
  const result = { set: 0, missing: [], wrong: [] };
  for (const node of nodes) {
    const path = node.FULL_PATH;
    const limits = node.RANGE?.[0];
    const isControl = node.ACCESS === 3 && limits?.MAX !== undefined && path !== '/stemwire/reset';
    answers.clear();
    if (isControl) {
      socket.send(encode(path, node.TYPE, [limits.MAX]));
      result.set += 1;
    }
    if (node.ACCESS & 1) {
      socket.send(encode(path, '', []));
      await settle();
      const [value] = answers.get(path) ?? [];
      if (!answers.has(path)) result.missing.push(path);
      else if (isControl && Math.abs(value - limits.MAX) > 1e-3) result.wrong.push(path);
    } else {
      socket.send(encode(path, 's', ['kazoo']));
      await settle();
    }
  }
  return result;
})()
"""
