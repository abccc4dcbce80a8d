"""`stemwire devices` and `stemwire doctor` say what sound can come from, and what is missing."""

from __future__ import annotations

import ctypes.util
import json
import os
import sys

import pytest

from plugin_host import doctor


def _devices(stemwire, *options):
    result = stemwire("devices", *options)
    assert result.exit_code == 0
    return result.stdout


@pytest.fixture
def running_server(jack_server, monkeypatch):
    jack_server.start(48_000, 128)
    monkeypatch.setenv("JACK_DEFAULT_SERVER", jack_server.name)
    return jack_server


@pytest.mark.usefixtures("running_server")
def test_devices_lists_the_server_with_its_ports(stemwire):
    server = json.loads(_devices(stemwire, "--json"))["jack"]

    assert (server["sample_rate"], server["block_size"]) == (48_000, 128)
    assert server["inputs"] == ["system:capture_1", "system:capture_2"]
    assert server["outputs"] == ["system:playback_1", "system:playback_2"]
    shown = _devices(stemwire)
    assert "48000 Hz, blocks of 128 frames" in shown
    assert "system:playback_2" in shown


def test_devices_says_where_no_server_runs(stemwire, jack_server, monkeypatch):
    monkeypatch.setenv("JACK_DEFAULT_SERVER", jack_server.name)

    found = json.loads(_devices(stemwire, "--json"))

    assert found["jack"] is None
    assert found["jack_problem"].startswith("No JACK server runs")
    assert found["jack_problem"] in _devices(stemwire)


@pytest.mark.usefixtures("running_server", "needs_portaudio")
def test_devices_lists_what_portaudio_sees(jack_server):
    """In a process of its own: PortAudio looks for devices when it is loaded, and only then."""
    command = [sys.executable, "-m", "plugin_host", "devices", "--json"]
    [system] = [
        device
        for device in json.loads(jack_server.run(*command))["portaudio"]
        if device["name"] == "system"
    ]
    assert (system["inputs"], system["outputs"], system["sample_rate"]) == (2, 2, 48_000)
    assert "JACK" in system["system"]


@pytest.mark.parametrize(
    ("module", "library", "package", "problem"),
    [
        ("jack", "JACK is not installed: apt install", "JACK-Client", "jack_problem"),
        ("sounddevice", "PortAudio is not installed: apt", "sounddevice", "portaudio_problem"),
    ],
)
def test_what_is_not_installed_is_said_with_the_way_to_get_it(
    stemwire, monkeypatch, module, library, package, problem
):
    monkeypatch.delitem(sys.modules, module, raising=False)
    with monkeypatch.context() as without_library:
        without_library.setattr(ctypes.util, "find_library", lambda _: None)
        assert library in json.loads(_devices(stemwire, "--json"))[problem]
    monkeypatch.setitem(sys.modules, module, None)
    sentence = json.loads(_devices(stemwire, "--json"))[problem]
    assert sentence.startswith(f"The Python package {package} is not installed: pip install")
    assert sentence in _devices(stemwire)


def _findings(stemwire, small_model):
    report = json.loads(stemwire("doctor", "--model", small_model, "--json").stdout)
    assert report["healthy"] is True  # nothing of this is needed for files
    return {finding["what"]: finding for finding in report["findings"]}


@pytest.mark.usefixtures("running_server")
def test_doctor_knows_what_live_sound_needs(stemwire, small_model):
    findings = _findings(stemwire, small_model)

    assert findings["JACK"]["found"] is True
    assert "48000 Hz, blocks of 128 frames" in findings["JACK"]["detail"]
    assert findings["JACK-Client"]["found"] is True
    assert "MiB are free" in findings["shared memory"]["detail"]
    real_time = findings["real time"]
    if os.geteuid() == 0:
        assert real_time["detail"] == "SCHED_FIFO 70 and locked memory are permitted"
    else:
        assert real_time["found"] or "permitted" in real_time["detail"]


def test_doctor_says_where_real_time_is_refused(stemwire, small_model, monkeypatch):
    refused = "print('It is not permitted.')"
    monkeypatch.setattr(doctor, "_TRY_REAL_TIME", refused)

    real_time = _findings(stemwire, small_model)["real time"]

    assert (real_time["found"], real_time["detail"]) == (False, "It is not permitted.")


def test_doctor_says_where_shared_memory_is_short(stemwire, small_model, monkeypatch):
    monkeypatch.setattr(doctor, "_SESSION_BYTES", 2**62)

    shared = _findings(stemwire, small_model)["shared memory"]

    assert shared["found"] is False
    assert "a live session takes" in shared["detail"]
