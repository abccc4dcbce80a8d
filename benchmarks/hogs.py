"""What a busy machine is like: a thread of this process and another process that never rest."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# Ends itself when its stdin ends, so that it never outlives who started it.
_HOG = """
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
number = 0
while True:
    number += 1
"""


@contextmanager
def hogs() -> Iterator[None]:
    """Keeps two cores busy during a `with` block.

    One with a Python thread of this process, where the code of a user interface would run, and one
    with a process of its own.
    """
    is_over = threading.Event()

    def hog() -> None:
        number = 0
        while not is_over.is_set():
            number += 1

    thread = threading.Thread(target=hog, daemon=True)
    process = subprocess.Popen([sys.executable, "-c", _HOG], stdin=subprocess.PIPE)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
        process.kill()
        process.wait()
        if process.stdin:
            process.stdin.close()
