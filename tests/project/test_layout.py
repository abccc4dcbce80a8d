"""The packages are those of this folder, and light where they have to be."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("engine", "export", "training", "plugin_host", "benchmarks")


@pytest.mark.parametrize("name", PACKAGES)
def test_each_package_is_the_one_in_this_repository(name):
    module = importlib.import_module(name)
    assert module.__file__ == str(ROOT / name / "__init__.py")
    assert (module.__doc__ or "").strip()


def test_no_package_under_tests_hides_one_of_ours():
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def _after_import(name: str) -> dict[str, float | list[str]]:
    """Imports a package in a fresh process; returns the modules loaded and the seconds it took."""
    code = (
        "import json, sys, time; start = time.perf_counter(); "
        f"import {name}; seconds = time.perf_counter() - start; "
        "print(json.dumps({'seconds': seconds, 'modules': sorted(sys.modules)}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", ["engine", "plugin_host.cli"])
def test_what_a_musician_runs_loads_neither_torch_nor_onnx(name):
    modules = set(_after_import(name)["modules"])
    assert modules.isdisjoint({"torch", "onnx", "training", "export", "matplotlib", "stempeg"})


def test_engine_is_imported_in_half_a_second():
    # The quickest of a few: the machine may be busy, and the first one reads from a cold disk.
    assert min(_after_import("engine")["seconds"] for _ in range(5)) < 0.5
