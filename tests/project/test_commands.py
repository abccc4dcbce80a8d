"""What the README and the Makefile tell a user to type is there."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
PACKAGE_OF = {script: target.split(".")[0] for script, target in SCRIPTS.items()}
README = (ROOT / "README.md").read_text()


def _help(*command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"COLUMNS": "200", "NO_COLOR": "1"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("script", sorted(SCRIPTS))
def test_each_console_script_is_also_a_module(script):
    assert "Usage" in _help(PACKAGE_OF[script])


def _readme_commands() -> list[str]:
    """The indented lines of the README that call one of our commands, without the folder."""
    lines = re.findall(r"^(?: {4}|\t)(?:\S*/)?(stemwire.*)$", README, re.MULTILINE)
    return sorted({line.split("#")[0].strip() for line in lines})


@pytest.mark.parametrize("command", _readme_commands())
def test_each_command_of_the_readme_exists_with_its_options(command):
    script, *words = shlex.split(command)
    # The first word is a subcommand, or the argument of a script that has none.
    first = [word for word in words[:1] if not word.startswith("-")]
    known = _help(PACKAGE_OF[script], *first)
    for option in (word for word in words if re.fullmatch(r"--?[a-z][a-z-]*", word)):
        assert re.search(rf"(^|[\s,│]){re.escape(option)}\b", known, re.MULTILINE), option


def test_the_readme_shows_commands():
    assert len(_readme_commands()) >= 5


def test_each_make_target_of_the_readme_is_in_the_makefile():
    targets = set(re.findall(r"\bmake ([a-z-]+)", README))
    rules = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"demo", "test"} <= targets <= rules


def test_make_help_lists_the_two_commands():
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert re.search(r"^ +make demo +\S", done.stdout, re.MULTILINE)
    assert re.search(r"^ +make test +\S", done.stdout, re.MULTILINE)
