"""The LV2 in hosts that render files, some of which have no options for it."""

import subprocess

import numpy as np
import pytest
import soundfile

URI = "urn:stemwire:separator"
RATE = 44_100
GAIN = 0.25  # of the drums
DEFAULT_BLOCK = 1_024  # what the plugin assumes of a host that does not say


@pytest.fixture
def source(song, tmp_path):
    soundfile.write(tmp_path / "in.wav", song.audio.T, RATE, subtype="FLOAT")
    return tmp_path / "in.wav"


@pytest.fixture
def render(plugin, tmp_path):
    """Runs a host; returns what it wrote: `(channels, frames)`."""

    def run(*command: object) -> np.ndarray:
        target = tmp_path / "out.wav"
        words = [str(word).replace("OUT", str(target)) for word in command]
        environment = {"LV2_PATH": str(plugin.lv2_folder), "PATH": "/usr/bin:/bin"}
        done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        heard, _ = soundfile.read(target, dtype="float32")
        return heard.T

    return run


def check(heard: np.ndarray, song, latency: int) -> None:
    for bus, expected in ((0, song.mix(drums=GAIN)), (1, GAIN * song.stems[0]), (2, song.stems[1])):
        if heard.shape[0] > 2 * bus:
            got = heard[2 * bus : 2 * bus + 2, latency:]
            frames = min(got.shape[1], expected.shape[1])
            assert frames > expected.shape[1] - latency - 1
            np.testing.assert_allclose(got[:, :frames], expected[:, :frames], atol=1e-5)


def test_lv2proc_renders_the_offline_mix(needs_program, serve, song, source, render, latency_of):
    lv2proc = needs_program("lv2proc")
    serve("default")
    heard = render(
        lv2proc, "-i", source, "-o", "OUT", "-c", "freewheel:1", "-c", f"drums_gain:{GAIN}", URI
    )
    assert heard.shape[0] == 18
    check(heard, song, latency_of(DEFAULT_BLOCK))


def test_ffmpeg_renders_the_offline_mix(needs_program, serve, song, source, render, latency_of):
    ffmpeg = needs_program("ffmpeg")
    filters = subprocess.run([ffmpeg, "-filters"], capture_output=True, text=True).stdout
    if " lv2 " not in filters:
        pytest.skip("this ffmpeg has no lv2 filter")
    serve("default")
    escaped = URI.replace(":", "\\\\:")
    effect = f"lv2=p={escaped}:c=freewheel=1|drums_gain={GAIN}"
    heard = render(
        ffmpeg, "-y", "-i", source, "-af", effect, "-c:a", "pcm_f32le", "-f", "wav", "OUT"
    )
    check(heard, song, latency_of(DEFAULT_BLOCK))


def test_the_description_is_valid(needs_program, plugin):
    validate = needs_program("lv2_validate")
    files = sorted((plugin.lv2_folder / "Stemwire.lv2").glob("*.ttl"))
    done = subprocess.run([validate, *files], capture_output=True, text=True)
    assert done.returncode == 0
    assert "Found 0 errors" in done.stdout + done.stderr


def test_a_host_sees_ports_for_all_there_is(needs_program, plugin):
    lv2info = needs_program("lv2info")
    done = subprocess.run(
        [lv2info, URI], env={"LV2_PATH": str(plugin.lv2_folder)}, capture_output=True, text=True
    )
    assert done.returncode == 0
    assert done.stdout.count("AudioPort") == 20
    assert done.stdout.count("ControlPort") == 39  # the parameters, latency and freewheel
    assert "Has latency:       yes" in done.stdout
