"""A concert goes on: engines that die, stall and lie, hosts that die, memory that is full.

The small model's stems add up to the mixture, so with all faders at unity whatever replaces a
missing block must be the very sound that is missing.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from engine import ConfigError, HostConfig
from engine.errors import WorkerError
from engine.worker import Exchange, Session
from engine.worker.layout import Constant, Engine, Host, Wish, engine_word
from engine.worker.segment import Segment

ROOT = Path(__file__).resolve().parents[3]
TOLERANCE = 1e-6
# Of a sine of 441 Hz at 0.5, and of a fade of 64 frames from as much as a stem can hold.
SLOPE = 0.5 * 2 * np.pi * 441 / 44_100
FADE_STEP = 1.0 / 64


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _wait_until(condition, seconds: float = 10.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.01)


def _recovered(host, blocks: int = 8):
    return lambda: len(host.late) >= blocks and not any(host.late[-blocks:])


def _kill(session, host) -> None:
    """Kills the engine, and plays until another one is there."""
    dead = session.engine_pid
    os.kill(dead, signal.SIGKILL)
    host.play_until(lambda: session.engine_pid != dead)


def _largest_step(audio: np.ndarray) -> float:
    return float(np.abs(np.diff(audio, axis=-1)).max())


def test_killed_twenty_times_in_a_row_it_plays_on_in_time(open_session, player, sine):
    session = open_session(256)
    host = player(session, sine)
    host.play_paced(0.1)
    for kills in range(1, 21):
        _kill(session, host)
        if kills % 5 == 0:  # the others die as soon as they play
            host.play_until(_recovered(host))
    host.play_until(_recovered(host))
    np.testing.assert_allclose(host.mix, host.delayed, atol=TOLERANCE)
    assert _largest_step(host.stems) <= SLOPE + FADE_STEP
    assert session.status().state == "running"
    assert session.status().underruns == sum(host.late) > 0
    assert session.status().restarts == 20


def test_an_engine_that_dies_is_back_within_a_second_with_its_controls(open_session, player, noise):
    session = open_session(256, controls={"stem/drums/gain": 0.0})
    session.controls.set("stem/bass/gain", 2.0)
    host = player(session, noise)
    host.play_paced(0.1)
    _kill(session, host)
    host.play_until(_recovered(host))
    # Late blocks, not seconds: the machine of a test may be slow. Half of one second each.
    assert sum(host.late) < 2.0 / session.config.deadline
    last = slice(-2 * 256, None)
    np.testing.assert_allclose(host.stems[0, :, last], 0, atol=0)
    np.testing.assert_allclose(host.stems[1, :, last], 0.6 * host.delayed[:, last], atol=1e-6)


@pytest.mark.parametrize("seconds", [0.3, 5.0])
def test_a_stalled_engine_changes_no_latency(open_session, player, sine, seconds):
    session = open_session(256)
    host = player(session, sine)
    host.play_paced(0.1)
    stopped = session.engine_pid
    os.kill(stopped, signal.SIGSTOP)
    host.play_paced(seconds)
    if _is_alive(stopped):
        os.kill(stopped, signal.SIGCONT)
    host.play_until(_recovered(host))
    np.testing.assert_allclose(host.mix, host.delayed, atol=TOLERANCE)
    assert _largest_step(host.stems) <= SLOPE + FADE_STEP
    assert any(host.late)
    # One that does not come back is replaced.
    assert (session.engine_pid != stopped) == (seconds > 2)


def test_after_a_stall_the_engine_skips_to_now(open_session, player, noise):
    session = open_session(256)
    host = player(session, noise)
    host.play_paced(0.1)
    os.kill(session.engine_pid, signal.SIGSTOP)
    host.play_paced(0.6)
    before = session.status().blocks
    os.kill(session.engine_pid, signal.SIGCONT)
    host.play_until(_recovered(host))
    assert session.status().blocks - before < 80  # 0.5 s: it has not worked off what nobody hears


def test_a_killed_host_leaves_neither_engine_nor_memory(small_model):
    code = (
        "import sys, time; from engine import HostConfig; from engine.worker import Session\n"
        "session = Session.open(sys.argv[1], HostConfig(44_100, 256, 2))\n"
        "print(session.segment_path, session.engine_pid, flush=True); time.sleep(60)"
    )
    host = subprocess.Popen(
        [sys.executable, "-c", code, str(small_model)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with host:
        path, pid = host.stdout.readline().split()
        assert Path(path).exists()
        host.kill()
    _wait_until(lambda: not Path(path).exists())
    _wait_until(lambda: not _is_alive(int(pid)))


def test_an_ended_session_leaves_neither_engine_nor_memory(open_session, player, noise):
    session = open_session(256)
    player(session, noise).play_paced(0.1)
    pid, path = session.engine_pid, Path(session.segment_path)
    session.close()
    session.close()
    assert not path.exists()
    assert not _is_alive(pid)


def test_memory_of_dead_owners_is_swept_away(open_session):
    folder = Path(open_session(256).segment_path).parent
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"],
                          capture_output=True, text=True, check=True)  # fmt: skip
    left = folder / f"stemwire-{gone.stdout.strip()}-0badcafe"
    left.write_bytes(b"")
    other = open_session(256)
    assert not left.exists()
    assert Path(other.segment_path).exists()


def test_garbage_in_the_header_breaks_neither_side(open_session, player, noise):
    session = open_session(256)
    host = player(session, noise)
    host.play_paced(0.1)
    segment = Segment.attach(session.segment_path)
    random = np.random.default_rng(1)
    words = [*Host, *Wish, *(engine_word(slot) + word for slot in (0, 1) for word in Engine)]
    odd = [0, 1, -1, 2**31, 2**62, 2**63 - 1, -(2**63), 255, 10**6]
    for _ in range(150):
        word = words[random.integers(len(words))]
        segment.words[word] = int(odd[random.integers(len(odd))])
        host.play_paced(0.006)
    segment.words[Wish.SLOT] = session._slot
    for table in (segment.controls, segment.meters[0], *segment.output):
        table[...] = np.nan
    host.play_paced(0.1)
    segment.controls[...] = 1e300
    host.play_paced(0.1)
    assert np.isfinite(host.mix).all()
    assert np.isfinite(host.stems).all()
    session.controls.restore_defaults()
    host.play_until(_recovered(host))
    host.play_paced(0.1)
    last = slice(-1024, None)
    np.testing.assert_allclose(host.mix[:, last], host.delayed[:, last], atol=TOLERANCE)
    segment.close()


def test_an_engine_that_restarts_mends_the_header(open_session, player, noise):
    session = open_session(256)
    host = player(session, noise)
    host.play_paced(0.1)
    segment = Segment.attach(session.segment_path)
    for word in Constant:
        segment.words[word] = -7
    _kill(session, host)
    host.play_until(_recovered(host))
    assert segment.words[Constant.LATENCY] == session.latency
    segment.close()


@pytest.mark.parametrize("word", [word for word in Constant if not word.name.startswith("IS_")])
@pytest.mark.parametrize("value", [-1, 2**40, 2**63 - 1])
def test_no_size_that_stands_in_a_segment_is_believed(open_session, word, value):
    session = open_session(256)
    segment = Segment.attach(session.segment_path)
    segment.words[word] = value
    segment.close()
    with pytest.raises(WorkerError, match=r"shared memory of|states a latency"):
        Exchange.attach(session.segment_path)


@pytest.mark.parametrize("content", [b"", b"STEMWIRE", b"\0" * 4096, os.urandom(65_536)])
def test_a_file_that_is_no_segment_is_refused(tmp_path, content):
    path = tmp_path / "stemwire-1-0"
    path.write_bytes(content)
    with pytest.raises(WorkerError, match="no shared memory of Stemwire"):
        Exchange.attach(path)


def test_the_clock_may_jump(open_session, player, noise):
    session = open_session(256)
    host = player(session, noise)
    segment = Segment.attach(session.segment_path)
    for jump in (-(10**15), 10**15, 0):
        segment.words[Host.POSTED_NS] += jump
        host.play_paced(0.05)
    segment.words[Host.IN_END] += 30 * 44_100
    time.sleep(0.1)
    host.play_paced(0.1)
    host.play_until(_recovered(host))
    np.testing.assert_allclose(host.mix, host.delayed, atol=TOLERANCE)
    segment.close()


def _run_limited(
    code: str, *args: str, wrapper: tuple[str, ...] = ()
) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*wrapper, sys.executable, "-c", code, *args],
        cwd=ROOT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


_OPEN = """
import sys
from engine import ConfigError, HostConfig
from engine.worker import Session
{first}
try:
    with Session.open(sys.argv[1], HostConfig(44_100, 256, 2)) as session:
        print(session.status().notes)
