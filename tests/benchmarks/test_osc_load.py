"""`stemwire-bench osc` counts every message and times it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks.cli import app
from benchmarks.osc_clients import Flood
from benchmarks.osc_load import _times
from plugin_host.osc.datagram import parse


def test_every_message_is_heard_and_timed(small_model, tmp_path):
    words = ["osc", "--model", small_model, "--block-size", 2048, "--rate", 400, "--seconds", 0.5]
    words += ["--rounds", 1, "--no-fifo", "--output", tmp_path]
    done = CliRunner().invoke(app, list(map(str, words)))
    assert done.exit_code == 0, done.output
    result = json.loads((tmp_path / "osc.json").read_text())
    assert (result["sent"], result["lost"]) == (200, 0)
    assert 0 < result["control"]["p50"] <= result["control"]["p99"]
    assert result["blocks"] == 32
    assert "200 sent, 0 lost" in done.stdout


def test_no_two_messages_have_the_same_value():
    values = [
        parse(datagram)[1]
        for number in range(2)
        for _, datagram in Flood(0, ["/a", "/b"], number, 2, 1.0, 1_000).messages_to_send()
    ]
    assert len(set(values)) == 2_000


def test_a_message_that_did_not_arrive_is_counted_as_lost():
    times = _times([(0, 1_000), (1, 2_000), (2, 3_000)], [(0.0, 5_000), (2 / 2**15, 9_000)])
    assert np.isnan(times[1])
    assert times[[0, 2]] == pytest.approx([4e-6, 6e-6])


@pytest.mark.parametrize("option", [("--rounds", 0), ("--rate", 0), ("--seconds", 1e6)])
def test_what_cannot_be_measured_is_refused(option):
    done = CliRunner().invoke(app, ["osc", *map(str, option)])
    assert done.exit_code == 2
    assert "messages a round" in done.stderr
