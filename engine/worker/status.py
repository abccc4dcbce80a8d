"""What a session says about itself, for a live view, for scripts and for OSC."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Status:
    """How a session is doing.

    Attributes:
        state: "running", "restarting" or "swapping".
        model: the name of the model that plays.
        runtime: what computes it, one sentence.
        load: compute time / deadline, smoothed over about 50 blocks.
        blocks: handed over so far.
        underruns: of them, those whose output was not there in time.
        skips: times that the engine let blocks go to be in time again.
        restarts: engines that had to be replaced.
        nonfinite_samples: input samples that were no numbers and were taken as 0.
        latency: frames.
        first_seconds: that the first block took to compute.
        notes: sentences on what the system did not allow, or what went wrong.
    """

    state: str
    model: str
    runtime: str
    load: float
    blocks: int
    underruns: int
    skips: int
    restarts: int
    nonfinite_samples: int
    latency: int
    first_seconds: float
    notes: tuple[str, ...]
