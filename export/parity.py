"""Offline = streamed = exported, over random block splits, or no export at all."""

from __future__ import annotations

import numpy as np
import onnx
import torch
from numpy.typing import NDArray

from engine.runtime.library import load_onnxruntime
from training.models import Separator

TOLERANCE = 1e-5  # of full scale, float32
_SINGLE_HOPS = 8

Array = NDArray[np.float32]


class ParityError(Exception):
    """The streamed or the exported model does not compute what the offline model computes."""


def check_parity(
    model: Separator, graph: onnx.ModelProto, tolerance: float = TOLERANCE, seed: int = 0
) -> float:
    """Compare the three forms of a model on noise of changing level.

    The excerpt is longer than the receptive field of the layers, so that every tap of every cache
    is read; blocks are single hops at first, then of random sizes.

    Args:
        model: In evaluation mode.
        graph: Its exported step.
        tolerance: Largest difference allowed, of full scale.
        seed: Draws audio and blocks.

    Returns:
        The largest difference that was seen.

    Raises:
        ParityError: A form differs by more than `tolerance`; says which and by how much.
    """
    rng = np.random.default_rng(seed)
    hops = model.receptive_field // model.hop + 200
    frames = hops * model.hop
    loudness = 10.0 ** rng.uniform(-3.0, -0.3, size=(1, 1, -(-frames // 4096)))
    noise = rng.standard_normal((1, model.config.channels, frames))
    audio = (noise * np.repeat(loudness, 4096, axis=-1)[..., :frames] * 0.3).astype(np.float32)
    sizes = _block_sizes(rng, hops)

    with torch.inference_mode():
        offline = model(torch.from_numpy(audio)).numpy()
    worst = 0.0
    forms = {
        "streamed": _stream_torch(model, audio, sizes),
        "exported": _stream_onnx(graph, audio, [hops * model.hop for hops in sizes]),
    }
    for name, stems in forms.items():
        error = float(np.max(np.abs(stems - offline)))
        if not error <= tolerance:  # NaN fails as well
            raise ParityError(
                f"The {name} model differs from the offline model by {error:.2e} of full scale "
                f"(allowed: {tolerance:.0e}); nothing was written."
            )
        worst = max(worst, error)
    return worst


def _block_sizes(rng: np.random.Generator, hops: int) -> list[int]:
    sizes = [1] * _SINGLE_HOPS
    while (left := hops - sum(sizes)) > 0:
        sizes.append(min(left, int(2.0 ** rng.uniform(0.0, 9.0))))
    return sizes


def _stream_torch(model: Separator, audio: Array, sizes: list[int]) -> Array:
    state = model.initial_state()
    blocks = []
    start = 0
    with torch.inference_mode():
        for hops in sizes:
            end = start + hops * model.hop
            stems, state = model.step(torch.from_numpy(audio[..., start:end]), state)
            blocks.append(stems.numpy())
            start = end
    return np.concatenate(blocks, axis=-1)


def _stream_onnx(graph: onnx.ModelProto, audio: Array, sizes: list[int]) -> Array:
    session = load_onnxruntime().InferenceSession(
        graph.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    inputs = session.get_inputs()
    states = {value.name: np.zeros(value.shape, np.float32) for value in inputs[1:]}
    blocks = []
    start = 0
    for frames in sizes:
        block = audio[..., start : start + frames]
        stems, *next_states = session.run(None, {"audio": block, **states})
        states = dict(zip(states, next_states, strict=True))
        blocks.append(stems)
        start += frames
    return np.concatenate(blocks, axis=-1)
