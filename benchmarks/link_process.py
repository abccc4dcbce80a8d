"""The benchmarks' audio link: `python -m benchmarks.link_process TASK`.

TASK is a JSON object with the fields of `benchmarks.link.Task`. What happens is told on stdout, one
JSON object on each line, and the end of stdin ends the process, as in `plugin_host.links.line`:

    {"event": "progress", "blocks"}             now and then
    {"event": "ready"}                          a traced engine is
    {"event": "error", "message"}               it cannot go on
    {"event": "done", "scheduling", ...}        and what the job has found
"""

import json
import sys

from benchmarks.link import Task
from benchmarks.machine import scheduling_of
from benchmarks.paced import run_paced
from benchmarks.unpaced import run_traced_engine, run_traced_link, run_unpaced
from engine import StemwireError
from plugin_host.links.line import Line

_JOBS = {
    "paced": run_paced,
    "unpaced": run_unpaced,
    "traced link": run_traced_link,
    "traced engine": run_traced_engine,
}


def main(task: Task) -> int:
    """Plays; returns the exit code."""
    line = Line.of_this_process()
    try:
        found = _JOBS[task.job](task, line)
    except StemwireError as error:
        line.say("error", message=str(error))
        return 2
    line.say("done", scheduling=scheduling_of(0), **found)
    return 0


if __name__ == "__main__":
    sys.exit(main(Task(**json.loads(sys.argv[1]))))
