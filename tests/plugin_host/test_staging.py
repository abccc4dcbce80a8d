"""All files or none, whatever ends the work early."""

import signal
import subprocess
import sys
import time

import pytest

from plugin_host.errors import OutputError
from plugin_host.staging import StagedFiles


def test_nothing_has_its_final_name_before_commit(tmp_path):
    with StagedFiles(tmp_path) as staged:
        staged.path("a.txt").write_text("a")
        assert not (tmp_path / "a.txt").exists()
        staged.commit()
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_an_error_removes_the_files_and_the_folders_made_for_them(tmp_path):
    with pytest.raises(ZeroDivisionError):
        _write_and_fail(tmp_path / "b" / "c")
    assert list(tmp_path.iterdir()) == []


def test_folders_that_others_use_meanwhile_stay(tmp_path):
    with pytest.raises(ZeroDivisionError):
        _write_and_fail(tmp_path / "b", other_file="theirs.txt")
    assert [p.name for p in (tmp_path / "b").iterdir()] == ["theirs.txt"]


def _write_and_fail(folder, other_file=None):
    with StagedFiles(folder) as staged:
        staged.path("a.txt").write_text("a")
        if other_file:
            (folder / other_file).write_text("theirs")
        raise ZeroDivisionError


def test_if_one_file_cannot_be_renamed_none_is(tmp_path):
    with StagedFiles(tmp_path) as staged:
        for name in ("a.txt", "b.txt"):
            staged.path(name).write_text(name)
        (tmp_path / "b.txt").mkdir()  # after the check
        with pytest.raises(OutputError, match=r"b\.txt cannot be written"):
            staged.commit()
    assert [p.name for p in tmp_path.iterdir()] == ["b.txt"]


def _heed_interrupts():
    """What a shell starts in the background ignores SIGINT, and so do its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("file_format", ["wav", "flac", "stem.mp4"])
@pytest.mark.parametrize(
    ("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 128 + signal.SIGTERM)]
)
def test_a_signal_in_the_middle_leaves_nothing(
    make_song, small_model, tmp_path, needs_program, file_format, number, exit_code
):
    if file_format == "stem.mp4":
        needs_program("ffmpeg")
    song = make_song(frames=44_100 * 60)
    out = tmp_path / "out"
    command = [sys.executable, "-m", "plugin_host", "separate", str(song), "-o", str(out)]
    command += ["--model", str(small_model), "--format", file_format, "--realtime"]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_heed_interrupts,
    )
    try:
        give_up = time.monotonic() + 60
        while not list(out.glob(".stemwire-*-*.part")):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < give_up
            time.sleep(0.05)
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == exit_code
    assert stdout == ""
    assert "Traceback" not in stderr
    assert not out.exists()
