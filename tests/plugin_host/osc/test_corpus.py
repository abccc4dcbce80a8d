"""Whatever a stranger sends: every fault is named, nothing grows, nothing stops, audio plays on."""

from __future__ import annotations

import math
import random
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from engine import HostConfig
from engine.worker import Session
from plugin_host.board import Board
from plugin_host.link_process import LinkProcess
from plugin_host.osc import peers
from plugin_host.osc.datagram import build, build_bundle
from plugin_host.osc.schedule import timetag_of
from plugin_host.osc.server import OscOptions, OscServer

STEMS = ("drums", "bass", "piano", "strings", "other")
EACH = 900  # datagrams of most kinds
GAIN = "/stemwire/stem/drums/gain"
_HEAD = b"#bundle\0" + struct.pack(">Q", 1)
_SIZES = (-1, -4, -5, -(2**31), 0, 2**31 - 1, 65_536, 1 << 24)
_VALUES = [(GAIN, 0.5), ("/stemwire/panic", 0), ("/stemwire/preset/list", "x"), ("//pan", 0.0)]


def _rng(kind: str) -> random.Random:
    return random.Random(kind)  # the same corpus every time


def _valid(rng: random.Random) -> bytes:
    path, value = rng.choice(_VALUES)
    message = build(path, [value])
    return build_bundle([message, message]) if rng.random() < 0.3 else message


def _message(path: str, tags: bytes, arguments: bytes) -> bytes:
    """A message, whatever its parts: only padded to whole words."""
    padded_tags = b"," + tags + bytes(4 - (len(tags) + 1) % 4)
    return build(path)[:-4] + padded_tags + arguments


def _nested(depth: int) -> bytes:
    sizes = [20 * level for level in range(depth)]
    head = b"".join(_HEAD + struct.pack(">i", 16 + size) for size in reversed(sizes[1:]))
    return head + _HEAD


# ---- kinds whose every datagram is at fault -----------------------------------------------------


def truncated() -> Iterator[bytes]:
    rng = _rng("truncated")
    while True:
        whole = build(GAIN, [0.5, "text", 7]) if rng.random() < 0.7 else _HEAD + b"\0\0\0\x14/a"
        cut = whole[: rng.randrange(1, len(whole))]
        if len(cut) not in (28, 16):  # where an old sender, or an empty bundle, would end
            yield cut


def wrong_element_sizes() -> Iterator[bytes]:
    rng = _rng("elements")
    while True:
        yield (
            _HEAD + struct.pack(">i", rng.choice(_SIZES)) + build(GAIN, [0.5])[: rng.choice((0, 8))]
        )


def wrong_blob_sizes() -> Iterator[bytes]:
    rng = _rng("blobs")
    while True:
        size = rng.choice([size for size in _SIZES if size])
        yield _message(GAIN, b"b", struct.pack(">i", size) + bytes(4 * rng.randrange(8)))


def deep_bundles() -> Iterator[bytes]:
    rng = _rng("deep")
    while True:
        yield _nested(rng.choice((9, 10, 50, 200, 1_500)))


def unknown_types() -> Iterator[bytes]:
    rng = _rng("types")
    while True:
        tags = bytes([rng.choice(b"SIcrmt[]NXx?\x01\x7f")]) + rng.choice((b"f", b"fi", b""))
        yield _message(GAIN, tags, bytes(4 * rng.randrange(5)))


def huge_blobs() -> Iterator[bytes]:
    while True:
        yield build(GAIN, [bytes(65_000)])


def bad_utf8() -> Iterator[bytes]:
    rng = _rng("utf8")
    while True:
        bad = rng.choice((b"\xff\xfe\xfd", b"\xc3\x28\x41", b"\xed\xa0\x80", b"\x80ab"))
        yield b"/" + bad + bytes(4) if rng.random() < 0.5 else _message(GAIN, b"s", bad + b"\0")


def impossible_numbers() -> Iterator[bytes]:
    rng = _rng("numbers")
    while True:
        path = rng.choice((GAIN, f"{GAIN}_db", "/stemwire/stem/bass/pan", "/stemwire/bypass"))
        number = rng.choice((math.nan, math.inf, -math.inf, 1e300, -1e300, 1e30, -1e9))
        if rng.random() < 0.5 and abs(number) not in (1e300,):
            yield _message(path, b"f", struct.pack(">f", number))
        else:
            yield _message(path, b"d", struct.pack(">d", number))


def wrong_types() -> Iterator[bytes]:
    rng = _rng("wrong")
    while True:
        values = rng.choice((["loud"], [b"blob"], [0.5, 0.5], ["1"], [1] * 60, [""]))
        yield build(rng.choice((GAIN, "/stemwire/panic", "//mute")), values)


def unknown_addresses() -> Iterator[bytes]:
    rng = _rng("unknown")
    names = ("/kazoo", "/stemwire", "/stemwire/stem/kazoo/gain", "/", "/stemwire/stem/[dr", "/*{a")
    while True:
        yield build(rng.choice(names) + "x" * rng.randrange(300), [0.5] * rng.randrange(2))