except ConfigError as error:
    print(error)
import os
print([name for name in os.listdir("/dev/shm") if name.startswith(f"stemwire-{{os.getpid()}}-")])
"""


def test_full_shared_memory_is_one_sentence_and_nothing_left(small_model):
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))"
    done = _run_limited(_OPEN.format(first=limit), str(small_model))
    message, left = done.stdout.splitlines()
    assert "has no room for" in message
    assert message.endswith("choose a smaller block size.")
    assert left == "[]"


def test_a_full_memory_file_system_is_one_sentence(small_model, needs_program):
    mount = 'mount -t tmpfs -o size=256k none /dev/shm && exec "$@"'
    wrapper = (needs_program("unshare"), "--user", "--map-root-user", "--mount", "sh", "-c", mount)
    if subprocess.run([*wrapper, "sh", "true"], check=False, capture_output=True).returncode:
        pytest.skip("this system allows no mount of its own")
    done = _run_limited(_OPEN.format(first=""), str(small_model), wrapper=(*wrapper, "sh"))
    assert "has no room for" in done.stdout.splitlines()[0]


def test_without_permission_for_real_time_it_plays_and_says_so(small_model, needs_program):
    rights = "-sys_nice,-ipc_lock"
    wrapper = (needs_program("setpriv"), f"--bounding-set={rights}", f"--inh-caps={rights}")
    first = "import resource; resource.setrlimit(resource.RLIMIT_RTPRIO, (0, 0))"
    done = _run_limited(_OPEN.format(first=first), str(small_model), wrapper=wrapper)
    assert "SCHED_FIFO" in done.stdout.splitlines()[0], done


def test_a_control_that_cannot_be_opens_nothing(small_model):
    def memory() -> set[Path]:
        return set(Path("/dev/shm").glob(f"stemwire-{os.getpid()}-*"))

    before = memory()
    with pytest.raises(ConfigError, match="give 0 to 4"):
        Session.open(small_model, HostConfig(44_100, 256, 2), controls={"stem/bass/gain": 9.0})
    assert memory() == before
