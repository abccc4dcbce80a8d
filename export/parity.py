"""Offline = streamed = exported, over random block splits, or no export at all.

In float32 that means equal to 1e-5 of full scale. Integers cannot be: what they keep has 8 bits. So
their check has two parts, both on the power of the error over the whole excerpt:

- against the offline model, relative to the stems, it stays under -25 dB. The default model is at
  -47 dB on the noise of this check, and at -37 to -42 dB on songs;
- against the same integers computed by torch, it is 10 dB less than that: what rounding costs is
  far more than what the graph adds. (Default model: 16 dB.) It is not zero, as where a number lies
  on the border of two codes, the last bit of a float32 sum decides, and torch and ONNX Runtime sum
  in different orders.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
import torch
from numpy.typing import NDArray

from engine.runtime.library import load_onnxruntime
from export.graph import Step
from training.models import Separator
from training.streaming import State

TOLERANCE = 1e-5  # of full scale, float32
INTEGER_NOISE_DB = -25.0
INTEGER_PARITY_DB = -10.0  # of the noise
_SINGLE_HOPS = 8

Array = NDArray[np.float32]


class ParityError(Exception):
    """The streamed or the exported model does not compute what the offline model computes."""


@dataclass(frozen=True)
class Excerpt:
    """What the forms of a model are compared on.

    Attributes:
        audio: (1, channels, frames), noise of changing level. It is longer than the receptive
            field of the layers, so that every tap of every cache is read.
        sizes: Frames of the blocks that it is cut into: single hops at first, then random.
        offline: What the model makes of it at once, (1, stems, channels, frames).
    """

    audio: Array
    sizes: list[int]
    offline: Array


def prepare_excerpt(model: Separator, seed: int = 0) -> Excerpt:
    """An excerpt for a model in evaluation mode; `seed` draws audio and blocks."""
    rng = np.random.default_rng(seed)
    hops = model.receptive_field // model.hop + 200
    frames = hops * model.hop
    loudness = 10.0 ** rng.uniform(-3.0, -0.3, size=(1, 1, -(-frames // 4096)))
    noise = rng.standard_normal((1, model.config.channels, frames))
    audio = (noise * np.repeat(loudness, 4096, axis=-1)[..., :frames] * 0.3).astype(np.float32)
    sizes = [size * model.hop for size in _block_sizes(rng, hops)]
    with torch.inference_mode():
        return Excerpt(audio, sizes, model(torch.from_numpy(audio)).numpy())


def check_step(excerpt: Excerpt, step: Step, form: str = "streamed") -> float:
    """Compare a step that torch computes in float32 with the offline model.

    Returns:
        The largest difference that was seen, of full scale.

    Raises:
        ParityError: It is more than `TOLERANCE`.
    """
    return _check(excerpt, stream_torch(step, excerpt), form)


def check_graph(excerpt: Excerpt, graph: onnx.ModelProto, initial: State) -> float:
    """Compare an exported float32 step with the offline model; as `check_step`."""
    return _check(excerpt, stream_onnx(graph, initial, excerpt), "exported")


def check_integers(excerpt: Excerpt, step: Step, graph: onnx.ModelProto) -> float:
    """Compare a step of integers and its graph with each other and the offline model.

    Returns:
        The noise of the integers against the offline model in dB, relative to the stems.

    Raises:
        ParityError: A part of the check fails; says which and by how much.
    """
    exported = stream_onnx(graph, step.initial_state(), excerpt)
    computed = stream_torch(step, excerpt)
    noise = level_db(computed - excerpt.offline, excerpt.offline)
    if not noise <= INTEGER_NOISE_DB:  # NaN fails as well
        raise ParityError(
            f"In integers the model differs from the offline model by {noise:.1f} dB "
            f"(allowed: {INTEGER_NOISE_DB:.0f} dB); export it in float32."
        )
    parity = level_db(exported - computed, computed - excerpt.offline)
    if not parity <= INTEGER_PARITY_DB:
        raise ParityError(
            f"The exported model differs from the same integers in torch by {parity:.1f} dB of "
            f"their noise (allowed: {INTEGER_PARITY_DB:.0f} dB); nothing was written."
        )
    return noise


def level_db(error: Array, reference: Array) -> float:
    """Power of an error relative to a reference, in dB."""
    return float(10.0 * np.log10(np.mean(np.square(error)) / np.mean(np.square(reference)) + 1e-30))


def stream_torch(step: Step, excerpt: Excerpt) -> Array:
    """What a step makes of the excerpt, block by block."""
    state = step.initial_state()
    blocks = []
    with torch.inference_mode():
        for block in torch.split(torch.from_numpy(excerpt.audio), excerpt.sizes, dim=-1):
            stems, *state = step(block, state)
            blocks.append(stems.numpy())
    return np.concatenate(blocks, axis=-1)


def stream_onnx(graph: onnx.ModelProto, initial: State, excerpt: Excerpt) -> Array:
    """What a graph makes of the excerpt, block by block."""
    session = load_onnxruntime().InferenceSession(
        graph.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    names = [value.name for value in session.get_inputs()[1:]]
    states = dict(zip(names, (state.numpy() for state in initial), strict=True))
    blocks = []
    start = 0
    for frames in excerpt.sizes:
        block = excerpt.audio[..., start : start + frames]
        stems, *next_states = session.run(None, {"audio": block, **states})
        states = dict(zip(names, next_states, strict=True))
        blocks.append(stems)
        start += frames
    return np.concatenate(blocks, axis=-1)


def _check(excerpt: Excerpt, stems: Array, form: str) -> float:
    error = float(np.max(np.abs(stems - excerpt.offline)))
    if not error <= TOLERANCE:  # NaN fails as well
        raise ParityError(
            f"The {form} model differs from the offline model by {error:.2e} of full scale "
            f"(allowed: {TOLERANCE:.0e}); nothing was written."
        )
    return error


def _block_sizes(rng: np.random.Generator, hops: int) -> list[int]:
    sizes = [1] * _SINGLE_HOPS
    while (left := hops - sum(sizes)) > 0:
        sizes.append(min(left, int(2.0 ** rng.uniform(0.0, 9.0))))
    return sizes
