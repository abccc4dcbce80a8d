"""`serve --audio portaudio`, with a JACK client or server for a sound card."""

from __future__ import annotations

import numpy as np
import pytest

from engine import Separator
from plugin_host.devices import SoundDevice, pick_device
from plugin_host.errors import AudioDeviceError
from plugin_host.links.portaudio_link import places

BUSES = ("mix", "drums", "bass")


@pytest.fixture
def noise():
    return np.random.default_rng(1).normal(0, 0.1, (2, 100_000)).astype(np.float32)


@pytest.mark.usefixtures("needs_portaudio")
def test_stems_come_out_of_the_channels_after_the_mix(
    jack_server, live, tester, noise, small_model
):
    jack_server.start(is_synchronous=True)
    card = tester(jack_server, noise, [str(n) for n in range(8)], connects=False)
    one = live("--audio", "portaudio", "--input", "test", "--output", "tester", graph=jack_server)

    running = one.wait_for("running")

    assert running["device"] == "tester"
    assert running["places"] == {"mix": "1/2", "drums": "3/4", "bass": "5/6", "piano": "7/8"}
    assert {entry["what"] for entry in running["ledger"]} >= {"model", "worker", "device"}
    before = one.next_status()
    card.rewind()
    heard = card.listen(80_000)
    after = one.next_status()
    stems = Separator.load(small_model).separate(noise, 44_100)[:3].reshape(6, -1)
    # What PortAudio adds to the graph's own period is not all in what it tells.
    lag = _lag(heard[2], stems[0], at=20_000)
    assert lag >= 64 + 256 + 256
    same = (heard[2:8, lag:] == stems[:, : 80_000 - lag]).all(axis=0)
    spoilt = after["underruns"] - before["underruns"] + after["xruns"] - before["xruns"]
    assert np.count_nonzero(~same) <= spoilt * (256 + 64)
    assert same.mean() > 0.5


def _lag(heard, wanted, at):
    part = wanted[at : at + 64]
    return next(n for n in range(4_000) if np.array_equal(heard[at + n : at + n + 64], part))


@pytest.mark.usefixtures("needs_portaudio")
def test_the_device_has_its_share_in_the_ledger(jack_server, live):
    jack_server.start()
    system = ["--audio", "portaudio", "--input", "system", "--output", "system"]
    one = live(*system, "--block-size", 512, "--sample-rate", 44_100, graph=jack_server)

    running = one.wait_for("running")

    ledger = {entry["what"]: entry["frames"] for entry in running["ledger"]}
    assert running["block_size"] == 512
    assert ledger["worker"] == 512
    assert ledger["device"] >= 512  # PortAudio's own buffer, at the least
    assert running["latency"] == sum(ledger.values())


@pytest.mark.usefixtures("needs_portaudio")
def test_a_rate_that_the_device_does_not_take(jack_server, live):
    jack_server.start()
    system = ["--audio", "portaudio", "--input", "system", "--output", "system"]
    one = live(*system, "--sample-rate", 96_000, graph=jack_server)

    assert one.finish() == 2
    assert "does not play at 96000 Hz" in one.process.stderr.read()


@pytest.mark.parametrize(
    ("outputs", "wanted"),
    [
        (1, {"mix": "1"}),
        (2, {"mix": "1/2"}),
        (3, {"mix": "1/2"}),
        (4, {"mix": "1/2", "drums": "3/4"}),
        (64, {"mix": "1/2", "drums": "3/4", "bass": "5/6"}),
    ],
)
def test_each_bus_has_a_pair_of_channels_as_far_as_they_go(outputs, wanted):
    assert places(BUSES, outputs) == wanted


def _card(index, name, *, inputs=2, outputs=2, is_default=False):
    return SoundDevice(index, name, "ALSA", inputs, outputs, 48_000, is_default, is_default)


CARDS = (
    _card(0, "Built-in Microphone", outputs=0),
    _card(1, "Scarlett 2i2 USB", is_default=True),
    _card(2, "Scarlett 18i20 USB"),
    _card(3, "2", outputs=0),
)


@pytest.mark.parametrize(
    ("wanted", "index"),
    [("", 1), ("2", 2), ("built", 0), ("18I20", 2), ("scarlett 2i2 usb", 1), ("3", 3)],
)
def test_a_device_is_found_by_number_or_part_of_its_name(wanted, index):
    assert pick_device(CARDS, wanted, is_input=True).index == index


@pytest.mark.parametrize(
    ("wanted", "is_input", "sentence"),
    [
        ("scarlett", True, "fits several devices: 1 (Scarlett 2i2 USB), 2 (Scarlett 18i20 USB)"),
        ("mic", False, "There is no output device 'mic'; there are 1 (Scarlett 2i2 USB)"),
        ("9", True, "There is no input device '9'"),
    ],
)
def test_a_device_that_is_not_clear_is_asked_for_again(wanted, is_input, sentence):
    with pytest.raises(AudioDeviceError) as caught:
        pick_device(CARDS, wanted, is_input=is_input)
    assert sentence in str(caught.value)


def test_no_device_at_all():
    with pytest.raises(AudioDeviceError, match="sees no input device"):
        pick_device((), "", is_input=True)
