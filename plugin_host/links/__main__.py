"""`python -m plugin_host.links KIND OPTIONS`: one audio link, started by `stemwire serve`.

OPTIONS is a JSON object with the fields of the kind's options.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from engine import StemwireError
from plugin_host.links.line import Line

USER_ERROR = 2


def main(kind: str, options: dict[str, Any]) -> int:
    """Runs a link until it ends.

    Args:
        kind: One of `plugin_host.links.KINDS`.
        options: Fields of the kind's options.

    Returns:
        The exit code.
    """
    line = Line.of_this_process()
    try:
        _run(kind, options, line)
    except StemwireError as error:
        line.say("error", message=str(error))
        return USER_ERROR
    return 0


def _run(kind: str, options: dict[str, Any], line: Line) -> None:
    if kind == "jack":
        from plugin_host.links.jack_link import JackOptions, run_jack_link

        links = frozenset((own, other) for own, other in options.pop("connections", ()))
        run_jack_link(line, JackOptions(connections=links, **options))
    elif kind == "portaudio":
        from plugin_host.links.portaudio_link import PortAudioOptions, run_portaudio_link

        run_portaudio_link(line, PortAudioOptions(**options))
    else:
        from plugin_host.links.file_link import FileOptions, run_file_link

        song, record = Path(options.pop("song")), options.pop("record", None)
        folder = None if record is None else Path(record)
        run_file_link(line, FileOptions(song=song, record=folder, **options))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], json.loads(sys.argv[2])))
