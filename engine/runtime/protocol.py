"""What the engine asks of a runtime."""

from collections.abc import Sequence
from typing import Any, Protocol

from engine.fifo import Samples

RuntimeState = Any
"""What a stream carries, in a runtime's own form; it stays valid when the stream goes on."""


class Runtime(Protocol):
    """A loaded model that steps through a stream.

    The runtime owns the memory that goes in and out, so that it can lie wherever it is fastest
    to use: pinned, shared with a device, or bound to a graph once and for all.
    """

    @property
    def description(self) -> str:
        """What computes, for people: library, version, device, threads."""
        ...

    def sibling(self) -> "Runtime":
        """Returns another runtime of the same model, which shares the weights and no state.

        It may step in another thread at the same time.
        """
        ...

    def prepare(self, step_sizes: Sequence[int], batch: int) -> None:
        """Allocates and warms up for steps of these sizes, in any order; a fresh stream. Slow.

        Args:
            step_sizes: frames per step, multiples of the model's hop.
            batch: streams side by side; each has a state of its own.

        Raises:
            ModelError: if this runtime cannot run the model.
        """
        ...

    def buffers(self, frames: int) -> tuple[Samples, Samples]:
        """Returns what `step(frames)` reads and fills; the same arrays until the next prepare.

        Returns:
            audio `(batch, channels, frames)` to write before a step, and stems
            `(batch, stems, channels, frames)` to read after it.
        """
        ...

    def step(self, frames: int) -> None:
        """Takes the audio buffer one step on, and the state with it. Does not allocate."""
        ...

    def reset(self) -> None:
        """Sets the state to what a stream begins with."""
        ...

    def snapshot(self) -> RuntimeState:
        """Returns a copy of the state."""
        ...

    def restore(self, state: RuntimeState) -> None:
        """Goes on from a snapshot of the same model with the same batch."""
        ...
