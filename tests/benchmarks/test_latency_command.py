"""`stemwire-bench latency`: what it counts, what it writes, what it refuses."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from benchmarks import latency
from benchmarks.cli import app
from benchmarks.machine import describe_machine, scheduling
from engine import HostConfig


def bench(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["latency", *arguments])


class FakeTime:
    """A clock that moves only when someone sleeps or computes."""

    def __init__(self) -> None:
        self.now = 100.0

    def perf_counter(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.now += seconds


class FakeSeparator:
    """Takes for block i as many deadlines as it is told."""

    stems = ("low", "rest")
    config = HostConfig(44_100, 441, 2)  # 10 ms

    def __init__(self, clock: FakeTime, costs: list[float]) -> None:
        self.clock = clock
        self.costs = iter(costs)
        self.taken: list[float] = []

    def process(self, block: np.ndarray, out: np.ndarray) -> None:
        assert block.shape == (2, 441)
        assert out.shape == (2, 2, 441)
        self.taken.append(self.clock.now)
        self.clock.now += next(self.costs) * self.config.deadline


@pytest.mark.parametrize(
    ("costs", "underruns", "taken"),
    [
        ([0.5, 0.5, 0.5, 0.5], 0, [0, 1, 2, 3]),
        ([0.0, 0.9, 0.0, 0.0], 0, [0, 1, 2, 3]),
        ([0.5, 1.5, 0.2, 0.5], 1, [0, 1, 2.5, 3]),  # late once, then caught up
        ([0.5, 7.5, 0.2, 0.5], 1, [0, 1, 8.5, 9]),  # the clock skips the blocks it slept through
        ([2.5, 2.5, 2.5, 2.5], 4, [0, 2.5, 5, 7.5]),
    ],
)
def test_late_blocks_are_counted_once_each(
    monkeypatch: pytest.MonkeyPatch, costs: list[float], underruns: int, taken: list[float]
) -> None:
    clock = FakeTime()
    monkeypatch.setattr(latency, "time", clock)
    separator = FakeSeparator(clock, costs)
    audio = np.zeros((2, 1000), np.float32)
    paced = latency.run_paced(separator, audio, len(costs))  # type: ignore[arg-type]
    deadline = separator.config.deadline
    assert paced.underruns == underruns
    np.testing.assert_allclose(paced.compute / deadline, costs, atol=1e-6)
    starts = (np.array(separator.taken) - separator.taken[0]) / deadline
    np.testing.assert_allclose(starts, taken, atol=1e-6)
    assert (paced.wake >= -1e-9).all()


def test_the_result_holds_numbers_machine_and_model(small_model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    done = bench(
        "--model", str(small_model), "--block-size", "64", "--block-size", "100",
        "--blocks", "60", "--sample-rate", "48000", "--output", str(folder),
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "p99.9" in done.output
    result = json.loads((folder / latency.RESULT_FILE).read_text())
    assert result["runtime"] == "onnxruntime-cpu"
    assert result["sample_rate"] == 48_000
    assert result["scheduling"] == "default"
    assert result["machine"]["packages"]["numpy"] == np.__version__
    assert result["machine"]["processor"]
    assert [case["block_size"] for case in result["cases"]] == [64, 100]
    for case in result["cases"]:
        assert case["deadline_ms"] == pytest.approx(case["block_size"] / 48)
        assert sum(frames for _, frames in case["ledger"]) == case["latency"]
        times = [case[name] for name in ("p50_ms", "p90_ms", "p99_ms", "p999_ms", "max_ms")]
        assert times == sorted(times)
        assert times[0] > 0
        assert case["p99_share"] == pytest.approx(case["p99_ms"] / case["deadline_ms"])
        assert case["blocks"] == 60
        assert 0 <= case["underruns"] <= 60


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--model", "no-such-model"], "no-such-model"),
        (["--block-size", "0"], "block_size is 0"),
        (["--block-size", "9000"], "1 to 8,192"),
        (["--sample-rate", "4000"], "4000 Hz"),
        (["--channels", "9"], "channels is 9"),
        (["--blocks", "0"], "at least one"),
        (["--runtime", "quantum"], "quantum"),
    ],
)
def test_bad_options_give_one_sentence(small_model: Path, arguments: list[str], words: str) -> None:
    done = bench("--model", str(small_model), "--blocks", "5", *arguments)
    assert done.exit_code == 2
    assert words in done.output
    assert "Traceback" not in done.output
    assert len(done.output.strip().splitlines()) == 1


def test_a_folder_that_cannot_be_made_is_told_before_measuring(
    small_model: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    done = bench("--model", str(small_model), "--output", str(tmp_path / "file" / "folder"))
    assert done.exit_code == 2
    assert "cannot be made" in done.output


def test_real_time_scheduling_is_undone_and_refusal_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[int] = []
    fake = SimpleNamespace(
        SCHED_FIFO=1,
        sched_param=lambda priority: priority,
        sched_getscheduler=lambda _pid: 0,
        sched_getparam=lambda _pid: 0,
        sched_setscheduler=lambda _pid, policy, _param: calls.append(policy),
    )
    monkeypatch.setattr("benchmarks.machine.os", fake)
    with scheduling(True) as schedule:
        assert schedule == "SCHED_FIFO 70"
    assert calls == [1, 0]

    def refuse(*_: object) -> None:
        raise PermissionError

    fake.sched_setscheduler = refuse
    with scheduling(True) as schedule:
        assert "not permitted" in schedule
    with scheduling(False) as schedule:
        assert schedule == "default"


def test_the_machine_is_described_in_json() -> None:
    machine = json.loads(json.dumps(describe_machine()))
    assert machine["cores"] >= machine["usable_cores"] >= 1
