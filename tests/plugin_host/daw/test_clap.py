"""The CLAP in a host of our own: exact in any blocks, never late, never in the way."""

import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from engine.separator import Separator

MEMORY = Path("/dev/shm")
GAINS = (0.4, 0.3, 0.15, 0.1, 0.05)  # of the small model's stems
DRUMS_GAIN, DRUMS_MUTE, BASS_SOLO, MASTER, BYPASS, PANIC = 0, 1, 6, 32, 33, 34
ALONE, PLAYING, REFUSED = 0, 2, 3


def noise(frames: int, seed: int = 0) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal((2, frames))).astype(np.float32)


@pytest.mark.parametrize(
    ("most", "blocks"),
    [
        (512, "512"),
        (512, "1,64,65,511,3,128"),
        (1, "1"),
        (480, "480"),
        (63, "63,1"),
        (8192, "8192"),
    ],
)
def test_any_split_into_blocks_gives_the_offline_mix_and_stems(
    song, serve, play_clap, latency_of, most, blocks
):
    serve("default")
    frames = 3_000 if most == 1 else 30_000
    audio = song.audio[:, 20_000 : 20_000 + frames]
    heard = play_clap(audio, "--offline", "--max", most, "--blocks", blocks, "--set", "0=0.25")
    assert heard.latency == latency_of(most)
    assert heard.seen["underruns"] == 0
    assert heard.seen["status"] == PLAYING
    stems = Separator.load("default").separate(audio, 44_100)
    stems[0] *= 0.25
    for row, expected in enumerate((stems.sum(0), *stems)):
        got = heard.aligned(row)
        np.testing.assert_allclose(got, expected[:, : got.shape[1]], atol=1e-5)
    assert not heard.buses[6:].any()  # buses of stems that the model does not have
    assert not heard.buses[..., : heard.latency - 64].any()  # silence from before the song


def test_every_bus_is_called_what_it_carries(play_clap):
    heard = play_clap(noise(100))
    names = ["Mix", "Drums", "Bass", "Piano", "Strings", "Other"] + [f"Stem {n}" for n in (6, 7, 8)]
    assert heard.seen["ports"] == [[name, 2, "stereo"] for name in names]


def test_a_host_may_use_the_main_bus_alone(play_clap, latency_of):
    audio = noise(3_000)
    heard = play_clap(audio, "--main-bus")
    np.testing.assert_array_equal(heard.aligned(), audio[:, : -latency_of(512)])
    assert not heard.buses[1:].any()


def test_without_a_server_the_sound_is_dry_and_late_and_the_plugin_says_so(play_clap, latency_of):
    audio = noise(5_000)
    heard = play_clap(audio, "--blocks", "300")
    assert heard.latency == latency_of(512)
    np.testing.assert_array_equal(heard.aligned(), audio[:, : -heard.latency])
    assert not heard.buses[1:].any()
    assert heard.seen["status"] == heard.seen["reported_status"] == ALONE
    assert heard.seen["underruns"] == 5_000 // 300 + 1 - heard.latency // 300


def test_a_render_without_a_server_waits_once_and_not_for_every_block(play_clap):
    begin = time.monotonic()
    audio = noise(20_000)
    heard = play_clap(audio, "--offline", "--blocks", "64")
    assert time.monotonic() - begin < 10
    np.testing.assert_array_equal(heard.aligned(), audio[:, : -heard.latency])


def test_hosts_without_the_latency_extension_are_no_harm(play_clap):
    assert play_clap(noise(1_000), "--no-latency").seen["latency_calls"] == 0


def test_the_host_is_told_of_the_latency_once_and_asked_for_no_restart(play_clap):
    seen = play_clap(noise(1_000), "--passes", "3", "--max", "100").seen
    assert seen["latency_calls"] == 1
    assert seen["restart_calls"] == 0


def test_no_rate_is_refused(play_clap):
    for rate in (8_000, 44_099.9, 384_000):
        heard = play_clap(noise(9_000), "--rate", rate)
        assert heard.latency < 9_000
        np.testing.assert_array_equal(heard.aligned(), noise(9_000)[:, : -heard.latency])


def test_a_state_comes_back_and_is_heard(serve, play_clap, tmp_path):
    audio = noise(30_000)
    state = tmp_path / "state"
    knobs = {DRUMS_GAIN: 0.5, DRUMS_MUTE: 1, BASS_SOLO: 1, MASTER: 1.75, PANIC: 0, 31: -0.25}
    words = [word for slot, value in knobs.items() for word in ("--set", f"{slot}={value}")]
    play_clap(audio[:, :2_000], *words, "--save-state", state)
    serve()
    heard = play_clap(audio, "--offline", "--load-state", state)
    for slot, value in knobs.items():
        assert heard.seen["values"][slot] == pytest.approx(value)
    expected = audio[:, : -heard.latency] * GAINS[1] * 1.75
    np.testing.assert_allclose(heard.aligned(), expected, atol=1e-6)


