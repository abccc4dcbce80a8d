"""The LV2 and the VST3 in Ardour: found by its scanner, exported as the offline command has it.

Ardour renders two seconds of silence before a song begins. The model has heard these when the song
comes, so the offline command hears them here, too; how many there were stands in shared memory.
"""

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from engine.separator import Separator
from engine.worker.segment import Segment

HERE = Path(__file__).resolve().parent
MEMORY = Path("/dev/shm")
ARDOUR = Path("/usr/lib/ardour7")
RATE = 44_100
TICKS = 282_240_000 // RATE  # Ardour's, in a frame
GAIN = 0.25  # of the drums
VST3_ID = "2046504473616C63776D745300000000"
TRIES = 8

REGION = """<Region name="song" muted="0" opaque="1" locked="0" video-locked="0" automatic="0"
whole-file="0" import="0" external="1" sync-marked="0" left-of-split="0" right-of-split="0"
hidden="0" position-locked="0" valid-transients="0" start="a0" length="a{end}@a0"
sync-position="a0" ancestral-start="a0" ancestral-length="a0@a0" stretch="1" shift="1"
layering-index="0" tags="" contents="0" envelope-active="0" default-fade-in="0"
default-fade-out="0" fade-in-active="0" fade-out-active="0" scale-amplitude="1" id="9101"
type="audio" first-edit="nothing" source-0="9001" master-source-0="9001" source-1="9002"
master-source-1="9002" channels="2"/>"""
SOURCE = '<Source id="{id}" name="{name}" type="audio" flags="" channel="0" origin="" gain="1"/>'
RANGE = """<Location id="9201" name="session" start="a0" end="a{end}" flags="IsSessionRange"
locked="0" timestamp="0"/>"""


@pytest.fixture
def environment(needs_program, plugin, tmp_path) -> dict[str, str]:
    """A home for Ardour, in which its scanner has found the VST3."""
    for program in ("ardour7-lua", "ardour7-export"):
        needs_program(program)
    folder = tmp_path / ".vst3" / "Stemwire.vst3"
    shutil.copytree(plugin.vst3, folder)
    for file in folder.rglob("*.so"):
        os.utime(file, (1_700_000_000, 1_700_000_000))  # the scanner compares whole seconds
    variables = {
        **os.environ,
        "HOME": str(tmp_path),
        "LV2_PATH": f"{plugin.lv2_folder}:/usr/lib/lv2",
        "ARDOUR_DATA_PATH": "/usr/share/ardour7",
        "ARDOUR_CONFIG_PATH": "/etc/ardour7",
        "ARDOUR_DLL_PATH": str(ARDOUR),
        "LD_LIBRARY_PATH": str(ARDOUR),
    }
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        variables.pop(name, None)
    done = subprocess.run(
        [ARDOUR / "ardour-vst3-scanner", "-v", "-f", folder],
        env=variables,
        capture_output=True,
        text=True,
        timeout=30,
    )
    said = done.stdout + done.stderr
    assert "Found Plugin: Stemwire" in said
    assert 'n_inputs="2" n_outputs="2" n_aux_inputs="0" n_aux_outputs="16"' in said
    return variables


def make_session(folder: Path, audio: np.ndarray, environment: dict[str, str], **what: str) -> None:
    """Has Ardour make a session, and puts the audio on its track."""
    done = subprocess.run(
        ["ardour7-lua", HERE / "ardour_session.lua"],
        env={**environment, "SESSION": str(folder), "GAIN": str(GAIN), **what},
        capture_output=True,
        text=True,
        timeout=60,
    )
    file = folder / "song.ardour"
    assert "Error:" not in done.stdout + done.stderr, done.stdout + done.stderr
    names = ("song%L.wav", "song%R.wav")
    for channel, name in enumerate(names):
        path = folder / "interchange" / folder.name / "audiofiles" / name
        soundfile.write(path, audio[channel], RATE, subtype="FLOAT")
    end = audio.shape[1] * TICKS
    sources = "".join(SOURCE.format(id=9001 + i, name=name) for i, name in enumerate(names))
    text = file.read_text()
    text = text.replace("<Sources/>", f"<Sources>{sources}</Sources>")
    text = text.replace("<Locations/>", f"<Locations>{RANGE.format(end=end)}</Locations>")
    text, changes = re.subn(
        r'(<Playlist [^>]*name="song"[^>]*)/>',
        lambda match: f"{match[1]}>{REGION.format(end=end)}</Playlist>",
        text,
    )
    assert changes == 1
    file.write_text(text)


def export(folder: Path, out: Path, environment: dict[str, str]) -> list[np.ndarray]:
    """Has Ardour render the session; returns what its plugins have heard.

    Ardour's own program often crashes at its end, without any plugin as well: then again.
    """
    command = ["ardour7-export", "-b", "float", "-s", str(RATE), "-o", out, folder, "song"]
    for _ in range(TRIES):
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            seen: dict[str, Segment] = {}
            while process.poll() is None:
                for path in MEMORY.glob(f"stemwire-{process.pid}-*"):
                    if path.name not in seen:
                        try:
                            seen[path.name] = Segment.attach(path)
                        except Exception:  # noqa: BLE001  not whole yet, or gone already
                            continue
                time.sleep(0.002)
        heard = [np.array(segment.input) for segment in seen.values()]
        if process.returncode == 0:
            return heard
    return pytest.fail(f"Ardour crashed {TRIES} times")


@pytest.mark.parametrize(("kind", "name"), [("LV2", "urn:stemwire:separator"), ("VST3", VST3_ID)])
def test_an_export_is_the_offline_mix_and_compensated(
    environment, serve, song, tmp_path, kind, name
):
    serve("default")
    frames = 44_100
    audio = song.audio[:, :frames]
    folder, out = tmp_path / "session", tmp_path / "out.wav"
    make_session(folder, audio, environment, KIND=kind, ID=name)
    heard = export(folder, out, environment)
    [ring] = [ring for ring in heard if ring.any()]
    silence = int(np.flatnonzero(ring.any(0))[0] - np.flatnonzero(audio.any(0))[0])
    assert silence > RATE
    stems = Separator.load("default").separate(np.pad(audio, ((0, 0), (silence, 0))), RATE)
    stems[0] *= GAIN
    exported, _ = soundfile.read(out, dtype="float32")
    assert exported.shape == (frames, 2)
    np.testing.assert_allclose(exported.T, stems.sum(0)[:, silence:], atol=1e-5)
