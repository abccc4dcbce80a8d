"""What the Makefile builds, what it refuses to build, and that it plays on Windows as well."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

SOURCES = Path(__file__).resolve().parents[3] / "plugin_host" / "daw_plugin"
DPF = Path("/usr/share/dpf")
MINGW = "x86_64-w64-mingw32-g++-posix"


def exported(library: Path) -> set[str]:
    done = subprocess.run(["nm", "-D", library], capture_output=True, text=True, check=True)
    words = [line.split() for line in done.stdout.splitlines()]
    return {name for *_, kind, name in words if kind in "TDB"}


def test_the_libraries_show_their_entry_and_nothing_else(plugin):
    assert exported(plugin.clap) == {"clap_entry"}
    assert exported(plugin.lv2_folder / "Stemwire.lv2" / "Stemwire.so") == {"lv2_descriptor"}
    [vst3] = plugin.vst3.glob("Contents/*-linux/Stemwire.so")
    assert exported(vst3) == {"GetPluginFactory", "ModuleEntry", "ModuleExit"}


def test_it_is_not_built_over_another_dpf(plugin, tmp_path):
    other = tmp_path / "dpf"
    shutil.copytree(DPF / "distrho", other / "distrho")
    file = other / "distrho" / "src" / "DistrhoPluginVST3.cpp"
    file.write_text(file.read_text().replace("TODO process_mode can", "TODO process_mode may"))
    for folder, message in ((other, "does not fit"), (tmp_path / "none", "There is no DPF")):
        done = subprocess.run(
            ["make", "-C", SOURCES, f"OUT={tmp_path / 'out'}", f"DPF={folder}"],
            capture_output=True,
            text=True,
        )
        assert done.returncode != 0
        assert message in done.stderr


def test_install_puts_all_three_where_hosts_look(make_plugin, plugin, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    make_plugin("install", out=plugin.out)
    assert (tmp_path / ".clap" / "Stemwire.clap").is_file()
    assert list((tmp_path / ".vst3" / "Stemwire.vst3").glob("Contents/*-linux/Stemwire.so"))
    assert (tmp_path / ".lv2" / "Stemwire.lv2" / "stemwire.ttl").is_file()


@pytest.fixture(scope="session")
def windows(make_plugin) -> Path:
    """VST3 and CLAP for Windows."""
    if not shutil.which(MINGW):
        pytest.skip("g++-mingw-w64-x86-64-posix is not installed")
    return make_plugin("windows", CXXFLAGS="-O0") / "windows"


def test_vst3_and_clap_build_for_windows_and_need_only_the_system(windows):
    vst3 = windows / "vst3/Stemwire.vst3/Contents/x86_64-win/Stemwire.vst3"
    for library, entry in (
        (windows / "clap" / "Stemwire.clap", "clap_entry"),
        (vst3, "GetPluginFactory"),
    ):
        done = subprocess.run(
            ["x86_64-w64-mingw32-objdump", "-p", library],
            capture_output=True,
            text=True,
            check=True,
        )
        assert entry in done.stdout
        needed = {line.split()[-1] for line in done.stdout.splitlines() if "DLL Name" in line}
        assert needed <= {"KERNEL32.dll", "msvcrt.dll", "ADVAPI32.dll"}


def test_the_clap_plays_under_wine(windows, tmp_path, latency_of):
    wine = shutil.which("wine64") or shutil.which("wine") or shutil.which("/usr/lib/wine/wine64")
    if wine is None:
        pytest.skip("wine64 is not installed")
    program = tmp_path / "clap_host.exe"
    host = Path(__file__).with_name("clap_host.cpp")
    include = f"-I{DPF / 'distrho/src'}"
    subprocess.run([MINGW, "-std=c++17", include, host, "-static", "-o", program], check=True)
    audio = np.random.default_rng(0).uniform(-0.5, 0.5, (5_000, 2)).astype(np.float32)
    (tmp_path / "in").write_bytes(audio.tobytes())
    done = subprocess.run(
        [wine, program, windows / "clap" / "Stemwire.clap", "in", "out", "--blocks", "100,512"],
        env={
            **os.environ,
            "WINEPREFIX": str(tmp_path / "wine"),
            "WINEDEBUG": "-all",
            "WINEDLLOVERRIDES": "mscoree,mshtml=",
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    seen = json.loads(done.stdout)
    heard = np.frombuffer((tmp_path / "out").read_bytes(), np.float32).reshape(5_000, 18)
    assert seen["latency"] == latency_of(512)
    assert seen["status"] == 0
    np.testing.assert_array_equal(heard[seen["latency"] :, :2], audio[: -seen["latency"]])
    assert not list((tmp_path / "wine").rglob("stemwire-*"))  # its memory is gone
