"""A separator's checkpoint to an artifact."""

from __future__ import annotations

import dataclasses
from pathlib import Path, PurePath
from typing import Any

from export.artifact import save_artifact, with_manifest
from export.fold import fold_constants
from export.graph import trace
from export.parity import check_parity
from training.checkpoint import Checkpoint


def export_separator(
    checkpoint: Checkpoint, path: Path, quality: dict[str, Any] | None = None, notes: str = ""
) -> float:
    """Write `model.onnx` for the averaged weights of a checkpoint.

    Args:
        checkpoint: As `training.checkpoint.load` gives it.
        path: File to write; only written when parity holds.
        quality: Measured scores for the manifest.
        notes: Where the training material came from and under which licence.

    Returns:
        The largest difference between the offline and the exported model, of full scale.

    Raises:
        ParityError: The exported model does not compute what the checkpoint computes.
        OSError: The file cannot be written.
    """
    model = checkpoint.model()
    graph = trace(fold_constants(model))
    worst = check_parity(checkpoint.model(), graph)
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
        "training": _provenance(checkpoint, notes),
        "quality": quality or {},
    }
    save_artifact(path, with_manifest(graph, manifest))
    return worst


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
