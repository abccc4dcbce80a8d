"""Copies between a block and a ring that is addressed by absolute frame position."""

from engine.fifo import Samples


def write_ring(ring: Samples, position: int, block: Samples) -> None:
    """Writes `(..., frames)` to the frames from `position` on; both have the same other axes."""
    size, frames = ring.shape[-1], block.shape[-1]
    start = position % size
    first = min(frames, size - start)
    ring[..., start : start + first] = block[..., :first]
    if first < frames:
        ring[..., : frames - first] = block[..., first:]


def read_ring(ring: Samples, position: int, block: Samples) -> None:
    """Fills `(..., frames)` with the frames from `position` on."""
    size, frames = ring.shape[-1], block.shape[-1]
    start = position % size
    first = min(frames, size - start)
    block[..., :first] = ring[..., start : start + first]
    if first < frames:
        block[..., first:] = ring[..., : frames - first]
