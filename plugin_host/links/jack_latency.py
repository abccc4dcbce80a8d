"""What JACK is told about our latency, and what it tells us about the rest of the graph's.

JACK asks every client twice, along the signal and against it:

    capture     system:capture --> in_1 =[ L ]=> mix_1        how old is what comes out of mix_1?
    playback    in_1 =[ L ]=> mix_1 --> system:playback       how late is heard what goes into in_1?

Each of our ports on the far side answers with the range of those on the near side, and our own
latency on top. The Python package JACK-Client has no call for this, so libjack is called directly.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

CAPTURE, PLAYBACK = 0, 1

_ModeCallback = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_void_p)


class _Range(ctypes.Structure):
    _fields_ = (("minimum", ctypes.c_uint32), ("maximum", ctypes.c_uint32))


class PortLatencies:
    """The latencies of one client's ports; made before the client is activated.

    Attributes:
        device: Frames that the sound is old when it comes to us, and that it takes from us until
            it is heard: the largest of each over the connected ports.
    """

    def __init__(
        self,
        client: Any,
        inputs: Sequence[Any],
        outputs: Sequence[Any],
        latency: Callable[[], int],
        on_change: Callable[[], None],
    ) -> None:
        """Answers for a client from now on.

        Args:
            client: A `jack.Client`; it must outlive this object.
            inputs: Its input ports.
            outputs: Its output ports.
            latency: Tells our latency in frames.
            on_change: Called after each answer, in a thread of JACK's.
        """
        import jack

        self.device = (0, 0)
        self._library = _library(jack._libname)
        self._client = _address(client)
        self._ports = {CAPTURE: list(map(_address, inputs)), PLAYBACK: list(map(_address, outputs))}
        self._latency = latency
        self._on_change = on_change
        self._callback = _ModeCallback(self._answer)  # JACK holds no reference
        self._library.jack_set_latency_callback(self._client, self._callback, None)

    def recompute(self) -> None:
        """Lets JACK ask anew, after our latency has changed."""
        self._library.jack_recompute_total_latencies(self._client)

    def _answer(self, mode: int, _: object) -> None:
        near, far = self._ports[mode], self._ports[PLAYBACK if mode == CAPTURE else CAPTURE]
        ranges = [
            self._range(port, mode) for port in near if self._library.jack_port_connected(port)
        ]
        lowest = min((found.minimum for found in ranges), default=0)
        highest = max((found.maximum for found in ranges), default=0)
        latency = self._latency()
        answer = _Range(lowest + latency, highest + latency)
        for port in far:
            self._library.jack_port_set_latency_range(port, mode, ctypes.byref(answer))
        self.device = (highest, self.device[1]) if mode == CAPTURE else (self.device[0], highest)
        self._on_change()

    def _range(self, port: int, mode: int) -> _Range:
        found = _Range()
        self._library.jack_port_get_latency_range(port, mode, ctypes.byref(found))
        return found


def _address(wrapper: Any) -> int:
    """The C pointer in an object of JACK-Client's, which keeps it to itself."""
    from _jack import ffi

    return int(ffi.cast("uintptr_t", wrapper._ptr))


def _library(name: str) -> ctypes.CDLL:
    """libjack, the same that JACK-Client has loaded, with the calls that we need."""
    library = ctypes.CDLL(name)
    pointer, mode, range_pointer = ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(_Range)
    for function, result, arguments in (
        ("jack_set_latency_callback", ctypes.c_int, (pointer, _ModeCallback, pointer)),
        ("jack_recompute_total_latencies", ctypes.c_int, (pointer,)),
        ("jack_port_connected", ctypes.c_int, (pointer,)),
        ("jack_port_get_latency_range", None, (pointer, mode, range_pointer)),
        ("jack_port_set_latency_range", None, (pointer, mode, range_pointer)),
    ):
        call = getattr(library, function)
        call.restype, call.argtypes = result, arguments
    return library
