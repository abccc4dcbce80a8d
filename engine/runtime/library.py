"""ONNX Runtime itself, loaded so that it keeps to its business.

From 1.29 on it reports to its maker, by default and on every system: seconds after the start it
looks up an address in the network, keeps files in the user's cache and adds three threads, 25 MB of
locked memory where memory is locked. Only a variable that is set before it is imported stops that.
"""

import os
from typing import Any


def load_onnxruntime() -> Any:
    """Imports ONNX Runtime with its reports off, unless the user has asked for them.

    Raises:
        ImportError: if it is not installed.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    return onnxruntime
