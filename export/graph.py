"""A streaming model's `step` as an ONNX graph with its states as named inputs and outputs.

Two forms of the residual blocks were measured for the default model (2 stacks of 9, 128 filters) in
ONNX Runtime 1.31 on one Zen 5 core, taking turns in one process, caches cold as in a paced stream,
median per step: two-dimensional convolutions on `(1, C, 1, T)` against matrix products on rows
`(1, T, 3 C)` with the taps side by side. 64 frames 1.03 : 1.06 ms, 256 frames 1.89 : 2.07 ms, the
spread of each being larger than the difference. The convolutions stay: they are the offline form
too, and what TensorRT knows best. One projection for all skip outputs instead of one per block took
256 frames from 1.88 to 1.73 ms in such a run, 64 frames from 1.53 to 1.49 ms.
"""

from __future__ import annotations

import logging
import warnings

import onnx
import torch
from torch import Tensor, nn

from training.models import Separator

OPSET = 20
_TRACED_HOPS = 4


class StepGraph(nn.Module):
    """`step` with its states laid out as arguments, which is what an ONNX graph needs."""

    def __init__(self, model: Separator) -> None:
        super().__init__()
        self.model = model

    def forward(self, audio: Tensor, states: list[Tensor]) -> tuple[Tensor, ...]:
        """audio (1, channels, frames), states -> stems (1, stems, channels, frames), states."""
        stems, next_states = self.model.step(audio, states)
        return stems, *next_states


def trace(model: Separator) -> onnx.ModelProto:
    """Export one step of a model; the number of frames stays open, everything else is fixed.

    Args:
        model: In evaluation mode.

    Returns:
        A checked graph: `audio`, `state_0`, ... in; `stems`, `next_state_0`, ... out.
    """
    states = model.initial_state()
    audio = torch.zeros(1, model.config.channels, _TRACED_HOPS * model.hop)
    hops = torch.export.Dim("hops", min=1, max=8192)
    frames = hops * model.hop if model.hop > 1 else hops
    names = [f"state_{i}" for i in range(len(states))]
    with warnings.catch_warnings(), _quiet("torch.onnx", "onnxscript", "onnx_ir"):
        warnings.simplefilter("ignore")  # the exporter's notes on its own internals
        program = torch.onnx.export(
            StepGraph(model).eval(),
            (audio, states),
            dynamo=True,
            opset_version=OPSET,
            input_names=["audio", *names],
            output_names=["stems", *(f"next_{name}" for name in names)],
            dynamic_shapes=({2: frames}, [{} for _ in states]),
            verbose=False,
        )
    assert program is not None
    graph = program.model_proto
    _name_axes(graph)
    onnx.checker.check_model(graph, full_check=True)
    return graph


def _name_axes(model: onnx.ModelProto) -> None:
    """Call the open axis of `audio` and `stems` "frames", whatever expression it was traced as."""
    for value in (model.graph.input[0], model.graph.output[0]):
        value.type.tensor_type.shape.dim[-1].dim_param = "frames"


class _quiet:
    """Silence named loggers for a while."""

    def __init__(self, *names: str) -> None:
        self._loggers = [logging.getLogger(name) for name in names]

    def __enter__(self) -> None:
        self._levels = [logger.level for logger in self._loggers]
        for logger in self._loggers:
            logger.setLevel(logging.ERROR)

    def __exit__(self, *_: object) -> None:
        for logger, level in zip(self._loggers, self._levels, strict=True):
            logger.setLevel(level)
