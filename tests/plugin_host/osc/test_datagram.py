"""Every datagram is checked before it is parsed, and what is built can be read by anybody."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pythonosc.osc_message_builder import OscMessageBuilder

from plugin_host.errors import MessageError
from plugin_host.osc.datagram import (
    IMMEDIATELY,
    MAX_MESSAGES,
    beginning,
    build,
    build_bundle,
    parse,
    unpack,
)

_GAIN = build("/stemwire/stem/drums/gain", [0.5])
_HEAD = b"#bundle\0" + struct.pack(">Q", 1)


def test_a_message_comes_out_as_it_went_in():
    values = (1, 0.5, "text with ü", b"blob!", -(2**31), "")
    [packet] = unpack(build("/a", values))
    assert packet.timetag == IMMEDIATELY
    assert parse(packet.data) == ("/a", values)


def test_what_others_build_is_understood():
    builder = OscMessageBuilder("/stemwire/ping")
    for tag, value in [("h", 2**40), ("d", 0.1), ("T", True), ("F", False), ("b", b"abc")]:
        builder.add_arg(value, tag)
    [packet] = unpack(builder.build().dgram)
    assert parse(packet.data) == ("/stemwire/ping", (2**40, 0.1, True, False, b"abc"))


def test_a_message_may_lack_the_types_where_it_has_no_arguments():
    [packet] = unpack(b"/ab\0")
    assert parse(packet.data) == ("/ab", ())


def test_bundles_are_unpacked_in_order_with_the_later_timetag():
    inner = build_bundle([build("/b"), build("/c")], 300)
    outer = build_bundle([build("/a"), inner, build_bundle([build("/d")]), build("/e")], 200)
    packets = unpack(outer)
    assert [parse(data)[0] for _, data in packets] == ["/a", "/b", "/c", "/d", "/e"]
    assert [timetag for timetag, _ in packets] == [200, 300, 300, 200, 200]
    assert unpack(build_bundle([])) == []


def _nested(depth: int) -> bytes:
    bundle = build_bundle([_GAIN])
    for _ in range(depth - 1):
        bundle = build_bundle([bundle])
    return bundle


def test_bundles_within_bundles_are_taken_to_a_depth():
    assert len(unpack(_nested(8))) == 1
    for depth in (9, 1500):
        with pytest.raises(MessageError, match="8 deep"):
            unpack(_nested(depth))


@pytest.mark.parametrize(
    ("datagram", "words"),
    [
        (b"", "Neither an address"),
        (b"hello", "Neither an address"),
        (b"/abc", "does not end"),
        (b"/a\0", "multiple of 4"),
        (b"/\xff\xfe\0", "UTF-8"),
        ("/ü\0".encode(), "ASCII"),
        (b"/ab\0abcd", "comma"),
        (b"/ab\0,iii", "types of the arguments does not end"),
        (b"/ab\0,i\0\0", "ends within an argument of type i"),
        (b"/ab\0,d\0\0\0\0\0\0", "ends within an argument of type d"),
        (b"/ab\0,s\0\0abcd", "A text does not end"),
        (b"/ab\0,s\0\0\xff\xff\0\0", "A text is no UTF-8"),
        (b"/ab\0,b\0\0", "size of a blob"),
        (b"/ab\0,b\0\0" + struct.pack(">i", -5) + bytes(8), "-5 bytes"),
        (b"/ab\0,b\0\0" + struct.pack(">i", 2**31 - 1) + bytes(8), "2147483647 bytes"),
        (b"/ab\0,b\0\0" + struct.pack(">i", 9) + bytes(8), "9 bytes, and 8 are left"),
        (b"/ab\0,f\0\0" + bytes(8), "4 bytes are left over"),
        (b"/ab\0,\0\0\0" + bytes(4), "4 bytes are left over"),
        *((b"/ab\0," + tag + b"f\0" + bytes(8), "not understood") for tag in (b"S", b"I", b"c")),
        *((b"/ab\0," + tag + b"\0\0" + bytes(8), "not understood") for tag in (b"m", b"t", b"[")),
        (b"/ab\0," + b"i" * 67 + bytes(4 * 67), "67 arguments"),
        (b"#bundle\0" + bytes(4), "before its timetag"),
        (b"#bundlE\0" + bytes(8), "Neither an address"),
        (_HEAD + b"\0\0", "within the size"),
        (_HEAD + struct.pack(">i", -4), "element of -4 bytes"),  # python-osc hangs for ever
        (_HEAD + struct.pack(">i", 0), "element of 0 bytes"),
        (_HEAD + struct.pack(">i", 2**31 - 1) + _GAIN, "element of 2147483647 bytes"),
        (_HEAD + struct.pack(">i", 6) + bytes(8), "multiples of 4"),
        (_HEAD + struct.pack(">i", 4) + b"nope", "Neither an address"),
        (build_bundle([_GAIN] * (MAX_MESSAGES + 1)), "at most 1024 messages"),
        (b"#" * 70_000, "70000 bytes"),
        (b"/" * 70_000, "70000 bytes"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(datagram, words):
    with pytest.raises(MessageError, match=words):
        unpack(datagram)


@given(st.binary(max_size=80), st.sampled_from([b"", b"/a\0\0", b"/a\0\0,", _HEAD]))
def test_whatever_comes_is_parsed_or_refused(tail, head):
    try:
        packets = unpack(head + tail)
    except MessageError:
        return
    for packet in packets:
        address, values = parse(packet.data)
        assert address.startswith("/")
        assert all(isinstance(value, int | float | str | bytes) for value in values)


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (True, 1),
        (2**40, 2.0**40),
        (-(2**31) - 1, -(2.0**31)),
        (1e300, 3.4028234663852886e38),
        (-math.inf, -3.4028234663852886e38),
        ("a\0b", "a b"),
        ("\ud800", "?"),
        ("x" * 5000, "x" * 1024),
        (b"", b""),
    ],
)
def test_only_what_every_client_understands_is_sent(value, sent):
    message = build("/a", [value])
    assert chr(message[5]) in "ifsb"
    assert len(message) % 4 == 0
    [packet] = unpack(message)
    [got] = parse(packet.data)[1]
    assert got == sent
    assert type(got) is type(sent)


def test_a_datagram_is_named_by_its_beginning():
    assert beginning(_GAIN) == "/stemwire/stem/drums/gain"
    assert beginning(b"\xff\xfeab") == "\\xff\\xfeab"
    assert beginning(bytes(20)) == "20 bytes"
