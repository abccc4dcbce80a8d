"""A run learns, stops, resumes bit for bit, and refuses what it cannot use."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from training.checkpoint import load, save
from training.cli import app
from training.config import DataConfig, TrainConfig, WaveNetConfig, preset
from training.data.held_out import held_out
from training.metrics import si_sdr, si_sdr_improvement
from training.trainer import LAST, Trainer, learning_rate, resume_or_begin


@pytest.fixture
def config(songs: Path, soundfonts: Path) -> TrainConfig:
    return TrainConfig(
        model=WaveNetConfig(filters=8, skip=8, stacks=1, blocks=3, head=(8,)),
        data=DataConfig(
            midi=str(songs),
            soundfonts=str(soundfonts),
            batch_size=2,
            seconds=0.5,
            excerpt_seconds=1.0,
            pool_size=3,
        ),
        steps=6,
        warmup_steps=2,
        context_seconds=0.1,
    )


def test_a_resumed_run_ends_with_the_same_bits(config: TrainConfig, tmp_path: Path) -> None:
    straight, broken = tmp_path / "straight", tmp_path / "broken"
    Trainer(config).run(straight)
    half = resume_or_begin(config, broken)

    def stop(step: int, loss: float, scores: dict[str, float]) -> None:
        if step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        half.run(broken, report=stop)
    assert load(broken / LAST).step == 3
    resume_or_begin(config, broken).run(broken)
    a, b = load(straight / LAST), load(broken / LAST)
    assert a.step == b.step == 6
    for x, y in ((a.weights, b.weights), (a.average, b.average)):
        assert all(torch.equal(x[name], y[name]) for name in x)
    moments = zip(a.optimiser["state"].values(), b.optimiser["state"].values(), strict=True)
    assert all(torch.equal(x["exp_avg"], y["exp_avg"]) for x, y in moments)


def test_a_run_writes_scores_events_and_its_configuration(
    config: TrainConfig, tmp_path: Path, songs: Path, soundfonts: Path
) -> None:
    valid = list(held_out(songs, soundfonts / "b.sf2", 2, 1.0))
    losses = []
    trainer = Trainer(config)
    before = [p.detach().clone() for p in trainer.model.parameters()]
    trainer.run(tmp_path, valid, lambda step, loss, scores: losses.append(loss))
    checkpoint = load(tmp_path / LAST)
    assert len(losses) == 6
    assert set(checkpoint.scores) == set(config.model.stems)
    assert np.isfinite(list(checkpoint.scores.values())).all()
    assert checkpoint.config == config
    assert list(tmp_path.glob("events.out.tfevents.*"))
    moved = zip(before, trainer.model.parameters(), strict=True)
    assert all(not torch.equal(a, b) for a, b in moved)
    mean = checkpoint.average["entry.weight"]
    assert not torch.equal(mean, checkpoint.weights["entry.weight"])


def test_a_run_may_begin_with_the_averaged_weights_of_another(
    config: TrainConfig, tmp_path: Path
) -> None:
    Trainer(replace(config, steps=2)).run(tmp_path / "first")
    first = load(tmp_path / "first" / LAST)
    second = resume_or_begin(config, tmp_path / "second", tmp_path / "first" / LAST)
    second.pool.close()
    assert second.step == 0
    weights = second.model.state_dict()
    assert all(torch.equal(weights[name], first.average[name]) for name in weights)
    wider = replace(config, model=replace(config.model, filters=16))
    with pytest.raises(ValueError, match="another model"):
        resume_or_begin(wider, tmp_path / "third", tmp_path / "first" / LAST)


def test_a_loss_that_is_not_finite_names_the_batch(config: TrainConfig, tmp_path: Path) -> None:
    trainer = Trainer(config)
    with torch.no_grad():
        next(iter(trainer.model.parameters())).fill_(float("nan"))
    with pytest.raises(FloatingPointError, match="batch 0"):
        trainer.run(tmp_path)


def test_learning_rate_rises_then_falls_to_its_end() -> None:
    config = replace(TrainConfig(), steps=1000, warmup_steps=100)
    rates = [learning_rate(config, step) for step in range(1001)]
    assert rates[0] == pytest.approx(1e-5)
    assert max(rates) == pytest.approx(1e-3) == rates[100]
    assert rates[100:] == sorted(rates[100:], reverse=True)
    assert rates[1000] == pytest.approx(1e-5)


def test_si_sdr_ignores_scale_and_measures_noise() -> None:
    rng = np.random.default_rng(0)
    reference = rng.standard_normal((2, 50_000))
    noise = rng.standard_normal((2, 50_000))
    assert si_sdr(reference * 0.1, reference) > 100
    assert si_sdr(reference + 0.1 * noise, reference) == pytest.approx(20.0, abs=0.1)
    assert si_sdr_improvement(
        reference + 0.1 * noise, reference, reference + noise
    ) == pytest.approx(20.0, abs=0.1)


def test_configurations_survive_json_and_refuse_nonsense(tmp_path: Path) -> None:
    config = preset("wavenet-paper")
    path = tmp_path / "config.json"
    path.write_text(config.to_json())
    assert preset(str(path)) == config
    for bad in ({"model": {"kind": "x"}}, {"steps": 0}, {"data": {"nonsense": 1}}):
        with pytest.raises(ValueError, match=r"\w"):
            TrainConfig.from_dict(bad)
    with pytest.raises(ValueError, match="wavenet-frame"):
        preset("no-such-preset")


@pytest.mark.parametrize("damage", ["cut", "foreign", "missing"])
def test_damaged_checkpoints_are_refused(config: TrainConfig, tmp_path: Path, damage: str) -> None:
    path = tmp_path / LAST
    if damage == "cut":
        trainer = Trainer(config)
        save(path, trainer.checkpoint())
        trainer.pool.close()
        path.write_bytes(path.read_bytes()[:-2000])
    elif damage == "foreign":
        torch.save({"weights": torch.zeros(3)}, path)
    with pytest.raises(ValueError, match=r"last\.pt"):
        load(path)


def run_cli(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["separator", *map(str, arguments)])
    return result.exit_code, result.output


def test_command_line_trains_and_resumes(
    config: TrainConfig, tmp_path: Path, songs: Path, soundfonts: Path
) -> None:
    path = tmp_path / "config.json"
    path.write_text(config.to_json())
    options = ("--midi", songs, "--soundfonts", soundfonts, "--config", path)
    for steps in (2, 3):
        code, output = run_cli(*options, "--out", tmp_path / "run", "--steps", steps)
        assert code == 0, output
        assert load(tmp_path / "run" / LAST).step == steps


@pytest.mark.parametrize("missing", ["--midi", "--soundfonts", "--config"])
def test_command_line_names_what_is_missing(
    tmp_path: Path, songs: Path, soundfonts: Path, missing: str
) -> None:
    options = {"--midi": songs, "--soundfonts": soundfonts, "--out": tmp_path / "run"}
    options[missing] = tmp_path / "nowhere"
    code, output = run_cli(*(item for pair in options.items() for item in pair))
    assert code == 2
    assert "nowhere" in output
    assert "Traceback" not in output
