"""The engine's public face: its names, what it imports, how fast."""

import subprocess
import sys
import time
from pathlib import Path

import engine

ROOT = Path(__file__).resolve().parents[2]
_PROBE = """
import sys, engine
unwanted = {"torch", "onnx", "onnxruntime", "soxr", "training", "export", "plugin_host"}
print(sorted(unwanted & set(sys.modules)))
"""


def test_public_names_are_these_and_no_others() -> None:
    assert sorted(engine.__all__) == [
        "AudioError",
        "ConfigError",
        "HostConfig",
        "LatencyLedger",
        "Manifest",
        "ModelError",
        "Separator",
        "StemwireError",
        "find_model",
        "list_models",
        "read_manifest",
    ]
    for name in engine.__all__:
        assert getattr(engine, name).__module__.startswith("engine.")


def test_import_pulls_in_nothing_heavy() -> None:
    result = subprocess.run(
        [sys.executable, "-c", _PROBE], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_import_takes_less_than_half_a_second() -> None:
    def seconds(code: str) -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
        return time.perf_counter() - start

    # The least of several runs: what the machine does besides only ever adds.
    assert min(seconds("import engine") for _ in range(5)) < 0.5
