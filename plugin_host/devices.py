"""What sound can come from and go to: the devices that PortAudio sees, and the JACK server.

The libraries behind are looked for only when they are asked for: PortAudio opens devices as soon as
it is loaded, and neither it nor JACK need be installed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from plugin_host.errors import AudioDeviceError


@dataclass(frozen=True)
class SoundDevice:
    """A device as PortAudio sees it.

    Attributes:
        index: PortAudio's number for it.
        name: Its name.
        system: What it is reached through, such as ALSA, Core Audio or WASAPI.
        inputs: Channels in.
        outputs: Channels out.
        sample_rate: Its default, in Hz.
        is_default_input: Whether it is taken where none is named; likewise for the output.
    """

    index: int
    name: str
    system: str
    inputs: int
    outputs: int
    sample_rate: int
    is_default_input: bool
    is_default_output: bool


@dataclass(frozen=True)
class JackServer:
    """A JACK server that runs, PipeWire's included.

    Attributes:
        sample_rate: Hz.
        block_size: Frames.
        inputs: Names of the physical ports that give sound.
        outputs: Names of the physical ports that take sound.
        version: Of the library, as far as it says.
    """

    sample_rate: int
    block_size: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    version: str


def import_sounddevice() -> ModuleType:
    """Loads PortAudio.

    Returns:
        The module `sounddevice`.

    Raises:
        AudioDeviceError: If the package or the library is not installed.
    """
    try:
        import sounddevice
    except ImportError as error:
        raise AudioDeviceError(
            "The Python package sounddevice is not installed: pip install 'stemwire[live]'."
        ) from error
    except OSError as error:
        raise AudioDeviceError(
            "PortAudio is not installed: apt install libportaudio2, or brew install portaudio."
        ) from error
    module: ModuleType = sounddevice
    return module


def open_jack_client(name: str) -> Any:
    """Opens a JACK client, quietly; never starts a server.

    Args:
        name: Of the client; JACK makes it unique.

    Returns:
        A `jack.Client`, not activated.

    Raises:
        AudioDeviceError: If JACK is not installed or no server runs.
    """
    try:
        import jack
    except ImportError as error:
        raise AudioDeviceError(
            "The Python package JACK-Client is not installed: pip install 'stemwire[live]'."
        ) from error
    except OSError as error:
        raise AudioDeviceError(
            "JACK is not installed: apt install jackd2, or pipewire-jack where PipeWire runs; "
            "brew install jack."
        ) from error
    jack.set_error_function(_ignore)
    jack.set_info_function(_ignore)
    try:
        return jack.Client(name, no_start_server=True)
    except jack.JackError as error:
        raise AudioDeviceError(
            "No JACK server runs: start one, or put pw-jack before the command where PipeWire runs."
        ) from error


def _ignore(_: str) -> None:
    """What libjack prints; what matters of it is said by us."""


def sound_devices() -> tuple[SoundDevice, ...]:
    """Lists the devices that PortAudio sees; there may be none.

    Raises:
        AudioDeviceError: If PortAudio is not installed.
    """
    sounddevice = import_sounddevice()
    # PortAudio looks once, when it begins, and crashes at the end of the process if a JACK server
    # that it has seen is gone by then: so it begins and ends here.
    if not sounddevice._initialized:
        sounddevice._initialize()
    try:
        return list_sound_devices(sounddevice)
    finally:
        sounddevice._terminate()


def list_sound_devices(sounddevice: ModuleType) -> tuple[SoundDevice, ...]:
    """Lists the devices, for whoever goes on to use PortAudio.

    Args:
        sounddevice: The module, as it is when it has been imported.
    """
    systems = sounddevice.query_hostapis()
    default_input, default_output = sounddevice.default.device
    return tuple(
        SoundDevice(
            index=found["index"],
            name=found["name"],
            system=systems[found["hostapi"]]["name"],
            inputs=found["max_input_channels"],
            outputs=found["max_output_channels"],
            sample_rate=round(found["default_samplerate"]),
            is_default_input=found["index"] == default_input,
            is_default_output=found["index"] == default_output,
        )
        for found in sounddevice.query_devices()
    )


def jack_server() -> JackServer:
    """Looks at the JACK server.

    Raises:
        AudioDeviceError: If JACK is not installed or no server runs.
    """
    client = open_jack_client("stemwire-devices")
    try:
        import jack

        return JackServer(
            sample_rate=int(client.samplerate),
            block_size=int(client.blocksize),
            inputs=_physical(client, is_output=True),
            outputs=_physical(client, is_input=True),
            version=str(jack.version_string()),
        )
    finally:
        client.close()


def _physical(client: Any, **direction: bool) -> tuple[str, ...]:
    ports = client.get_ports(is_audio=True, is_physical=True, **direction)
    return tuple(str(port.name) for port in ports)


@dataclass(frozen=True)
class Devices:
    """All that there is.

    Attributes:
        portaudio: The devices; there may be none.
        portaudio_problem: Why there are none.
        jack: The server that runs, if one does.
        jack_problem: Why there is none.
    """

    portaudio: tuple[SoundDevice, ...]
    portaudio_problem: str
    jack: JackServer | None
    jack_problem: str


def find_devices() -> Devices:
    """Looks at everything; what is missing is told, not raised."""
    sound: tuple[SoundDevice, ...] = ()
    server: JackServer | None = None
    sound_problem = server_problem = ""
    try:
        sound = sound_devices()
        sound_problem = "" if sound else "PortAudio sees no device: is a sound card connected?"
    except AudioDeviceError as error:
        sound_problem = str(error)
    try:
        server = jack_server()
    except AudioDeviceError as error:
        server_problem = str(error)
    return Devices(sound, sound_problem, server, server_problem)


def pick_device(devices: Sequence[SoundDevice], wanted: str, *, is_input: bool) -> SoundDevice:
    """Finds the device that a user means.

    Args:
        devices: Those there are.
        wanted: Its number, its name or a part of that; empty for the default.
        is_input: Whether sound shall come from it; otherwise go to it.

    Returns:
        The device.

    Raises:
        AudioDeviceError: If there is none, or more than one.
    """
    side = "input" if is_input else "output"
    able = [device for device in devices if (device.inputs if is_input else device.outputs)]
    if not able:
        raise AudioDeviceError(f"PortAudio sees no {side} device: `stemwire devices` lists all.")
    if not wanted:
        defaults = [d for d in able if (d.is_default_input if is_input else d.is_default_output)]
        return (defaults or able)[0]
    found = [device for device in able if wanted == str(device.index)]
    found = found or [device for device in able if wanted.lower() == device.name.lower()]
    found = found or [device for device in able if wanted.lower() in device.name.lower()]
    if len(found) == 1:
        return found[0]
    names = ", ".join(f"{device.index} ({device.name})" for device in found or able)
    if found:
        raise AudioDeviceError(f"--{side} {wanted!r} fits several devices: {names}; give a number.")
    raise AudioDeviceError(f"There is no {side} device {wanted!r}; there are {names}.")
