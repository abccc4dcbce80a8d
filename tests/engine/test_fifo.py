"""The queue gives back what it got, in order, and never more than it has."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.fifo import Fifo


@given(st.lists(st.tuples(st.integers(0, 10), st.integers(0, 10)), max_size=60))
def test_frames_come_out_as_they_went_in(moves: list[tuple[int, int]]) -> None:
    queue = Fifo((2,), 16)
    pushed = pulled = 0
    for more, less in moves:
        more = min(more, 16 - queue.ready)
        numbers = np.arange(pushed, pushed + more, dtype=np.float32)
        queue.push(np.stack([numbers, -numbers]))
        pushed += more
        less = min(less, queue.ready)
        out = np.empty((2, less), np.float32)
        queue.pull(out)
        numbers = np.arange(pulled, pulled + less, dtype=np.float32)
        np.testing.assert_array_equal(out, [numbers, -numbers])
        pulled += less
        assert queue.ready == pushed - pulled


def test_it_starts_with_the_silence_it_is_told() -> None:
    queue = Fifo((1,), 8)
    queue.push(np.ones((1, 5), np.float32))
    queue.reset(3)
    queue.push(np.ones((1, 2), np.float32))
    out = np.empty((1, 5), np.float32)
    queue.pull(out)
    np.testing.assert_array_equal(out, [[0, 0, 0, 1, 1]])


def test_too_much_either_way_is_an_error() -> None:
    queue = Fifo((1,), 8)
    with pytest.raises(OverflowError):
        queue.push(np.zeros((1, 9), np.float32))
    queue.push(np.zeros((1, 3), np.float32))
    with pytest.raises(OverflowError):
        queue.pull(np.empty((1, 4), np.float32))
