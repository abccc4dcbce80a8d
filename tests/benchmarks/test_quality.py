"""Scores are what they are called, on estimates whose quality is known."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from benchmarks.cli import app
from benchmarks.quality import Example, score, summarise

RATE = 44_100


def example(seconds: float = 2.0) -> Example:
    rng = np.random.default_rng(0)
    frames = round(RATE * seconds)
    names = ("drums", "bass", "piano")
    references = {n: rng.normal(0, 0.1, (2, frames)).astype(np.float32) for n in names}
    references["bass"][1] = references["bass"][0]  # in the middle, as basses are
    references["strings"] = np.zeros((2, frames), np.float32)
    return Example("noise", RATE, sum(references.values()), references)  # type: ignore[arg-type]


def leaky(whole: Example, leak: float) -> dict[str, np.ndarray]:
    """Estimates with some of the next stem in each."""
    names = ["drums", "bass", "piano"]
    following = dict(zip(names, names[1:] + names[:1], strict=True))
    estimates = {n: whole.references[n] + leak * whole.references[following[n]] for n in names}
    return estimates | {"strings": whole.mixture * 0.1}


def test_leaks_are_measured_in_db_also_where_a_stem_is_mono() -> None:
    whole = example()
    scores = score(whole, leaky(whole, 0.1), ["drums", "bass", "piano", "strings"], bss=True)
    assert set(scores) == {"drums", "bass", "piano"}  # the silent stem is not scored
    for values in scores.values():
        assert values["si_sdr"] == pytest.approx(20.0, abs=0.5)
        assert values["si_sdr_improvement"] == pytest.approx(23.0, abs=0.5)
        assert values["sdr"] == pytest.approx(20.0, abs=0.5)
        assert values["sir"] == pytest.approx(20.0, abs=1.0)
        assert values["sar"] > 25.0


def test_summary_keeps_to_finite_values() -> None:
    scores = {"drums": {"si_sdr_improvement": [1.0, 2.0, 4.0], "sir": [np.nan, 3.0, 3.0]}}
    summary = summarise(scores)["drums"]
    assert summary["examples"] == 3
    assert summary["si_sdr_improvement"]["median"] == 2.0
    assert summary["sir"]["mean"] == 3.0


def test_recorded_songs_are_scored_and_reported(tmp_path: Path, small_model: Path) -> None:
    whole = example(1.0)
    song = tmp_path / "songs" / "one"
    song.mkdir(parents=True)
    soundfile.write(song / "mixture.wav", whole.mixture.T, RATE, "FLOAT")
    for name in ("drums", "bass"):
        soundfile.write(song / f"{name}.wav", whole.references[name].T, RATE, "FLOAT")
    output = tmp_path / "quality.json"
    songs = ["--songs", str(tmp_path / "songs"), "--stem", "drums", "--no-bss"]
    arguments = ["quality", "--model", str(small_model), *songs, "--output", str(output)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    report = json.loads(output.read_text())
    assert list(report["stems"]) == ["drums"]
    # this model's stems are the mixture, louder or softer: nothing is gained
    gain = report["stems"]["drums"]["si_sdr_improvement"]["median"]
    assert gain == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ([], "--midi"),
        (["--midi", "nowhere", "--soundfont", "none.sf2"], "none.sf2"),
        (["--songs", "nowhere"], "nowhere"),
        (["--model", "no-such-model", "--songs", "."], "no-such-model"),
    ],
)
def test_what_is_missing_is_named(arguments: list[str], word: str, small_model: Path) -> None:
    if "--model" not in arguments:
        arguments = ["--model", str(small_model), *arguments]
    result = CliRunner().invoke(app, ["quality", *arguments])
    assert result.exit_code == 2
    assert word in result.output
    assert "Traceback" not in result.output
