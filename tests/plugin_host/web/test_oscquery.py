"""OSCQuery over HTTP: the whole tree is there, and whoever asks wrongly is told so."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from plugin_host.osc.address import ROOT
from plugin_host.osc.addresses import AddressTable
from plugin_host.osc.datagram import build, parse
from plugin_host.osc.server import OscOptions, OscServer
from plugin_host.web.server import start_web

Answer = tuple[int, Any, http.client.HTTPMessage]


@pytest.fixture
def get(server) -> Callable[..., Answer]:
    """Asks, and returns status, body (JSON where it is) and headers."""

    def ask(path: str, method: str = "GET", **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers=named)
        response = connection.getresponse()
        body = response.read()
        connection.close()
        is_json = response.headers.get_content_type() == "application/json"
        return response.status, json.loads(body) if is_json else body, response.headers

    return ask


def _methods(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "TYPE" in node:
        yield node
    for part in node.get("CONTENTS", {}).values():
        yield from _methods(part)


def test_the_tree_holds_every_address_and_nothing_else(get, board):
    status, tree, _ = get("/")
    assert status == 200
    assert {node["FULL_PATH"] for node in _methods(tree)} == {
        a.path for a in AddressTable(board.stems)
    }
    assert tree["FULL_PATH"] == "/"
    assert list(tree["CONTENTS"]["stemwire"]["CONTENTS"]["stem"]["CONTENTS"]) == list(board.stems)


def test_every_node_can_be_asked_for_on_its_own_and_says_the_same(get):
    _, tree, _ = get("/")

    def walk(node: dict[str, Any]) -> None:
        status, alone, _ = get(node["FULL_PATH"])
        assert (status, alone) == (200, node)
        for part in node.get("CONTENTS", {}).values():
            walk(part)

    walk(tree["CONTENTS"]["stemwire"]["CONTENTS"]["stem"]["CONTENTS"]["bass"])
    assert get("/stemwire/bypass/")[1] == get("/stemwire/bypass")[1]


def test_value_range_and_unit_have_an_element_for_each_letter_of_the_type(get, until):
    until(lambda: get("/stemwire/models?VALUE")[1]["VALUE"])
    for node in _methods(get("/")[1]):
        assert node["DESCRIPTION"].endswith(".")
        assert 0 < node["ACCESS"] <= 3
        size = 0 if node["TYPE"] == "N" else len(node["TYPE"])
        for attribute in ("VALUE", "RANGE", "UNIT"):
            if attribute in node:
                assert len(node[attribute]) == size, node
        kinds = {"i": int, "f": (int, float), "s": str}
        for tag, value in zip(node["TYPE"], node.get("VALUE", ()), strict=False):
            assert isinstance(value, kinds[tag]), node


def test_a_fader_is_described(get):
    assert get("/stemwire/stem/drums/gain_db")[1] == {
        "FULL_PATH": "/stemwire/stem/drums/gain_db",
        "DESCRIPTION": "How loud drums is in the mix, in dB; -70 is silence.",
        "TYPE": "f",
        "ACCESS": 3,
        "VALUE": [0.0],
        "RANGE": [{"MIN": -70.0, "MAX": 12.0412}],
        "UNIT": ["gain.db"],
    }


def test_the_models_to_choose_from_are_the_range_of_the_model(get, until):
    until(lambda: "RANGE" in get("/stemwire/model")[1])
    assert "default" in get("/stemwire/model?RANGE")[1]["RANGE"][0]["VALS"]


def test_one_attribute_is_asked_for_by_name(get, board):
    board.set("stem/drums/gain", 0.25)
    assert get("/stemwire/stem/drums/gain?VALUE")[:2] == (200, {"VALUE": [0.25]})
    assert get("/stemwire/stem/drums/gain?TYPE=")[1] == {"TYPE": "f"}
    assert list(get("/stemwire/stem?CONTENTS")[1]["CONTENTS"]) == list(board.stems)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/stemwire/stem/kazoo/gain", 404),
        ("/kazoo?VALUE", 404),
        ("/stemwire/../../etc/passwd", 404),
        ("/mixer/../server.py", 404),
        ("/mixer/%2e%2e/server.py", 404),
        ("/stemwire/bypass?KAZOO", 400),
        ("/stemwire/ping?VALUE", 204),
        ("/stemwire/stem?VALUE", 204),
        ("/stemwire/status/state?RANGE", 204),
    ],
)
def test_who_asks_for_what_is_not_there_is_told_so(get, path, status):
    assert get(path)[0] == status


def test_nothing_can_be_changed_over_http(get, board):
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert get("/stemwire/bypass?VALUE=1", method)[0] == 405
    assert get("/stemwire/bypass?VALUE=1")[1] == {"VALUE": [0]}
    assert board.get("bypass") == 0


def test_the_host_says_what_it_can_and_where_osc_is_heard(get, server):
    _, info, _ = get("/?HOST_INFO")
    assert info["NAME"] == "Stemwire"
    assert (info["OSC_IP"], info["OSC_PORT"], info["OSC_TRANSPORT"]) == ("127.0.0.1", 9130, "UDP")
    assert (info["WS_IP"], info["WS_PORT"]) == ("127.0.0.1", server.port)
    assert info["EXTENSIONS"]["LISTEN"]
    assert info["EXTENSIONS"]["PATH_CHANGED"]
    assert get("/stemwire/bypass?HOST_INFO")[1] == info


def test_browsers_get_the_mixer_and_programs_the_tree(get):
    browser = "text/html,application/xhtml+xml,*/*;q=0.8"
    assert b"<title>Stemwire mixer</title>" in get("/", Accept=browser)[1]
    assert b"<title>Stemwire mixer</title>" in get("/stemwire?HTML")[1]
    assert get("/", Accept="application/json")[1]["FULL_PATH"] == "/"
    assert get("/", Accept="*/*")[1]["FULL_PATH"] == "/"
    assert get("/stemwire", Accept=browser)[1]["FULL_PATH"] == "/stemwire"
    assert get("/", Accept=browser)[2]["Vary"] == "Accept"


def test_the_mixers_files_are_safe_to_show_and_sent_once(get):
    status, _, headers = get("/mixer/app.js")
    assert (status, headers.get_content_type()) == (200, "text/javascript")
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert get("/mixer/app.js", If_None_Match=headers["ETag"])[0] == 304
    assert get("/stemwire")[2]["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:9131"},
        {"Host": ""},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
    ],
)
def test_pages_of_others_cannot_make_a_browser_talk_to_us(get, headers):
    assert get("/stemwire/bypass", **headers)[0] == 403


def test_names_of_this_machine_are_answered(get, server):
    for name in ("localhost", "127.0.0.1", "[::1]", socket.gethostname(), "studio.local"):
        assert get("/stemwire/bypass", Host=f"{name}:{server.port}")[0] == 200


def test_only_networks_that_are_let_in_are_answered(board):
    with start_web(board, port=0, networks=["10.1.0.0/16"], is_announced=False) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        connection.request("GET", "/stemwire")
        assert connection.getresponse().status == 403
        connection.close()


def test_a_flood_of_requests_is_answered_with_too_many(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    statuses = set()
    for _ in range(3_000):
        connection.request("GET", "/stemwire/bypass?VALUE")
        response = connection.getresponse()
        response.read()
        statuses.add(response.status)
        if 429 in statuses:
            break
    connection.close()
    assert statuses == {200, 429}


def test_each_address_of_the_tree_is_set_and_read_over_websocket_and_udp(get, board, connect):
    """What a program finds in the tree is true: it can be set where it says so, and read."""
    with OscServer(board, OscOptions(port=0)) as osc, socket.socket(type=socket.SOCK_DGRAM) as udp:
        udp.connect(("127.0.0.1", osc.port))
        udp.settimeout(10)
        web = connect()

        def over_udp(path: str, *values: float) -> list[Any]:
            """Sends a message, and returns its answers, as `Socket.ask` does."""
            udp.send(build(path, values))
            udp.send(build("/stemwire/ping"))
            heard = []
            while (message := parse(udp.recv(65_536)))[0] != "/stemwire/pong":
                heard.append(message)
            return heard

        walked = 0
        for node in _methods(get("/stemwire")[1]):
            path = node["FULL_PATH"]
            for ask in (web.ask, over_udp):
                walked += 1
                limits = node.get("RANGE", [{}])[0]
                if node["ACCESS"] == 3 and "MAX" in limits and path != f"{ROOT}/reset":
                    low, high = limits["MIN"], limits["MAX"]
                    middle = (low + high) / 2 if node["TYPE"] == "f" else low
                    for wanted in (high, middle):
                        assert ask(path, wanted) == []
                        value = [pytest.approx(wanted, abs=1e-4)]
                        assert get(f"{path}?VALUE")[1] == {"VALUE": value}
                        assert ask(path) == [(path, tuple(value))]
                elif node["ACCESS"] & 1:
                    assert [at for at, _ in ask(path)] == [path]
        assert walked == 2 * len(AddressTable(board.stems))
