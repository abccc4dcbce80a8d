"""Lets numbers too small to matter count as zero while a model computes, and only then.

Below 1.2e-38 a float32 is "denormal", and many processors take a hundred times as long over it. A
fading sound gets there, and a block is late. ONNX Runtime can switch such numbers off, but for the
whole thread and for good, so that the host's own arithmetic changes as well; and only if its first
session in the process asks for it. So the floating-point environment of C99 (`fenv.h`) is changed
before a step and put back after it: 1 us in all.
"""

import ctypes
import platform
import sys
from types import TracebackType

import numpy as np

# Where the bits for "flush to zero" and "denormals are zero" lie in fenv_t: (byte, bits).
_X86_BITS, _ARM_BITS = 0x8040, 1 << 24
_PLACES = {
    ("linux", "x86_64"): (28, _X86_BITS),
    ("darwin", "x86_64"): (4, _X86_BITS),
    ("linux", "aarch64"): (0, _ARM_BITS),
    ("darwin", "arm64"): (8, _ARM_BITS),
}
_ENVIRONMENT_BYTES = 64  # no fenv_t is larger
_LIBRARIES = ("libm.so.6", None)  # None: what the process has loaded


class FlushToZero:
    """A `with` block in which denormal numbers are zero, on this thread.

    Where the platform is unknown, or it turns out not to work, the block does nothing.

    Attributes:
        works: whether it does anything; tried out when this is made.
    """

    def __init__(self) -> None:
        self._library = _library()
        self._outside = ctypes.create_string_buffer(_ENVIRONMENT_BYTES)
        self._inside = ctypes.create_string_buffer(_ENVIRONMENT_BYTES)
        self.works = False
        place = _PLACES.get((sys.platform, platform.machine()))
        if self._library and place:
            first, bits = place
            self._library.fegetenv(self._inside)
            word = int.from_bytes(self._inside.raw[first : first + 4], sys.byteorder) | bits
            ctypes.memmove(ctypes.byref(self._inside, first), word.to_bytes(4, sys.byteorder), 4)
            self.works = True
            with self:
                flushed = _small_number() == 0.0
            self.works = bool(flushed)

    def __enter__(self) -> None:
        if self.works and self._library:
            self._library.fegetenv(self._outside)
            self._library.fesetenv(self._inside)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.works and self._library:
            self._library.fesetenv(self._outside)


def _library() -> ctypes.PyDLL | None:
    """Returns the C library with `fesetenv`; its calls keep Python's lock, as they are short."""
    for name in _LIBRARIES:
        try:
            library = ctypes.PyDLL(name)
            if library.fegetenv and library.fesetenv:
                return library
        except (AttributeError, OSError, TypeError):
            continue
    return None


def _small_number() -> np.float32:
    """Returns 1e-40, or 0 where such numbers are flushed."""
    return np.float32(1e-30) * np.float32(1e-10)
