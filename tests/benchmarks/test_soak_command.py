"""`stemwire-bench soak`: nothing grows, and if something did, it would be told."""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from benchmarks import soak
from benchmarks.cli import app
from benchmarks.memory import read_memory

MIB = 2**20


def bench(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["soak", *arguments])


def test_the_live_path_keeps_nothing_from_block_to_block(small_model: Path, tmp_path: Path) -> None:
    done = bench(
        "--model", str(small_model), "--block-size", "64", "--blocks", "1000",
        "--output", str(tmp_path),
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    result: dict[str, Any] = json.loads((tmp_path / soak.RESULT_FILE).read_text())
    assert (result["blocks"], result["settled"]) == (1000, 500)
    assert (result["underruns"], result["restarts"]) == (0, 0)
    assert result["speed"] == pytest.approx(1000 * 64 / 44_100 / result["seconds"])
    # If every block kept one object, that would be 2,000 of them and 100 kB.
    for process in ("link", "engine"):
        traced = result["traced"][process]
        assert traced["kept_bytes"] < 2048
        assert traced["kept_objects"] < 100
        assert traced["kept_bytes"] <= traced["peak_bytes"] < 64 * 1024
    blocks = [sample["blocks"] for sample in result["samples"]]
    assert blocks == sorted(set(blocks))
    assert {500, 1000} <= set(blocks)
    if sys.platform == "linux":
        for process in ("link", "engine"):
            assert result["growth"][process]["anonymous"] < MIB
            assert process in done.output


@pytest.fixture
def found() -> soak.Soak:
    """What a soak may find."""
    allocated = {"kept_bytes": 0, "kept_objects": 0, "peak_bytes": 100}
    sizes = {"rss": 90 * MIB, "pss": 80 * MIB, "anonymous": 70 * MIB}
    return soak.Soak(
        model="small", runtime="one", block_size=256, latency=320, blocks=100, settled=50,
        seconds=1.0, speed=2.0, underruns=0, restarts=0,
        growth={"link": dict.fromkeys(sizes, 0), "engine": dict.fromkeys(sizes, 0)},
        samples=[{"blocks": 100, "link": sizes, "engine": sizes}],
        traced={"blocks": 10, "link": allocated, "engine": allocated},
        scheduling={"engine": "default", "link": "default"}, notes=(),
    )  # fmt: skip


@pytest.mark.parametrize("process", ["link", "engine"])
@pytest.mark.parametrize(
    ("kind", "size", "is_too_much"),
    [
        ("rss", 1.1, True),
        ("anonymous", 1.1, True),
        ("rss", 0.9, False),
        ("pss", 5.0, False),  # another process that shared something has ended
        ("rss", -5.0, False),
    ],
)
def test_more_than_a_mebibyte_is_growth_and_ends_with_exit_code_1(
    small_model: Path,
    monkeypatch: pytest.MonkeyPatch,
    found: soak.Soak,
    process: str,
    kind: str,
    size: float,
    is_too_much: bool,
) -> None:
    found.growth[process][kind] = int(size * MIB)
    monkeypatch.setattr(soak, "measure", lambda *_, **__: found)
    done = bench("--model", str(small_model), "--blocks", "100")
    assert done.exit_code == int(is_too_much)
    assert ("has grown" in done.output) == is_too_much
    assert f"{size:+.2f}" in done.output


def test_a_system_that_tells_nothing_is_no_failure(
    small_model: Path, monkeypatch: pytest.MonkeyPatch, found: soak.Soak
) -> None:
    silent = replace(found, growth={}, samples=[{"blocks": 100, "link": None, "engine": None}])
    monkeypatch.setattr(soak, "measure", lambda *_, **__: silent)
    done = bench("--model", str(small_model), "--blocks", "100")
    assert done.exit_code == 0
    assert "does not tell" in done.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--blocks", "9"], "at least 10"),
        (["--block-size", "0"], "block_size is 0"),
        (["--model", "no-such-model"], "no-such-model"),
    ],
)
def test_bad_options_give_one_sentence(small_model: Path, arguments: list[str], words: str) -> None:
    done = bench("--model", str(small_model), *arguments)
    assert done.exit_code == 2
    assert words in done.output
    assert len(done.output.strip().splitlines()) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's /proc")
def test_memory_that_a_process_asks_for_is_seen() -> None:
    before = read_memory(os.getpid())
    hoard = bytearray(os.urandom(1)) * (20 * MIB)
    after = read_memory(os.getpid())
    assert before is not None
    assert after is not None
    assert after.anonymous - before.anonymous > 19 * MIB
    assert after.rss >= after.pss > 0
    assert len(hoard) == 20 * MIB
    assert read_memory(2**22 + 1) is None
