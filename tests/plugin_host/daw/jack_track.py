"""A track on JACK: plays noise into a plugin's client and keeps what comes back.

    jack_track.py CLIENT OUT

Plays from the start of the noise, says so on stdout, and when stdin ends writes to OUT (.npz) what
it has played and heard, both `(channels, frames)`.
"""

import sys

import jack
import numpy as np

SECONDS = 60  # at most


def main(client_name: str, out: str) -> None:
    client = jack.Client("track", no_start_server=True)
    frames = int(SECONDS * client.samplerate) // client.blocksize * client.blocksize
    noise = np.random.default_rng(7).standard_normal((2, frames))
    played = (0.1 * noise).astype(np.float32)
    heard = np.zeros_like(played)
    outputs = [client.outports.register(f"out_{side}") for side in ("left", "right")]
    inputs = [client.inports.register(f"in_{side}") for side in ("left", "right")]
    place = 0

    @client.set_process_callback
    def process(block: int) -> None:
        nonlocal place
        now = slice(place, place + block)
        for channel in range(2):
            output, source = outputs[channel].get_array(), played[channel, now]
            output[: len(source)], output[len(source) :] = source, 0
            heard[channel, now] = inputs[channel].get_array()[: len(source)]
        place += block

    with client:
        for side, output, source in zip(("left", "right"), outputs, inputs, strict=True):
            client.connect(f"{client_name}:mix_{side}", source)
            client.connect(output, f"{client_name}:in_{side}")
        sys.stdout.write("playing\n")
        sys.stdout.flush()
        sys.stdin.read()
        place, end = frames, min(place, frames)  # silence from now on
    np.savez(out, played=played[:, :end], heard=heard[:, :end])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
