"""ONNX Runtime on the CPU.

One session, bound twice to two sets of state buffers: reading set 0 and writing set 1, and the
other way round. What one step writes is what the next one reads, and nothing is copied.

                    set 0 --> step --> set 1 --> step --> set 0 ...
    side                       0                  1

Where the blocks bring steps of one size only, the axis `frames` is fixed to it, and the runtime
plans with all shapes known. Where two sizes alternate (blocks that are no multiple of the hop), one
session with the axis left open serves both. Two fixed ones would each hold a copy of the weights:
on 2 Zen4 cores they were never faster, and took up to 1.8 times as long where they pushed each
other out of the cache. Steps of single hops took 1.1 to 1.4 times as long as one step of several.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.artifact import Artifact
from engine.denormals import FlushToZero
from engine.errors import ModelError
from engine.fifo import Samples
from engine.runtime.library import load_onnxruntime

State = NDArray[Any]
"""One cache of one or more streams, in the type that the manifest names."""

_WARM_UP_STEPS = 3
_ALIGNMENT = 64  # bytes: a cache line, and the widest vector


class OnnxRuntimeCpu:
    """Runs a model with ONNX Runtime's CPU provider. See `engine.runtime.protocol.Runtime`.

    Args:
        artifact: the model.
        threads: that one operator may use. One is best for small blocks.

    Raises:
        ModelError: if ONNX Runtime is not installed.
    """

    def __init__(self, artifact: Artifact, threads: int) -> None:
        try:
            self._library = load_onnxruntime()
        except ImportError as error:
            raise ModelError(
                f"ONNX Runtime cannot be loaded ({error}); install stemwire[cpu]."
            ) from error
        self._artifact = artifact
        self._threads = threads
        self._flush_to_zero = FlushToZero()
        self._side = 0
        self._batch = 1
        self._states: tuple[list[State], list[State]] = ([], [])
        self._session: Any = None
        # By the frames that they are fixed to; shared by siblings.
        self._sessions: dict[int | None, Any] = {}
        self._bindings: dict[int, tuple[list[Any], list[Any]]] = {}
        self._buffers: dict[int, tuple[Samples, Samples]] = {}

    @property
    def description(self) -> str:
        """Library, version, device and threads."""
        threads = "1 thread" if self._threads == 1 else f"{self._threads} threads"
        return f"ONNX Runtime {self._library.__version__} on the CPU, {threads}"

    def sibling(self) -> "OnnxRuntimeCpu":
        """Returns another one over the same sessions; running them is safe from any thread."""
        other = OnnxRuntimeCpu(self._artifact, self._threads)
        other._sessions = self._sessions
        return other

    def prepare(self, step_sizes: Sequence[int], batch: int) -> None:
        """Makes the session, the buffers and the bindings, and warms them up."""
        manifest = self._artifact.manifest
        self._batch = batch
        self._states = (self._new_states(), self._new_states())
        fixed_frames = step_sizes[0] if len(step_sizes) == 1 else None
        if fixed_frames not in self._sessions:
            self._sessions.clear()  # siblings that still use one hold it themselves
            self._sessions[fixed_frames] = self._new_session(fixed_frames)
        self._session = self._sessions[fixed_frames]
        self._buffers, self._bindings = {}, {}
        for frames in step_sizes:
            audio = _zeros((batch, manifest.channels, frames), "float32")
            stems = _zeros((batch, len(manifest.stems), manifest.channels, frames), "float32")
            self._buffers[frames] = audio, stems
            self._bindings[frames] = (self._bind(frames, 0), self._bind(frames, 1))
        for frames in step_sizes:
            self._warm_up(frames)
        self.reset()

    def buffers(self, frames: int) -> tuple[Samples, Samples]:
        """Returns the audio and the stems of a step size."""
        return self._buffers[frames]

    def step(self, frames: int) -> None:
        """Runs the session; the sides swap."""
        with self._flush_to_zero:
            for binding in self._bindings[frames][self._side]:
                self._session.run_with_iobinding(binding)
        self._side = 1 - self._side

    def reset(self) -> None:
        """Sets the state that is read next to what a stream begins with."""
        for spec, state in zip(
            self._artifact.manifest.states, self._states[self._side], strict=True
        ):
            state.fill(spec.initial)

    def snapshot(self) -> list[State]:
        """Returns a copy of the state that is read next."""
        return [state.copy() for state in self._states[self._side]]

    def restore(self, state: list[State]) -> None:
        """Writes a snapshot to the state that is read next."""
        for mine, theirs in zip(self._states[self._side], state, strict=True):
            mine[...] = theirs

    def _new_states(self) -> list[State]:
        """Returns memory for all states; `reset` fills it."""
        states = self._artifact.manifest.states
        return [_zeros((self._batch, *spec.shape[1:]), spec.dtype) for spec in states]

    def _new_session(self, frames: int | None) -> Any:
        options = self._library.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        options.execution_mode = self._library.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = 4  # what matters comes back as an exception
        if frames is not None:
            options.add_free_dimension_override_by_name("frames", frames)
        options.add_free_dimension_override_by_name("batch", 1)
        # For the threads that the session makes; this thread is left as it was.
        options.add_session_config_entry("session.set_denormal_as_zero", "1")
        try:
            with self._flush_to_zero:
                return self._library.InferenceSession(
                    self._artifact.data, options, providers=["CPUExecutionProvider"]
                )
        except Exception as error:  # its exceptions have no other base
            raise self._refusal(error) from error

    def _bind(self, frames: int, side: int) -> list[Any]:
        """Returns a binding for each stream of the batch, reading the states of a side."""
        audio, stems = self._buffers[frames]
        manifest = self._artifact.manifest
        bindings = []
        for stream in range(self._batch):
            rows = slice(stream, stream + 1)
            binding = self._session.io_binding()
            _bind_array(binding.bind_input, "audio", audio[rows])
            _bind_array(binding.bind_output, "stems", stems[rows])
            for spec, now, then in zip(
                manifest.states, self._states[side], self._states[1 - side], strict=True
            ):
                _bind_array(binding.bind_input, spec.name, now[rows])
                _bind_array(binding.bind_output, f"next_{spec.name}", then[rows])
            bindings.append(binding)
        return bindings

    def _warm_up(self, frames: int) -> None:
        try:
            for _ in range(_WARM_UP_STEPS):
                self.step(frames)
        except Exception as error:  # its exceptions have no other base
            raise self._refusal(error) from error

    def _refusal(self, error: Exception) -> ModelError:
        reason = str(error).strip().splitlines()[0].rstrip(".")
        return ModelError(
            f"ONNX Runtime {self._library.__version__} cannot run {self._artifact.path} "
            f"({reason}); export the model again or update onnxruntime."
        )


def _zeros(shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
    """Returns zeros that start on a cache line, every page of them touched."""
    nbytes = int(np.prod(shape)) * np.dtype(dtype).itemsize
    raw = np.empty(nbytes + _ALIGNMENT, np.uint8)
    raw.fill(0)
    skip = -raw.ctypes.data % _ALIGNMENT
    return raw[skip : skip + nbytes].view(dtype).reshape(shape)


def _bind_array(bind: Any, name: str, array: NDArray[Any]) -> None:
    """Binds memory that this module owns, so the runtime reads or writes it in place."""
    bind(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)
