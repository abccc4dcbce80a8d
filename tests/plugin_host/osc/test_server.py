"""Asking, setting, subscribing: what a client can count on."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import closing

import pytest
from pythonosc.osc_message_builder import OscMessageBuilder

from engine import ConfigError, HostConfig
from engine.processors import Processors
from engine.worker import Session
from plugin_host.board import Board
from plugin_host.errors import NetworkError
from plugin_host.osc import peers, subscriptions
from plugin_host.osc.addresses import AddressTable
from plugin_host.osc.datagram import build, build_bundle
from plugin_host.osc.server import OscOptions, OscServer

from .conftest import Client

GAIN = "/stemwire/stem/drums/gain"


def test_a_message_with_a_value_sets_and_one_without_asks(client, board):
    assert client.ask(GAIN, 0.5) == []
    assert board.get("stem/drums/gain") == 0.5
    assert client.ask(GAIN) == [(GAIN, (0.5,))]


@pytest.mark.parametrize(("tag", "value"), [("i", 1), ("f", 1.0), ("h", 1), ("d", 1.0), ("T", 1)])
def test_int_float_and_boolean_are_taken_for_any_number(client, board, tag, value):
    for path in ("/stemwire/stem/bass/mute", "/stemwire/stem/bass/pan"):
        builder = OscMessageBuilder(path)
        builder.add_arg(value, tag)
        client.send_raw(builder.build().dgram)
        assert client.ask(path) == [(path, (1,))]


def test_a_switch_is_answered_as_int_and_a_value_as_float(client):
    [(_, (mute,))] = client.ask("/stemwire/stem/bass/mute")
    [(_, (pan,))] = client.ask("/stemwire/stem/bass/pan")
    assert (type(mute), type(pan)) == (int, float)


def test_every_address_answers_or_says_what_it_takes(client, board):
    for address in AddressTable(board.stems, board.controls):
        if address.name in ("subscribe", "unsubscribe", "ping"):
            continue
        answers = client.ask(address.path)
        if address.read is None:
            assert answers[0][0] == "/stemwire/error"
            assert "takes one value" in answers[0][1][0]
        else:
            assert [path for path, _ in answers] == [address.path]


def test_a_pattern_asks_all_that_it_means(client):
    answers = client.ask("/stemwire/stem/{drums,bass}/pan")
    assert answers == [("/stemwire/stem/drums/pan", (0.0,)), ("/stemwire/stem/bass/pan", (0.0,))]
    assert len(client.ask("//meter")) == 5


def test_a_pattern_sets_the_controls_that_it_means_and_nothing_else(client, board):
    assert client.ask("/stemwire/stem/*/mute", 1) == []
    assert [board.get(f"stem/{stem}/mute") for stem in board.stems] == [1.0, 1.0, 1.0]
    [(path, (sentence, about))] = client.ask("/stemwire/stem/*/pan", "left")
    assert (path, about) == ("/stemwire/error", "/stemwire/stem/*/pan")
    assert "takes a number" in sentence
    assert "3 of 3" in sentence
    [(_, (sentence, _))] = client.ask("/stemwire/status/*", "default")
    assert "nothing can be set" in sentence


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ((GAIN, 9.0), "0 to 4"),
        ((GAIN, "loud"), "takes a number"),
        ((GAIN, 1.0, 2.0), "one value"),
        (("/stemwire/stem/kazoo/gain", 1.0), "no address /stemwire/stem/kazoo/gain"),
        (("/elsewhere",), "no address /elsewhere"),
        (("/stemwire/status/load", 1.0), "can only be asked for"),
        (("/stemwire/preset/save",), "takes one value"),
        (("/stemwire/preset/recall", "../secret"), "cannot be called"),
        (("/stemwire/stem/[dr", 1.0), "does not close"),
        (("/stemwire/subscribe", 3), "takes an address or pattern"),
        (("/stemwire/subscribe", "//gain", 0.0), "a rate"),
        (("/stemwire/subscribe", "//gain", float("nan")), "a rate"),
        (("/stemwire/subscribe", "//nothing"), "No address fits"),
        (("/stemwire/midi/learn", "stem/drums/gain"), "No MIDI"),
    ],
)
def test_an_error_says_what_was_wrong_with_which_message(client, board, message, words):
    before = board.as_dict()
    [(path, (sentence, about))] = client.ask(*message)
    assert path == "/stemwire/error"
    assert words in sentence
    assert sentence.endswith(".")
    assert about == message[0]
    assert board.as_dict() == before


def test_ping_is_answered_with_what_came(client):
    client.send("/stemwire/ping", 7, "seven", 0.5, b"7")
    assert client.receive() == ("/stemwire/pong", (7, "seven", 0.5, b"7"))


def test_a_subscriber_gets_the_values_now_and_then_the_changes(client, board):
    client.send("/stemwire/subscribe", "//gain")
    heard = client.hear_until(lambda heard: len(heard) == 5)
    assert heard[0] == ("/stemwire/subscribe", ("//gain", 30.0, subscriptions.LEASE_SECONDS))
    assert {path for path, _ in heard[1:]} == {
        "/stemwire/stem/drums/gain",
        "/stemwire/stem/bass/gain",
        "/stemwire/stem/other/gain",
        "/stemwire/master/gain",
    }
    board.set("stem/bass/gain", 0.25, "somebody")
    board.set("stem/bass/pan", 0.25, "somebody")
    assert client.receive() == ("/stemwire/stem/bass/gain", (0.25,))
    assert client.hear_for(0.1) == []


def test_who_turns_a_control_gets_no_echo_but_its_other_faces(server, connect):
    ann, ben = connect(server), connect(server)
    for who in (ann, ben):
        who.send("/stemwire/subscribe", "//{gain,gain_db}")
        who.hear_until(lambda heard: len(heard) == 9)
    ann.send(GAIN, 0.1)
    assert {path: round(value, 3) for path, (value,) in ben.hear_until(lambda h: len(h) == 2)} == {
        GAIN: 0.1,
        f"{GAIN}_db": -20.0,
    }
    [(path, (value,))] = ann.hear_for(0.2)
    assert (path, round(value, 3)) == (f"{GAIN}_db", -20.0)
    ben.send(GAIN, 0.5)
    assert (GAIN, (0.5,)) in ann.hear_until(lambda heard: len(heard) == 2)


def test_several_clients_are_told_and_none_takes_the_others_updates(server, connect, board):
    clients = [connect(server) for _ in range(5)]
    for client in clients:
        client.send("/stemwire/subscribe", "/stemwire/bypass")
        client.hear_until(lambda heard: len(heard) == 2)
    clients[0].send("/stemwire/bypass", 1)
    for client in clients[1:]:
        assert client.receive() == ("/stemwire/bypass", (1,))
    clients[1].send("/stemwire/unsubscribe")
    assert clients[1].receive() == ("/stemwire/unsubscribe", ("/stemwire//*",))
    board.set("bypass", 0)
    for client in (clients[0], *clients[2:]):
        assert client.receive() == ("/stemwire/bypass", (0,))
    assert clients[1].hear_for(0.1) == []


def test_however_much_happens_the_newest_value_comes_at_the_rate_asked_for(client, board):
    client.send("/stemwire/subscribe", GAIN, 10)
    client.hear_until(lambda heard: len(heard) == 2)
    start = time.monotonic()
    while (now := time.monotonic()) < start + 0.8:
        board.set("stem/drums/gain", now - start, "somebody")
        time.sleep(0.001)
    board.set("stem/drums/gain", 3.0, "somebody")
    heard = client.hear_until(lambda heard: heard and heard[-1] == (GAIN, (3.0,)))
    assert 4 <= len(heard) <= 11, "it should be about 10 a second"


def test_meters_and_figures_are_told_when_they_move(client, board):
    levels = dict.fromkeys(("input", "mix", *board.stems), (0.0, 0.0))
    board.meters = lambda: levels
    client.send("/stemwire/subscribe", "//meter", 30)
    client.hear_until(lambda heard: len(heard) == 6)
    assert client.hear_for(0.15) == [], "nothing has moved"
    levels["drums"] = (1.0, 0.1)
    path, (peak, rms) = client.receive()
    assert (path, round(peak, 4), round(rms, 4)) == ("/stemwire/stem/drums/meter", 0.0, -20.0)


def test_overlapping_subscriptions_tell_each_address_once_at_the_quicker_rate(client, board):
    client.ask("/stemwire/subscribe", "//*", 1)
    client.send("/stemwire/subscribe", GAIN, 30)
    client.hear_for(0.1)
    board.set("stem/drums/gain", 0.5)
    start = time.monotonic()
    assert client.receive() == (GAIN, (0.5,))
    assert time.monotonic() - start < 0.5
    client.send("/stemwire/unsubscribe", GAIN)
    client.hear_until(lambda heard: ("/stemwire/unsubscribe", (GAIN,)) in heard)
    board.set("stem/drums/gain", 0.75)
    client.hear_until(lambda heard: (GAIN, (0.75,)) in heard)  # by the other one now


def test_a_client_that_falls_silent_is_forgotten(monkeypatch, server, connect, board, until):
    monkeypatch.setattr(subscriptions, "LEASE_SECONDS", 0.3)
    silent, alive = connect(server), connect(server)
    for client in (silent, alive):
        client.send("/stemwire/subscribe", "/stemwire/bypass")
        client.hear_until(lambda heard: len(heard) == 2)
    for _ in range(6):
        time.sleep(0.1)
        alive.until_pong()
    board.set("bypass", 1)
    assert alive.receive() == ("/stemwire/bypass", (1,))
    assert silent.hear_for(0.1) == []


def test_answers_go_to_the_fixed_port_where_there_is_one(serve, connect):
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind(("127.0.0.1", 0))
    listener.settimeout(5)
    sender = connect(serve(reply_port=listener.getsockname()[1]))
    sender.send(GAIN)
    assert listener.recv(1000).startswith(GAIN.encode())
    assert sender.hear_for(0.05) == []
    listener.close()


def test_the_outcome_of_what_takes_long_comes_to_who_asked_for_it(server, connect, board):
    ann, ben = connect(server), connect(server)
    board.set("stem/drums/gain", 0.5)
    ann.send("/stemwire/preset/save", "verse")
    assert ann.receive() == ("/stemwire/preset/save", ("verse",))
    assert ann.ask("/stemwire/preset/list") == [("/stemwire/preset/list", ("verse",))]
    ben.send("/stemwire/subscribe", GAIN)
    ben.hear_until(lambda heard: len(heard) == 2)
    board.set("stem/drums/gain", 2.0)
    assert ben.receive() == (GAIN, (2.0,))
    ben.send("/stemwire/preset/recall", "verse")
    answers = ben.hear_until(lambda heard: len(heard) == 2)
    assert set(answers) == {("/stemwire/preset/recall", ("verse",)), (GAIN, (0.5,))}
    ben.send("/stemwire/preset/recall", "chorus")
    path, (sentence, _) = ben.receive()
    assert path == "/stemwire/error"
    assert "no preset 'chorus'" in sentence
    assert ann.hear_for(0.1) == []


def test_a_model_is_chosen_by_name_and_a_path_is_none(client):
    for name in ("/etc/passwd", "../default.onnx", "nothing"):
        client.send("/stemwire/model", name)
        path, (sentence, _) = client.receive()
        assert path == "/stemwire/error"
        assert "There is no model" in sentence


def test_errors_and_pongs_from_others_go_unanswered(client):
    client.send("/stemwire/error", "something", "/a")
    client.send("/stemwire/pong", 1)
    assert client.until_pong() == []


def test_complaints_are_limited_and_count_what_they_leave_out(client):
    for _ in range(200):
        client.send("/nowhere", 1)
    answers = client.until_pong()
    assert 15 <= len(answers) <= 40
    time.sleep(0.2)
    [(_, (sentence, _))] = client.ask("/nowhere", 1)
    assert "faults before were not answered" in sentence


def test_a_flood_is_dropped_and_the_others_do_not_notice(serve, connect, board):
    server = serve(messages_per_second=100)
    loud, calm = connect(server), connect(server)
    for number in range(1000):
        loud.send("/stemwire/ping", number)
    heard = [path for path, _ in loud.hear_for(0.3)]
    assert 90 <= heard.count("/stemwire/pong") <= 200
    assert "/stemwire/error" in heard
    assert calm.ask(GAIN) == [(GAIN, (1.0,))]
    assert board.counters["osc_dropped"] >= 700


def test_the_last_value_of_a_fader_wins_whatever_is_dropped(serve, connect, board, until):
    server = serve(messages_per_second=50)
    client = connect(server)
    for number in range(2001):
        client.send(GAIN, number / 1000)
    until(lambda: board.get("stem/drums/gain") == 2.0)


def test_a_press_and_a_release_that_wait_together_still_trigger(client, board):
    before = board.get("reset")
    for _ in range(20):
        client.send("/stemwire/reset", 1)
        client.send("/stemwire/reset", 0)
    client.until_pong()
    assert board.get("reset") == before + 20


def test_a_bundle_does_all_that_is_in_it(client, board):
    messages = [build(f"/stemwire/stem/{stem}/gain", [0.5]) for stem in board.stems]
    client.send_raw(build_bundle([*messages, build("/stemwire/ping", [1])]))
    assert client.receive() == ("/stemwire/pong", (1,))
    assert [board.get(f"stem/{stem}/gain") for stem in board.stems] == [0.5] * 3


def test_strangers_are_not_heard(serve, connect, board):
    server = serve(networks=("192.168.77.0/24",))
    client = connect(server)
    client.send(GAIN, 0.5)
    client.send("/stemwire/ping")
    assert client.hear_for(0.2) == []
    link = socket.create_connection((server.host, server.port))
    link.settimeout(5)
    assert link.recv(100) == b""
    link.close()
    assert board.get("stem/drums/gain") == 1.0
    assert board.counters["osc_denied"] == 3


@pytest.mark.parametrize(
    ("host", "heard"),
    [
        ("127.0.0.1", True),
        ("192.168.1.20", True),
        ("::ffff:10.1.2.3", True),
        ("fe80::1%eth0", True),
        ("8.8.8.8", False),
        ("2001:db8::1", False),
    ],
)
def test_an_open_server_hears_private_networks_unless_told_otherwise(host, heard):
    assert peers.Guests(peers.PRIVATE_NETWORKS).may_enter(host) is heard


def test_ports_networks_and_hosts_that_cannot_be_are_refused(board, server):
    with pytest.raises(NetworkError, match="another --osc-port"):
        OscServer(board, OscOptions(port=server.port))
    with pytest.raises(NetworkError, match="no address"):
        OscServer(board, OscOptions(host="nowhere.invalid"))
    with pytest.raises(ConfigError, match="no network"):
        OscServer(board, OscOptions(port=0, networks=("my network",)))
    for wrong in ({"port": 70_000}, {"reply_port": 0}, {"messages_per_second": 0}):
        with pytest.raises(ConfigError):
            OscOptions(**wrong)


def test_by_default_only_this_machine_is_served():
    assert OscOptions().host == "127.0.0.1"
    assert OscOptions().port == 9130  # 11000 and 11001 belong to AbletonOSC


def test_ipv6_is_served(serve, connect, board):
    try:
        server = serve(host="::1")
    except NetworkError:
        pytest.skip("this machine has no IPv6")
    assert connect(server, "::1").ask(GAIN) == [(GAIN, (1.0,))]


def test_closing_frees_the_port_and_ends_the_thread(board):
    before = threading.active_count()
    server = OscServer(board, OscOptions(port=0))
    port = server.port
    server.close()
    server.close()
    assert threading.active_count() == before
    OscServer(board, OscOptions(port=port)).close()


def test_a_mistake_of_ours_costs_one_message_and_not_the_server(
    client, board, monkeypatch, caplog, until
):
    def broken(name):
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(board, "get", broken)
        client.send(GAIN)
        until(lambda: caplog.records)
    assert "could not be dealt with" in caplog.text
    assert client.ask("/stemwire/bypass") == [("/stemwire/bypass", (0,))]


def test_many_ports_of_one_machine_do_not_push_a_subscriber_out(
    monkeypatch, server, connect, board
):
    monkeypatch.setattr(peers, "MAX_PEERS", 8)
    subscriber = connect(server)
    subscriber.send("/stemwire/subscribe", GAIN)
    subscriber.hear_until(lambda heard: len(heard) == 2)
    for _ in range(20):
        connect(server).until_pong()
    board.set("stem/drums/gain", 0.5)
    assert subscriber.receive() == (GAIN, (0.5,))


_EFFECT = """
from types import SimpleNamespace
from engine.controls import Control

