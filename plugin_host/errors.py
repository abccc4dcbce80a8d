"""What a host adds to the engine's exception tree."""

from engine import StemwireError


class OutputError(StemwireError):
    """What was asked for cannot be written: the folder, the disk or a missing program."""


class AudioDeviceError(StemwireError):
    """A sound card, a JACK server or what it takes to reach them is not there."""


class MessageError(StemwireError):
    """A message over the network is damaged, or of a kind that is not understood."""


class NetworkError(StemwireError):
    """A port or an address on the network cannot be had, or nobody answers there."""
