"""A separator's checkpoint to an artifact."""

from __future__ import annotations

import dataclasses
from pathlib import Path, PurePath
from typing import Any

import onnx

from export.artifact import save_artifact, with_manifest
from export.fold import fold_constants
from export.frame_step import FrameStep
from export.graph import ModelStep, Step, trace
from export.int8 import INT8, in_steps, measure_peaks
from export.parity import check_graph, check_integers, check_step, prepare_excerpt
from training.checkpoint import Checkpoint
from training.models import Separator, WaveNetFrame

WEIGHTS = ("float32", "int8")


@dataclasses.dataclass(frozen=True)
class Exported:
    """What an export found out about its file.

    Attributes:
        error: Largest difference from the offline model where all is float32, of full scale.
        noise_db: Of the integers, relative to the stems; None without integers.
    """

    error: float
    noise_db: float | None = None


def export_separator(
    checkpoint: Checkpoint,
    path: Path,
    quality: dict[str, Any] | None = None,
    notes: str = "",
    weights: str = "float32",
) -> Exported:
    """Write `model.onnx` for the averaged weights of a checkpoint.

    Args:
        checkpoint: As `training.checkpoint.load` gives it.
        path: File to write; only written when parity holds.
        quality: Measured scores for the manifest.
        notes: Where the training material came from and under which licence.
        weights: "float32", for every runtime, or "int8", for processors; `wavenet-frame` only.

    Raises:
        ParityError: The exported model does not compute what the checkpoint computes.
        ValueError: There are no such weights, or the model has no such form.
        OSError: The file cannot be written.
    """
    model = checkpoint.model()
    graph, step, exported = _export(model, weights)
    config = model.config
    manifest = {
        "kind": "separator",
        "name": config.kind,
        "sample_rate": config.sample_rate,
        "channels": config.channels,
        "stems": list(config.stems),
        "hop": model.hop,
        "latency": model.latency,
        "receptive_field": model.receptive_field,
        "training": {**_provenance(checkpoint, notes), "precision": _precision(weights, exported)},
        "quality": quality or {},
    }
    save_artifact(path, with_manifest(graph, manifest, step.initial_state()))
    return exported


def _export(model: Separator, weights: str) -> tuple[onnx.ModelProto, Step, Exported]:
    """A checked graph, the step that it was traced from, and what the check saw."""
    if weights not in WEIGHTS:
        raise ValueError(f"There are no weights {weights!r}; choose {' or '.join(WEIGHTS)}.")
    folded = fold_constants(model)
    step: Step = FrameStep(folded) if isinstance(folded, WaveNetFrame) else ModelStep(folded)
    integers = _in_integers(folded) if weights == "int8" else None
    excerpt = prepare_excerpt(model)
    error = max(check_step(excerpt, ModelStep(model)), check_step(excerpt, step))
    if integers is not None:
        graph = trace(integers)
        return graph, integers, Exported(error, check_integers(excerpt, integers, graph))
    graph = trace(step)
    error = max(error, check_graph(excerpt, graph, step.initial_state()))
    return graph, step, Exported(error)


def _in_integers(model: Separator) -> FrameStep:
    if not isinstance(model, WaveNetFrame):
        raise ValueError(f"{model.config.kind} has no int8 form; export it in float32.")
    return FrameStep(in_steps(model, measure_peaks(model)), INT8)


def _precision(weights: str, exported: Exported) -> dict[str, Any]:
    precision: dict[str, Any] = {"weights": weights}
    if exported.noise_db is not None:
        precision |= {"activations": "uint8", "noise_db": round(exported.noise_db, 1)}
    return precision


def _provenance(checkpoint: Checkpoint, notes: str) -> dict[str, Any]:
    config = dataclasses.asdict(checkpoint.config)
    for field in ("midi", "drums", "soundfonts"):  # folder names say enough, paths say too much
        config["data"][field] = PurePath(config["data"][field]).name
    return {
        "config": config,
        "steps": checkpoint.step,
        "commit": checkpoint.commit,
        "data": notes,
    }
