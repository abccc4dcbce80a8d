"""The board keeps values over sessions, and tells everybody who has not done it himself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine import ConfigError, HostConfig
from engine.worker import Session
from plugin_host.board import ERROR, MODEL, RECALLED, SAVED, Board

STEMS = ("drums", "bass", "piano", "strings", "other")


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEMWIRE_PRESETS", str(tmp_path / "presets"))
    monkeypatch.setenv("STEMWIRE_MODELS", str(tmp_path / "models"))


@pytest.fixture
def board() -> Iterator[Board]:
    with Board(STEMS) as board:
        yield board


@pytest.fixture
def open_session(small_model: Path) -> Iterator[Callable[..., Session]]:
    opened: list[Session] = []

    def open_one(block_size: int = 256, **options: object) -> Session:
        config = HostConfig(44_100, block_size, 2)
        opened.append(Session.open(small_model, config, fifo_priority=None, **options))
        return opened[-1]

    yield open_one
    for session in opened:
        session.close()


def _until(condition: Callable[[], object]) -> None:
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.005)


def test_values_are_kept_while_no_session_plays_and_given_to_the_next(board, open_session):
    board.set("stem/bass/gain", 0.25)
    first = open_session(controls={"stem/drums/gain": 0.75})
    board.connect(first)
    assert first.controls.get("stem/bass/gain") == 0.25
    assert board.get("stem/drums/gain") == 0.75, "what the session began with was lost"

    board.disconnect()
    board.set("stem/bass/gain", 2.0)
    assert first.controls.get("stem/bass/gain") == 0.25, "it still turns the old session"
    second = open_session(512)
    board.connect(second)
    assert second.controls.get("stem/bass/gain") == 2.0
    assert second.controls.get("stem/drums/gain") == 0.75

    third = open_session(128)
    board.connect(third)  # without letting go first
    assert third.controls.as_dict() == second.controls.as_dict()


def test_a_session_of_other_stems_is_refused(open_session):
    with Board(("low", "rest")) as board, pytest.raises(ConfigError, match="low, rest"):
        board.connect(open_session())


def test_everybody_is_told_but_not_who_did_it(board):
    heard: dict[str, list[tuple]] = {"all": [], "ann": [], "ben": []}
    board.subscribe(lambda *change: heard["all"].append(change))
    board.subscribe(lambda *change: heard["ann"].append(change), "ann")
    board.subscribe(lambda *change: heard["ben"].append(change), "ben")
    board.set("stem/drums/gain", 0.5, "ann")
    _until(lambda: heard["all"] and heard["ben"])
    assert heard["all"] == [("stem/drums/gain", 0.5, "ann")] == heard["ben"]
    assert heard["ann"] == []


def test_of_many_values_the_newest_is_told_and_to_whom_it_is_new(board):
    heard: dict[str, list[tuple]] = {"ann": [], "ben": []}
    board.subscribe(lambda *change: heard["ann"].append(change), "ann")
    board.subscribe(lambda *change: heard["ben"].append(change), "ben")
    for step in range(2000):
        board.set("stem/drums/gain", step / 1000, "ann")
    board.set("stem/drums/gain", 0.0, "ben")  # and back: ann does not know yet
    _until(lambda: heard["ann"])
    assert heard["ann"][-1] == ("stem/drums/gain", 0.0, "ben")
    assert len(heard["ben"]) < 100


def test_what_others_write_into_the_shared_table_is_noticed(board, open_session):
    heard = []
    session = open_session()
    board.connect(session)
    board.subscribe(lambda *change: heard.append(change), "ann")
    session.controls.set("stem/piano/pan", -0.5)  # as the DAW plugin does
    _until(lambda: heard)
    assert heard == [("stem/piano/pan", -0.5, "")]


def test_a_listener_that_has_ended_hears_nothing_more(board):
    heard = []
    end = board.subscribe(lambda *change: heard.append(change))
    end()
    other = threading.Event()
    board.subscribe(lambda *change: other.set())
    board.set("panic", 1)
    assert other.wait(5)
    assert heard == []


@pytest.mark.parametrize(("name", "value"), [("kazoo", 1), ("stem/drums/gain", float("nan"))])
def test_what_cannot_be_set_is_refused(board, name, value):
    with pytest.raises(ConfigError):
        board.set(name, value)
    with pytest.raises(ConfigError):
        board.set_all({"bypass": 1, name: value})
    assert board.get("bypass") == 0


def test_a_trigger_goes_off_each_time(board):
    counts = set()
    for _ in range(3):
        board.trigger("reset")
        counts.add(board.get("reset"))
    assert len(counts) == 3
    with pytest.raises(ConfigError):
        board.trigger("bypass")


def test_figures_are_there_with_and_without_a_session(board, open_session):
    assert board.status() is None
    assert board.ledger.total == 0
    assert set(board.meters()) == {"input", "mix", *STEMS}
    session = open_session()
    board.connect(session, "my/folder/mine.onnx")
    board.set_device_latency(512)
    assert board.status().latency == session.latency
    assert board.ledger.total == session.latency + 512
    assert set(board.meters()) == {"input", "mix", *STEMS}
    assert board.model == "mine"


def test_models_are_swapped_by_name_only(board, open_session, make_small_model, tmp_path):
    folder = tmp_path / "models"
    folder.mkdir()
    make_small_model(folder / "louder.onnx", gains=(0.5, 0.2, 0.15, 0.1, 0.05), name="louder-one")
    make_small_model(folder / "duo.onnx", stems=("low", "rest"), gains=(0.5, 0.5))
    heard = []
    session = open_session()
    board.connect(session)
    board.subscribe(lambda *change: heard.append(change))
    _until(lambda: "louder" in board.models())
    assert "duo" not in board.models(), "it has other stems"

    board.swap("louder", "ann")
    _until(lambda: heard)
    assert heard == [(MODEL, "louder", "ann")]
    assert board.model == "louder"
    assert session.model == "louder-one"

    heard.clear()
    board.swap(str(folder / "louder.onnx"), "ben")
    _until(lambda: heard)
    name, sentence, origin = heard[0]
    assert (name, origin) == (ERROR, "ben")
    assert "There is no model" in sentence


def test_a_model_that_others_have_swapped_in_is_noticed(
    board, open_session, make_small_model, tmp_path
):
    session = open_session()
    board.connect(session, "default")
    heard = []
    board.subscribe(lambda *change: heard.append(change))
    session.swap(make_small_model(tmp_path / "other.onnx", name="another"))
    _until(lambda: (MODEL, "another", "") in heard)
    assert board.model == "another"


def test_presets_bring_back_the_whole_table_and_tell_everybody(board):
    board.set("stem/drums/gain", 0.5)
    board.set("stem/bass/solo", 1)
    outcomes, changes = [], []
    board.subscribe(lambda *change: outcomes.append(change) if "preset" in change[0] else None)
    board.save_preset("verse", "ann")
    _until(lambda: outcomes)
    assert outcomes == [(SAVED, "verse", "ann")]
    assert board.presets() == ("verse",)

    board.set("stem/drums/gain", 1.5)
    board.set("stem/bass/solo", 0)
    board.set("master/gain", 0.1)
    board.set("panic", 1)
    board.subscribe(lambda *change: changes.append(change), "ann")
    board.recall_preset("verse", "ann")
    _until(lambda: (RECALLED, "verse", "ann") in outcomes)
    assert board.get("stem/drums/gain") == 0.5
    assert board.get("stem/bass/solo") == 1
    assert board.get("master/gain") == 1.0
    assert board.get("panic") == 1, "a preset must not end a panic"
    _until(lambda: ("stem/drums/gain", 0.5, "") in changes)


def test_a_preset_that_is_not_there_is_told_as_an_error(board):
    heard = []
    board.subscribe(lambda *change: heard.append(change))
    board.recall_preset("nowhere", "ann")
    _until(lambda: heard)
    assert heard[0][0] == ERROR
    assert heard[0][2] == "ann"
    assert "nowhere" in heard[0][1]


def test_too_many_errands_are_refused_and_nobody_waits(board):
    start = time.monotonic()
    with pytest.raises(ConfigError, match="Too much"):
        any(board.save_preset(f"preset {number}") for number in range(10_000))
    assert time.monotonic() - start < 5


def test_closing_twice_does_no_harm_and_ends_the_threads():
    before = threading.active_count()
    board = Board(STEMS)
    board.close()
    board.close()
    _until(lambda: threading.active_count() <= before)
