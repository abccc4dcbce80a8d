"""Checkpoints: tensors and plain values, never pickled classes, written whole or not at all."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from training.config import TrainConfig
from training.models import Separator, build

FORMAT = 1


@dataclass
class Checkpoint:
    """Everything that a run needs to go on, and an export to begin.

    Attributes:
        config: The run's configuration.
        step: Optimiser steps done.
        weights: The model's, float32.
        average: Exponential moving average of the weights: what is exported.
        optimiser: State of AdamW.
        commit: Commit of the code that wrote it, "-dirty" if it was changed, "" if unknown.
        scores: Last validation, dB of SI-SDR improvement by stem.
    """

    config: TrainConfig
    step: int
    weights: dict[str, Tensor]
    average: dict[str, Tensor]
    optimiser: dict[str, Any]
    commit: str
    scores: dict[str, float]

    def model(self) -> Separator:
        """The separator with the averaged weights, in evaluation mode."""
        model = build(self.config.model)
        model.load_state_dict(self.average)
        return model.eval()


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint under a temporary name, then put it in place."""
    content = {
        "format": FORMAT,
        "config": checkpoint.config.to_json(),
        "step": checkpoint.step,
        "weights": checkpoint.weights,
        "average": checkpoint.average,
        "optimiser": checkpoint.optimiser,
        "commit": checkpoint.commit,
        "scores": checkpoint.scores,
    }
    partial = path.with_suffix(".partial")
    torch.save(content, partial)
    os.replace(partial, path)


def load(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises:
        ValueError: The file is missing, damaged, no checkpoint of ours, or of a newer format.
    """
    if not path.is_file():
        raise ValueError(f"There is no checkpoint at {path}.")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        version = content["format"]
    except (RuntimeError, KeyError, TypeError, EOFError, ValueError) as error:
        raise ValueError(f"{path} is not a Stemwire checkpoint, or is damaged.") from error
    except (pickle.UnpicklingError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is not a Stemwire checkpoint, or is damaged.") from error
    if version > FORMAT:
        raise ValueError(f"{path} has format {version}; this version reads up to {FORMAT}.")
    config = TrainConfig.from_dict(json.loads(content.pop("config")))
    del content["format"]
    return Checkpoint(config=config, **content)


def current_commit() -> str:
    """The commit of the code in this working tree, or "" outside one."""
    try:
        result = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return result.stdout.strip()
