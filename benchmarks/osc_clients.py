"""The OSC benchmark's clients: `python -m benchmarks.osc_clients TASK`, a process each.

TASK is a JSON object with the fields of `Flood`. A client sends messages at an even pace, each with
a value that no other message has, and at the end tells on stdout when each was sent. The end of
stdin ends it.
"""

import json
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from plugin_host.links.line import Line
from plugin_host.osc.datagram import build

STEPS = 2**15
"""Values of a gain lie so close to each other: a float32 holds each one exactly, up to 4."""

MAX_MESSAGES = 4 * STEPS


@dataclass(frozen=True)
class Flood:
    """What a client shall send.

    Attributes:
        port: of the server.
        paths: addresses of gains, one after the other.
        number: this client's, from 0.
        clients: how many there are; their values do not meet.
        rate: messages per second.
        messages: how many.
    """

    port: int
    paths: Sequence[str]
    number: int
    clients: int
    rate: float
    messages: int

    def messages_to_send(self) -> Iterator[tuple[int, bytes]]:
        """Returns the number in the value of each message, and the message."""
        for index in range(self.messages):
            unique = index * self.clients + self.number
            yield unique, build(self.paths[index % len(self.paths)], [unique / STEPS])

    def as_json(self) -> str:
        """Returns what `main` reads."""
        return json.dumps(asdict(self))


def main(task: Flood) -> int:
    """Sends; returns the exit code."""
    line = Line.of_this_process()
    datagrams = list(task.messages_to_send())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.connect(("127.0.0.1", task.port))
        sent = []
        start = time.perf_counter()
        for index, (unique, datagram) in enumerate(datagrams):
            time.sleep(max(0.0, start + index / task.rate - time.perf_counter()))
            sent.append((unique, time.perf_counter_ns()))
            link.send(datagram)
            if index % 1_000 == 0 and line.is_over():
                return 1
    line.say("done", sent=sent, seconds=time.perf_counter() - start)
    return 0


if __name__ == "__main__":
    sys.exit(main(Flood(**json.loads(sys.argv[1]))))
