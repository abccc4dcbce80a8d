"""From a training checkpoint to the one file that the engine reads: `model.onnx`."""

from export.artifact import FORMAT_VERSION, save_artifact
from export.parity import ParityError
from export.separator import WEIGHTS, Exported, export_separator

__all__ = [
    "FORMAT_VERSION",
    "WEIGHTS",
    "Exported",
    "ParityError",
    "export_separator",
    "save_artifact",
]
