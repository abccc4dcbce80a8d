"""The residual blocks and the head in 8-bit integers: a quarter of the bytes, and faster products.

A number is kept as a code of 8 bits without a sign, (code - zero) * step:

    residual stream    zero 128; its channels are scaled beforehand so that all have step 1
    gated              zero 128, step 1/127: a gate lets pass -1 to 1
    rectified          zero 0, step 1, scaled beforehand as well; the codes end at 0, so to round
                       a number to a code is to rectify it

Weights are integers from -63 to 63 with one step per output. They leave one of their 8 bits unused
so that all processors compute the same: those without VNNI add two products of a code and a weight
in 16 bits, and 2 * 255 * 63 just fits. (With the eighth bit an emulated Haswell was off by -41 dB.
With seven it computed what a Zen 5 did to the last bit, and emulated ARM cores to the last bit of
what is float32.)

All steps are fixed when the model is exported. So a hop's codes do not depend on the block that it
comes in, and what is computed from them are whole numbers: the same in any order of summation, and
in blocks of any size.

In the graph this is standard ONNX: QuantizeLinear, and DequantizeLinear before Gemm, which runtimes
fuse into products of integers (ONNX Runtime since 1.20 at least; see the tests).
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import torch
from onnxscript import opset20 as op
from torch import Tensor, nn

from export.rows import Arithmetic, Format
from training.models import WaveNetFrame
from training.streaming import GatedResidualBlock

LARGEST_WEIGHT = 63
_LARGEST_CODE = 255
_MIDDLE = 128
_HEADROOM = 1.25  # of a code's range over what was measured
_SECONDS = 2


@torch.library.custom_op("stemwire::quantise", mutates_args=())
def quantise(x: Tensor, step: float, zero: int) -> Tensor:
    """Numbers of any shape -> codes, uint8; what has none gets the nearest."""
    return (torch.round(x / step) + zero).clamp(0, _LARGEST_CODE).to(torch.uint8)


@quantise.register_fake
def _(x: Tensor, *_: float) -> Tensor:
    return torch.empty_like(x, dtype=torch.uint8)


@torch.library.custom_op("stemwire::integer_product", mutates_args=())
def integer_product(
    codes: Tensor,
    step: float,
    zero: int,
    weight: Tensor,
    weight_steps: Tensor,
    weight_zeros: Tensor,
    bias: Tensor,
    bias_steps: Tensor,
) -> Tensor:
    """Codes (rows, inputs) times int8 (inputs, outputs) plus int32 (outputs,) -> float32."""
    # float64 holds all of these integers
    total = (codes.double() - zero) @ (weight.double() - weight_zeros)
    return (total * step * weight_steps + bias.double() * bias_steps).float()


@integer_product.register_fake
def _(codes: Tensor, _step: float, _zero: int, weight: Tensor, *_: Tensor) -> Tensor:
    return codes.new_empty((codes.shape[0], weight.shape[1]), dtype=torch.float32)


def _onnx_quantise(x: Any, step: float, zero: int) -> Any:
    return op.QuantizeLinear(x, _number(step), _code(zero))


def _onnx_integer_product(
    codes: Any,
    step: float,
    zero: int,
    weight: Any,
    weight_steps: Any,
    weight_zeros: Any,
    bias: Any,
    bias_steps: Any,
) -> Any:
    return op.Gemm(
        op.DequantizeLinear(codes, _number(step), _code(zero)),
        op.DequantizeLinear(weight, weight_steps, weight_zeros, axis=1),
        op.DequantizeLinear(bias, bias_steps, axis=0),
    )


def _number(value: float) -> Any:
    return op.Constant(value=onnx.numpy_helper.from_array(np.array(value, np.float32)))


def _code(value: int) -> Any:
    return op.Constant(value=onnx.numpy_helper.from_array(np.array(value, np.uint8)))


#: What the exporter writes for the two operations above.
TRANSLATIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    torch.ops.stemwire.quantise.default: _onnx_quantise,
    torch.ops.stemwire.integer_product.default: _onnx_integer_product,
}


class IntegerProduct(nn.Module):
    """`export.rows.Product` of codes.

    Args:
        weight: (inputs, outputs), for numbers, not for codes.
        bias: (outputs,).
        step: Of the codes.
        zero: The code of 0.
    """

    def __init__(self, weight: Tensor, bias: Tensor, step: float, zero: int) -> None:
        super().__init__()
        self.step, self.zero = step, zero
        weight, bias = weight.detach(), bias.detach()
        steps = weight.abs().amax(dim=0).clamp_min(1e-12) / LARGEST_WEIGHT
        self.weight: Tensor
        self.weight_steps: Tensor
        self.weight_zeros: Tensor  # all 0: without them runtimes do not fuse
        self.bias: Tensor
        self.bias_steps: Tensor
        self.register_buffer("weight", torch.round(weight / steps).to(torch.int8).contiguous())
        self.register_buffer("weight_steps", steps)
        self.register_buffer("weight_zeros", torch.zeros_like(steps, dtype=torch.int8))
        self.register_buffer("bias", torch.round(bias / (steps * step)).to(torch.int32))
        self.register_buffer("bias_steps", steps * step)

    def forward(self, codes: Tensor) -> Tensor:
        """Codes (hops, inputs) -> numbers (hops, outputs)."""
        product: Tensor = torch.ops.stemwire.integer_product(
            codes,
            self.step,
            self.zero,
            self.weight,
            self.weight_steps,
            self.weight_zeros,
            self.bias,
            self.bias_steps,
        )
        return product


def _format(step: float, zero: int) -> Format:
    return Format(
        keep=lambda x: torch.ops.stemwire.quantise(x, step, zero),
        product=lambda weight, bias: IntegerProduct(weight, bias, step, zero),
    )


INT8 = Arithmetic(
    stream=_format(1.0, _MIDDLE),
    gated=_format(1.0 / 127.0, _MIDDLE),
    rectified=_format(1.0, 0),
    silence=_MIDDLE,
    cache_dtype=torch.uint8,
)


@dataclass(frozen=True)
class Peaks:
    """The largest numbers that a model was seen to keep.

    Attributes:
        stream: (filters,), of each channel of the residual stream, over all blocks.
        rectified: After each rectifier of the head.
    """

    stream: Tensor
    rectified: tuple[float, ...]


def in_steps(model: WaveNetFrame, peaks: Peaks) -> WaveNetFrame:
    """A copy of a folded model that computes the same, scaled so that codes have step 1.

    A factor on a channel of the residual stream goes into what writes it and, inverted, into what
    reads it; a factor passes through a rectifier.
    """
    scaled = copy.deepcopy(model)
    stream = (peaks.stream * _HEADROOM / (_LARGEST_CODE - _MIDDLE)).view(-1, 1, 1, 1)
    steps = [peak * _HEADROOM / _LARGEST_CODE for peak in peaks.rectified]
    head = [layer for layer in scaled.head if isinstance(layer, nn.Conv2d)]
    blocks = [block for block in scaled.stacks.blocks if isinstance(block, GatedResidualBlock)]
    with torch.no_grad():
        _divide(scaled.entry, stream)
        for block in blocks:
            block.dilated.conv.weight.mul_(stream.transpose(0, 1))
            skip = stream.new_full((block.project.out_channels, 1, 1, 1), steps[0])
            if not block.last:
                skip[: len(stream)] = stream
            _divide(block.project, skip)
        for layer, before, after in zip(head, steps, [*steps[1:], 1.0], strict=True):
            layer.weight.mul_(before)
            _divide(layer, torch.full((layer.out_channels, 1, 1, 1), after))
    return scaled


def _divide(layer: nn.Conv2d, by: Tensor) -> None:
    """Divide what a layer gives by (outputs, 1, 1, 1)."""
    assert layer.bias is not None
    layer.weight.div_(by)
    layer.bias.div_(by.flatten())


def measure_peaks(model: WaveNetFrame) -> Peaks:
    """What a folded model keeps while it hears the extremes: silence, noise, squares, clicks.

    Silence stands out: its logarithms are the furthest from the mean of any music, and the
    residual stream's peaks are two to five times those of songs.

    Raises:
        ValueError: The model's blocks have no gates, so what passes them has no known range.
    """
    if model.config.activation != "gated":
        raise ValueError("Only gated blocks have an int8 form; export this model in float32.")
    streams, rectified = [], [list[float]() for _ in (0, *model.config.head)]

    def keep_stream(_: nn.Module, inputs: tuple[Tensor]) -> None:
        streams.append(inputs[0].abs().amax(dim=(0, 2, 3)))

    hooks = [block.register_forward_pre_hook(keep_stream) for block in model.stacks.blocks]
    rectifiers = [layer for layer in model.head if isinstance(layer, nn.ReLU)]
    for rectifier, peaks in zip(rectifiers, rectified, strict=True):
        hooks.append(
            rectifier.register_forward_hook(
                lambda _, __, output, peaks=peaks: peaks.append(float(output.max()))
            )
        )
    try:
        with torch.inference_mode():
            for audio in _extremes(model):
                model(audio)
    finally:
        for hook in hooks:
            hook.remove()
    stream = torch.stack(streams).amax(dim=0).clone()
    floor = 1e-3 * float(stream.max())  # a channel that is never used still needs a step
    return Peaks(stream.clamp_min(floor), tuple(max(*peaks, 1e-6) for peaks in rectified))


def _extremes(model: WaveNetFrame) -> list[Tensor]:
    """Excerpts (1, channels, frames) of what music rarely reaches."""
    rng = np.random.default_rng(0)
    frames = _SECONDS * model.config.sample_rate // model.hop * model.hop
    seconds = np.arange(frames) / model.config.sample_rate
    mono = [np.zeros(frames)]
    mono += [np.sign(np.sin(2 * np.pi * hertz * seconds)) for hertz in (60, 1000)]
    mono.append((np.arange(frames) % (frames // 16) == 0).astype(float))
    excerpts = [np.tile(audio, (model.config.channels, 1)) for audio in mono]
    noise = rng.standard_normal((model.config.channels, frames))
    excerpts += [noise * 10.0 ** (level / 20) for level in (0, -20, -40, -60)]
    return [torch.tensor(audio, dtype=torch.float32)[None] for audio in excerpts]