def build(options, stems):
    knob = Control("ratio", 1, 20, 4, "", "value", "How much.")
    return {"drums": [lambda: SimpleNamespace(
        name="squeeze", latency=0, controls=[knob], prepare=lambda config: None,
        process=lambda audio, out: out.__setitem__(..., audio), set=lambda name, value: None,
        reset=lambda: None,
    )]}
"""


def test_the_knobs_of_effects_have_addresses_as_soon_as_a_session_has_them(
    small_model, tmp_path, monkeypatch, until
):
    (tmp_path / "effect_of_the_test.py").write_text(_EFFECT)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    path = "/stemwire/stem/drums/plugin/0/ratio"
    with (
        Board(("drums", "bass", "piano", "strings", "other")) as board,
        OscServer(board, OscOptions(port=0)) as server,
        closing(Client(server.port)) as client,
        Session.open(
            small_model,
            HostConfig(44_100, 256, 2),
            fifo_priority=None,
            processors=Processors("effect_of_the_test:build", None),
        ) as session,
    ):
        assert client.ask(path)[0][0] == "/stemwire/error"
        client.send("/stemwire/subscribe", "/stemwire//*")
        client.hear_for(0.2)
        board.connect(session)
        client.hear_until(lambda heard: (path, (4.0,)) in heard)
        client.send(path, 8)
        until(lambda: session.controls.get("stem/drums/plugin/0/ratio") == 8.0)
        session.controls.set("stem/drums/plugin/0/ratio", 2.0)
        client.hear_until(lambda heard: (path, (2.0,)) in heard)
        board.disconnect()
        client.send(path, 16)
        until(lambda: board.get("stem/drums/plugin/0/ratio") == 16.0)
