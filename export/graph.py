"""One step of a streaming model as an ONNX graph with its states as named inputs and outputs.

`wavenet-frame` is exported from `export.frame_step`, over rows; `wavenet-paper` as its own `step`,
two-dimensional convolutions on `(1, C, 1, T)`, which is what TensorRT knows best.

Measured for the default model in ONNX Runtime 1.31 on one Zen 5 core of a shared machine, the forms
taking turns in one process; milliseconds per step. Paced at the audio clock caches are cold, and it
is the bytes of the weights and the number of operations that count:

                                      one after the other, best tenth    paced, median
    frames per step                        64    256    2,048             64    256
    convolutions, float32                0.46   0.87      4.2           0.66   1.49
    rows, float32                        0.34   0.56      2.9           0.52   1.26
    rows, int8                           0.24   0.36      1.8           0.31   0.85

What did not pay for small blocks: weights alone in 8 or 4 bits (MatMulNBits; 1.2 to 1.4 times the
int8 of here, 2.3 times at 2,048 frames), codes with a sign (10 times), sigmoids and gates on codes
by tables (the same), float32 caches beside int8 products (1.05 to 1.15 times).
"""

from __future__ import annotations

import logging
import warnings
from typing import Any, Protocol

import onnx
import torch
from torch import Tensor, nn

from export.int8 import TRANSLATIONS
from training.models import Separator
from training.streaming import State

OPSET = 20
_TRACED_HOPS = 4


class Step(Protocol):
    """A module that takes a stream one block on; its states are arguments, as a graph needs.

    Attributes:
        channels: Of the audio.
        hop: Blocks are multiples of this.
    """

    channels: int
    hop: int

    def initial_state(self) -> State:
        """The states of a stream that has not begun, each one number throughout."""
        ...

    def __call__(self, audio: Tensor, states: State) -> tuple[Tensor, ...]:
        """audio (1, channels, frames), states -> stems (1, stems, channels, frames), states."""
        ...


class ModelStep(nn.Module):
    """A separator's own `step`."""

    def __init__(self, model: Separator) -> None:
        super().__init__()
        self.model = model
        self.channels, self.hop = model.config.channels, model.hop

    def initial_state(self) -> State:
        """See `Step`."""
        return self.model.initial_state()

    def forward(self, audio: Tensor, states: State) -> tuple[Tensor, ...]:
        """See `Step`."""
        stems, next_states = self.model.step(audio, states)
        return stems, *next_states


def trace(step: Step) -> onnx.ModelProto:
    """Export a step; the number of frames stays open, everything else is fixed.

    Args:
        step: A module in evaluation mode.

    Returns:
        A checked graph: `audio`, `state_0`, ... in; `stems`, `next_state_0`, ... out.
    """
    assert isinstance(step, nn.Module)
    states = step.initial_state()
    audio = torch.zeros(1, step.channels, _TRACED_HOPS * step.hop)
    hops = torch.export.Dim("hops", min=1, max=8192)
    frames = hops * step.hop if step.hop > 1 else hops
    names = [f"state_{i}" for i in range(len(states))]
    translations: dict[Any, Any] = dict(TRANSLATIONS)
    with warnings.catch_warnings(), _quiet("torch.onnx", "onnxscript", "onnx_ir"):
        warnings.simplefilter("ignore")  # the exporter's notes on its own internals
        program = torch.onnx.export(
            step,
            (audio, states),
            dynamo=True,
            opset_version=OPSET,
            input_names=["audio", *names],
            output_names=["stems", *(f"next_{name}" for name in names)],
            dynamic_shapes=({2: frames}, [{} for _ in states]),
            custom_translation_table=translations,
            verbose=False,
        )
    assert program is not None
    graph = program.model_proto
    _forget_origin(graph.graph)
    _name_axes(graph)
    onnx.checker.check_model(graph, full_check=True)
    return graph


def _forget_origin(graph: onnx.GraphProto) -> None:
    """Remove what the exporter notes beside the graph: stack traces, with paths of this machine."""
    noted = (graph, *graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer)
    for item in noted:
        item.ClearField("metadata_props")
        item.ClearField("doc_string")


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
