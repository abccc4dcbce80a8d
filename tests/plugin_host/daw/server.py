"""Serves plugins with a model, until stdin ends or somebody kills it: `server.py MODEL`."""

import sys

from engine.worker.guests import Guests

if __name__ == "__main__":
    with Guests(sys.argv[1], fifo_priority=None) as guests:
        sys.stdout.write(f"{guests.engine_pid}\n")
        sys.stdout.flush()
        sys.stdin.read()
