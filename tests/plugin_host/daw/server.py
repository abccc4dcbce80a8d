"""Serves plugins with a model: `server.py MODEL` until stdin ends or somebody kills it,
`server.py MODEL FILE` until there is such a file.
"""

import sys
import time
from pathlib import Path

from engine.worker.guests import Guests

if __name__ == "__main__":
    with Guests(sys.argv[1], fifo_priority=None) as guests:
        sys.stdout.write(f"{guests.engine_pid}\n")
        sys.stdout.flush()
        if len(sys.argv) == 2:
            sys.stdin.read()
        else:
            while not Path(sys.argv[2]).exists():
                time.sleep(0.1)