def test_values_that_no_knob_has_do_no_harm(play_clap):
    words = ("--set", "0=nan", "--set", "32=1e30", "--set", "33=0.2", "--set", "999999=1")
    seen = play_clap(noise(1_000), *words, "--set", "35=3").seen
    assert seen["values"][0] == 1.0
    assert seen["values"][MASTER] == 4.0
    assert seen["values"][BYPASS] == 0.0
    assert seen["values"][35] == ALONE


def test_bad_samples_go_in_and_only_good_ones_come_out(serve, play_clap):
    serve()
    audio = noise(30_000)
    bad = audio.copy()
    bad[0, 100], bad[1, 5_000], bad[0, 7_000] = np.nan, np.inf, 1e30
    clean = audio.copy()
    clean[0, 100] = clean[1, 5_000] = clean[0, 7_000] = 0
    heard = play_clap(bad, "--offline")
    np.testing.assert_allclose(heard.aligned(), clean[:, : -heard.latency], atol=1e-6)


def test_a_model_that_needs_more_latency_is_refused_and_said(
    serve, play_clap, make_small_model, tmp_path
):
    # 44.1 kHz has no conversion to pay for, so a model of another rate needs more than announced.
    serve(make_small_model(tmp_path / "slow.onnx", sample_rate=16_000))
    audio = noise(30_000)
    heard = play_clap(audio, "--paced", "--max", "64")
    assert heard.seen["status"] == REFUSED
    np.testing.assert_array_equal(heard.aligned(), audio[:, : -heard.latency])


def test_no_memory_is_made_before_it_plays_and_none_is_left(plugin, play_clap, run_python):
    seen = run_python(
        """
import ctypes, json, sys
from pathlib import Path
mine = lambda: [p.name for p in Path("/dev/shm").glob(f"stemwire-{__import__('os').getpid()}-*")]
library = ctypes.CDLL(sys.argv[1])
class Entry(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32 * 3),
                ("init", ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_char_p)),
                ("deinit", ctypes.CFUNCTYPE(None)),
                ("get_factory", ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_char_p))]
entry = Entry.in_dll(library, "clap_entry")
entry.init(sys.argv[1].encode())  # makes an instance, to look at
print(json.dumps({"made": mine()}))
""",
        plugin.clap,
    )
    assert seen["made"] == []
    pid = play_clap(noise(1_000), "--passes", "3").seen["pid"]
    assert list(MEMORY.glob(f"stemwire-{pid}-*")) == []


def test_eight_at_once_are_served_each_for_itself(serve, play_clap):
    serve()
    tracks = [noise(20_000, seed) for seed in range(8)]
    knobs = [("--set", f"0={0.25 * number}") for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        jobs = [
            pool.submit(play_clap, track, "--offline", "--max", 256, *knob)
            for track, knob in zip(tracks, knobs, strict=True)
        ]
    for number, (job, track) in enumerate(zip(jobs, tracks, strict=True)):
        heard = job.result()
        assert heard.seen["underruns"] == 0
        gain = 1 - GAINS[0] + GAINS[0] * 0.25 * number
        np.testing.assert_allclose(heard.aligned(), gain * track[:, : -heard.latency], atol=1e-6)


def test_a_file_that_took_its_name_is_left_alone(play_clap, plugin, make_program):
    program = make_program(
        """
        #include <cstdlib>
        #include <dirent.h>
        #include <fcntl.h>
        #include <string>
        #include <unistd.h>
        #include "instance.hpp"
        int main() {
            stemwire::Instance instance;
            instance.prepare(44100, 64);
            instance.activate();
            const std::string mine = "stemwire-" + std::to_string(getpid()) + "-";
            std::string path;
            DIR* folder = opendir("/dev/shm");
            while (const dirent* entry = readdir(folder)) {
                if (mine.compare(0, mine.size(), entry->d_name, mine.size()) == 0)
                    path = std::string("/dev/shm/") + entry->d_name;
            }
            if (path.empty()) return 2;
            unlink(path.c_str());
            close(open(path.c_str(), O_CREAT | O_WRONLY, 0600));
            instance.deactivate();
            const bool is_there = access(path.c_str(), F_OK) == 0;
            unlink(path.c_str());
            return is_there ? 0 : 1;
        }
        """
    )
    assert subprocess.run([program]).returncode == 0


def test_the_audio_thread_asks_the_system_for_nothing_but_a_wake(
    serve, play_clap, needs_program, tmp_path
):
    strace = needs_program("strace")
    serve()
    trace = tmp_path / "trace"
    audio = noise(2 * 44_100)
    words = (strace, "-f", "-qq", "-o", str(trace))
    heard = play_clap(audio, "--max", "256", "--paced", prefix=words)
    assert heard.seen["status"] == PLAYING
    lines = trace.read_text().splitlines()
    [begin, end] = [number for number, line in enumerate(lines) if "getppid()" in line]
    thread = lines[begin].split()[0]
    calls = [
        match[1]
        for line in lines[begin + 1 : end]
        if line.split()[0] == thread and (match := re.search(r"\d+\s+(\w+)\(", line))
    ]
    pauses = [call for call in calls if call == "clock_nanosleep"]  # the host's own
    others = [call for call in calls if call != "clock_nanosleep"]
    assert len(pauses) > 300
    assert set(others) == {"futex"}
