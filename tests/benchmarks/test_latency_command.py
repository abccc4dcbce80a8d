"""`stemwire-bench latency`: what it measures, what it writes, what it refuses."""

import json
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from benchmarks import latency
from benchmarks.cli import app
from benchmarks.hogs import hogs
from benchmarks.latency import Times
from benchmarks.link import Task, run_link
from benchmarks.machine import describe_machine, scheduling_of
from engine.errors import WorkerError

PNG = b"\x89PNG\r\n\x1a\n"


def bench(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["latency", *arguments])


def result_of(folder: Path) -> dict[str, Any]:
    result: dict[str, Any] = json.loads((folder / latency.RESULT_FILE).read_text())
    return result


def test_the_result_holds_numbers_machine_and_model(small_model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    done = bench(
        "--model", str(small_model), "--block-size", "64", "--block-size", "100",
        "--blocks", "60", "--sample-rate", "48000", "--output", str(folder),
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    for word in ("compute", "turn-around", "p99.9", "underruns", "first"):
        assert word in done.output
    result = result_of(folder)
    assert result["machine"]["packages"]["numpy"] == np.__version__
    assert result["machine"]["processor"]
    assert result["options"]["blocks"] == 60
    assert [case["block_size"] for case in result["cases"]] == [64, 100]
    for case in result["cases"]:
        check_case(case, blocks=60)
        assert case["sample_rate"] == 48_000
        assert case["deadline_ms"] == pytest.approx(case["block_size"] / 48)
    assert (folder / latency.PICTURE_FILE).read_bytes().startswith(PNG)


def check_case(case: dict[str, Any], blocks: int) -> None:
    """Asserts what holds for every case, however slow the machine is."""
    ledger = dict(case["ledger"])
    assert sum(ledger.values()) == case["latency"]
    assert case["limit_ms"] == pytest.approx(1e3 * ledger["worker"] / case["sample_rate"])
    assert case["blocks"] == blocks
    assert 0 <= case["underruns"] <= blocks
    assert 0 <= case["let_go"] < blocks
    for name in ("compute", "turn_around", "callback", "wake"):
        times = list(case[name].values())
        assert times == sorted(times)
        assert all(np.isfinite(times))
    assert 0 < case["compute"]["p50"] < case["turn_around"]["p50"]
    assert case["p99_share"] == pytest.approx(case["turn_around"]["p99"] / case["deadline_ms"])
    assert case["load"] > 0
    assert case["first_ms"] > 0
    assert case["open_ms"] > case["first_ms"]
    assert "ONNX Runtime" in case["runtime"]
    assert set(case["scheduling"]) == {"engine", "link"}


def test_several_models_are_measured_beside_a_busy_machine(
    small_model: Path, tmp_path: Path, make_small_model: Any
) -> None:
    other = make_small_model(tmp_path / "other.onnx", sample_rate=48_000)
    threads = threading.active_count()
    done = bench(
        "--model", str(small_model), "--model", str(other), "--block-size", "256",
        "--blocks", "40", "--busy", "--no-fifo", "--output", str(tmp_path),
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "busy machine" in done.output
    result = result_of(tmp_path)
    assert result["options"]["busy"]
    assert [case["sample_rate"] for case in result["cases"]] == [44_100, 48_000]
    for case in result["cases"]:
        check_case(case, blocks=40)
        assert case["scheduling"] == {"engine": "default", "link": "default"}
    assert threading.active_count() == threads


def test_without_matplotlib_there_is_no_picture_and_a_sentence(
    small_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latency, "can_draw", lambda: False)
    done = bench(
        "--model", str(small_model), "--block-size", "512", "--blocks", "5",
        "--output", str(tmp_path),
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "stemwire[demo]" in done.output
    assert len(result_of(tmp_path)["cases"]) == 1
    assert not (tmp_path / latency.PICTURE_FILE).exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--model", "no-such-model"], "no-such-model"),
        (["--block-size", "0"], "block_size is 0"),
        (["--block-size", "64", "--block-size", "9000"], "1 to 8,192"),
        (["--sample-rate", "4000"], "4000 Hz"),
        (["--channels", "9"], "channels is 9"),
        (["--blocks", "0"], "at least one"),
    ],
)
def test_bad_options_give_one_sentence_before_anything_is_measured(
    small_model: Path, arguments: list[str], words: str
) -> None:
    done = bench("--model", str(small_model), "--blocks", "5", *arguments)
    assert done.exit_code == 2
    assert words in done.output
    assert "Traceback" not in done.output
    assert len(done.output.strip().splitlines()) == 1


def test_a_runtime_that_does_not_exist_is_told(small_model: Path) -> None:
    done = bench("--model", str(small_model), "--blocks", "5", "--runtime", "quantum")
    assert done.exit_code == 2
    assert "quantum" in done.output
    assert "Traceback" not in done.output


def test_a_folder_that_cannot_be_made_is_told_before_measuring(
    small_model: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    done = bench("--model", str(small_model), "--output", str(tmp_path / "file" / "folder"))
    assert done.exit_code == 2
    assert "cannot be made" in done.output


def test_a_link_without_a_session_says_so() -> None:
    with pytest.raises(WorkerError, match="no shared memory at /nowhere"):
        run_link(Task("paced", "/nowhere", 5, None), lambda _: None)


def test_a_link_that_dies_is_told() -> None:
    with pytest.raises(WorkerError, match="has ended with exit code"):
        run_link(Task("nonsense", "/nowhere", 5, None), lambda _: None)  # type: ignore[arg-type]


def test_times_sum_up_what_is_known() -> None:
    seconds = np.append(np.arange(1, 1002) / 1000, np.nan)
    times = Times.of(np.random.default_rng(0).permutation(seconds))
    assert times is not None
    found = (times.p50, times.p90, times.p99, times.p999, times.max)
    assert found == pytest.approx((501, 901, 991, 1000, 1001))
    assert Times.of(np.full(3, np.nan)) is None


def test_hogs_use_time_and_then_are_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        started.append(popen(*arguments, **options))
        return started[-1]

    popen = subprocess.Popen
    monkeypatch.setattr("benchmarks.hogs.subprocess.Popen", start)
    threads, before = threading.active_count(), time.process_time()
    with hogs():
        assert threading.active_count() == threads + 1
        assert started[0].poll() is None
        while time.process_time() < before + 0.05:
            time.sleep(0.01)
    assert threading.active_count() == threads
    assert started[0].returncode is not None


def test_scheduling_is_told_as_it_is() -> None:
    assert scheduling_of(0) == "default"
    assert scheduling_of(2**22 + 1) == "unknown"  # above Linux's highest process number


def test_the_machine_is_described_in_json() -> None:
    machine = json.loads(json.dumps(describe_machine()))
    assert machine["cores"] >= machine["usable_cores"] >= 1