def paths_for_names() -> Iterator[bytes]:
    rng = _rng("paths")
    while True:
        name = rng.choice(("../../etc/passwd", "/etc/passwd", "a/b", "..", "", "\\\\host\\share"))
        yield build(rng.choice(("/stemwire/preset/save", "/stemwire/preset/recall")), [name])


def too_far_ahead() -> Iterator[bytes]:
    rng = _rng("future")
    while True:
        ahead = rng.choice((61.0, 3_600.0, 1e9))
        yield build_bundle([build(GAIN, [0.5])], min(timetag_of(time.time() + ahead), 2**64 - 1))


AT_FAULT = (
    truncated,
    wrong_element_sizes,
    wrong_blob_sizes,
    deep_bundles,
    unknown_types,
    huge_blobs,
    bad_utf8,
    impossible_numbers,
    wrong_types,
    unknown_addresses,
    paths_for_names,
    too_far_ahead,
)

# ---- kinds of which some may be good ------------------------------------------------------------


def random_bytes() -> Iterator[bytes]:
    rng = _rng("random")
    while True:
        yield rng.randbytes(rng.randrange(200))


def mutated() -> Iterator[bytes]:
    rng = _rng("mutated")
    while True:
        datagram = bytearray(_valid(rng))
        for _ in range(rng.randrange(1, 5)):
            datagram[rng.randrange(len(datagram))] = rng.randrange(256)
        yield bytes(datagram)


# -------------------------------------------------------------------------------------------------


def _take(kind: Callable[[], Iterator[bytes]]) -> list[bytes]:
    count = {deep_bundles: 100, huge_blobs: 100}.get(kind, EACH)
    datagrams = kind()
    return [next(datagrams) for _ in range(count)]


@pytest.fixture
def unlimited(monkeypatch, serve):
    """A server that answers every fault, so that they can be counted."""
    monkeypatch.setattr(peers, "_COMPLAINTS_PER_SECOND", 1e9)
    return serve(messages_per_second=1e9)


def _portions(datagrams: list[bytes]) -> Iterator[list[bytes]]:
    """Splits what is to be sent into portions that no system's buffer is too small for."""
    portion: list[bytes] = []
    for datagram in datagrams:
        if len(portion) == 40 or sum(map(len, portion)) + len(datagram) > 100_000:
            yield portion
            portion = []
        portion.append(datagram)
    yield portion


def _answers(client, datagrams: list[bytes]) -> list:
    """Sends one portion after the other; returns all that comes back."""
    answers = []
    for portion in _portions(datagrams):
        for datagram in portion:
            client.send_raw(datagram)
        answers += client.until_pong()
    return answers


@pytest.mark.parametrize("kind", AT_FAULT, ids=lambda kind: kind.__name__)
def test_every_fault_is_named(kind, unlimited, connect, board):
    client, before = connect(unlimited), board.as_dict()
    datagrams = _take(kind)[:200]
    answers = _answers(client, datagrams)
    assert [path for path, _ in answers] == ["/stemwire/error"] * len(datagrams)
    assert all(sentence.endswith((".", "clocks.")) for _, (sentence, _) in answers)
    assert board.as_dict() == before


@pytest.fixture
def playing(small_model: Path, tmp_path: Path, until) -> Iterator[tuple[Board, Session]]:
    """A board whose session plays a song, over and over, in processes of their own."""
    song = tmp_path / "song.wav"
    noise = np.random.default_rng(1).uniform(-0.1, 0.1, (44_100, 2))
    soundfile.write(song, noise, 44_100)
    config = HostConfig(44_100, 2_048, 2)
    with Session.open(small_model, config) as session, Board(STEMS) as board:
        board.connect(session)
        options = {"song": str(song), "is_looped": True, "record": None, "block_size": 2_048}
        events = []
        link = LinkProcess("file", options, lambda link, message: events.append(message))
        until(lambda: any(event["event"] == "open" for event in events), 30)
        link.attach(session.segment_path)
        until(lambda: session.status().blocks > 4, 30)
        yield board, session
        link.close()


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def test_ten_thousand_bad_datagrams_stop_nothing(playing, connect):
    board, session = playing
    corpus = [datagram for kind in (*AT_FAULT, random_bytes, mutated) for datagram in _take(kind)]
    random.Random(0).shuffle(corpus)
    assert len(corpus) >= 10_000
    with OscServer(board, OscOptions(port=0, messages_per_second=1e6)) as server:
        client, other = connect(server), connect(server)
        _answers(client, corpus[:2_000])  # until all that is made once is there
        before = session.status()
        memory = _resident_bytes() if Path("/proc/self/statm").exists() else 0
        _answers(client, corpus[2_000:])
        waits = []
        for _ in range(5):
            start = time.perf_counter()
            other.until_pong()
            waits.append(time.perf_counter() - start)
        after = session.status()
        grown = _resident_bytes() - memory if memory else 0
        assert min(waits) < 0.05
        assert grown < 2**20, "memory has grown"
        assert after.blocks > before.blocks
        assert after.underruns == before.underruns
        assert after.restarts == 0
        assert board.counters["osc_faults"] > 9_000
        assert other.ask("/stemwire/status/state") == [("/stemwire/status/state", ("running",))]
