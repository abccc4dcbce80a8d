"""Write the artifact: an ONNX graph with its manifest inside, as `engine.artifact` reads it."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import onnx

from training.streaming import State

METADATA_KEY = "stemwire"
FORMAT_VERSION = 1


def describe_states(graph: onnx.ModelProto, initial: State) -> list[dict[str, Any]]:
    """Name, shape, dtype and start of every state input, in the graph's order."""
    states = []
    for value, state in zip(graph.graph.input[1:], initial, strict=True):
        dtype = str(state.dtype).removeprefix("torch.")
        description = {"name": value.name, "shape": list(state.shape), "dtype": dtype}
        if start := int(state.flatten()[0]):
            description["initial"] = start
        states.append(description)
    return states


def with_manifest(
    graph: onnx.ModelProto, manifest: dict[str, Any], initial: State
) -> onnx.ModelProto:
    """A copy of the graph that carries a manifest, completed by states and the graph's hash.

    The hash is the SHA-256 of the serialized GraphProto, weights and structure alike.

    Args:
        graph: An exported step.
        manifest: The fields that the graph does not show.
        initial: The states of a stream that has not begun, each one number throughout.
    """
    model = onnx.ModelProto()
    model.CopyFrom(graph)
    complete = {
        "format_version": FORMAT_VERSION,
        **manifest,
        "states": describe_states(model, initial),
        "graph_sha256": hashlib.sha256(model.graph.SerializeToString()).hexdigest(),
    }
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, {METADATA_KEY: json.dumps(complete)})
    return model


def save_artifact(path: Path, model: onnx.ModelProto) -> None:
    """Write a model whole or not at all: under a temporary name first, then in place.

    Raises:
        OSError: The folder is not writable or the disk is full.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_bytes(model.SerializeToString())
        os.replace(partial, path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
