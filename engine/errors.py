"""What can go wrong, in one small tree.

Every message is one sentence that says what is wrong, with which thing, and the way out. A host
that catches `StemwireError` catches everything that a user can cause.
"""


class StemwireError(Exception):
    """Anything that a user can cause and can put right."""


class ModelError(StemwireError):
    """A model file is missing, damaged, foreign, or does not do what its manifest says."""


class AudioError(StemwireError):
    """Audio has the wrong shape, type, rate or content."""


class ConfigError(StemwireError):
    """A setting lies outside its range, or a call came before the one that it needs."""


class WorkerError(StemwireError):
    """The engine's process, or the memory shared with it, is not there or not in order."""
