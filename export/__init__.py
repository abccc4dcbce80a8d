"""From a training checkpoint to the one file that the engine reads: `model.onnx`."""

from export.artifact import FORMAT_VERSION, save_artifact
from export.parity import ParityError, check_parity
from export.separator import export_separator

__all__ = ["FORMAT_VERSION", "ParityError", "check_parity", "export_separator", "save_artifact"]
