"""What MIDI controllers do, kept in a file.

It is `$STEMWIRE_MIDI`, or `stemwire/midi.toml` in the place where this system keeps a user's data:

    format = 1

    [[controllers]]
    channel = 1                     # 1 to 16
    number = 7                      # 0 to 127, of the control change
    control = "stem/drums/gain"
    mode = "follow"                 # or "toggle": each press turns a switch the other way
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

from engine import ConfigError
from plugin_host.errors import OutputError

FORMAT = 1

Mode = Literal["follow", "toggle"]

_MAX_BYTES = 2**20


@dataclass(frozen=True)
class Controller:
    """One controller and what it does.

    Attributes:
        channel: 1 to 16.
        number: of the control change, 0 to 127.
        control: the name of a control.
        mode: "follow" the knob, or "toggle" a switch at each press.
    """

    channel: int
    number: int
    control: str
    mode: Mode = "follow"

    def __post_init__(self) -> None:
        fields_are_right = (
            isinstance(self.channel, int)
            and 1 <= self.channel <= 16
            and isinstance(self.number, int)
            and 0 <= self.number <= 127
            and isinstance(self.control, str)
            and self.mode in get_args(Mode)
        )
        if not fields_are_right:
            raise ConfigError(
                f"A MIDI controller has a channel (1 to 16), a number (0 to 127), a control and a "
                f"mode ({' or '.join(get_args(Mode))}), and {self} has not."
            )


def map_file() -> Path:
    """The file that says what controllers do; it need not exist."""
    chosen = os.environ.get("STEMWIRE_MIDI")
    if chosen:
        return Path(chosen).expanduser()
    from platformdirs import user_data_path

    return user_data_path("stemwire", appauthor=False) / "midi.toml"


def read_map(path: Path) -> list[Controller]:
    """Returns the controllers that a file names; none if there is no file.

    Raises:
        ConfigError: if something in it is wrong.
    """
    try:
        if not path.exists():
            return []
        if path.stat().st_size > _MAX_BYTES:
            raise ConfigError(f"{path} is too large for a list of MIDI controllers.")
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"The MIDI controllers in {path} cannot be read: {error}.") from error
    rows = document.get("controllers", [])
    if document.get("format") != FORMAT or not isinstance(rows, list):
        raise ConfigError(f"{path} is no list of MIDI controllers of format {FORMAT}.")
    try:
        return [Controller(**row) for row in rows]
    except (TypeError, ConfigError) as error:
        raise ConfigError(f"A MIDI controller in {path} is wrong: {error}") from error


def write_map(path: Path, controllers: Sequence[Controller]) -> None:
    """Writes what controllers do, in one step.

    Raises:
        OutputError: if it cannot be written.
    """
    import tomli_w

    rows = [asdict(controller) for controller in controllers]
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            unfinished.write_text(tomli_w.dumps({"format": FORMAT, "controllers": rows}))
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}.") from error
