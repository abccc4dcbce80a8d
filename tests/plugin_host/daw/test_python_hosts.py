"""The VST3 in pedalboard and in DawDreamer: what the offline command gives, aligned."""

import numpy as np
import pytest

RATE = 44_100
GAIN = 0.25  # of the drums

PEDALBOARD = """
import json, os, sys
import numpy as np
import pedalboard
plugin, source, target, block = sys.argv[1:]
audio = np.load(source)
effect = pedalboard.load_plugin(plugin)
effect.drums_gain = float(os.environ["GAIN"])
chain = pedalboard.Pedalboard([pedalboard.Gain(0), effect])
heard = [chain(audio, 44_100, buffer_size=int(block)) for _ in range(2)]
np.save(target, np.stack(heard))
print(json.dumps({"latency": effect.reported_latency_samples, "names": list(effect.parameters)}))
"""

PEDALBOARD_STREAM = """
import json, sys
import numpy as np
import pedalboard
plugin, source, target = sys.argv[1:]
audio = np.load(source)
effect = pedalboard.load_plugin(plugin)
parts = [effect.process(audio[:, i : i + 500], 44_100, buffer_size=500, reset=False)
         for i in range(0, audio.shape[1], 500)]
np.save(target, np.concatenate(parts, 1))
print(json.dumps({"frames": sum(part.shape[1] for part in parts)}))
"""

DAWDREAMER = """
import json, os, sys
import numpy as np
import dawdreamer
plugin, source, target, block = sys.argv[1:]
audio = np.load(source)
engine = dawdreamer.RenderEngine(44_100, int(block))
effect = engine.make_plugin_processor("stemwire", plugin)
names = {about["name"]: about["index"] for about in effect.get_parameters_description()}
effect.set_parameter(names["Drums gain"], float(os.environ["GAIN"]) / 4)  # 0 to 1
track = engine.make_playback_processor("track", audio)
engine.load_graph([(track, []), (effect, ["track"])])
engine.render(audio.shape[1] / 44_100)
np.save(target, engine.get_audio())
print(json.dumps({"latency": effect.get_latency_samples(), "names": list(names)}))
"""


@pytest.fixture
def source(song, tmp_path):
    np.save(tmp_path / "in.npy", song.audio)
    return tmp_path / "in.npy"


@pytest.mark.parametrize("block", [512, 8_192])
def test_pedalboard_gives_the_offline_mix_twice(
    plugin, song, serve, source, run_python, tmp_path, latency_of, block
):
    pytest.importorskip("pedalboard")
    serve("default")
    target = tmp_path / "out.npy"
    seen = run_python(PEDALBOARD, plugin.vst3, source, target, block, GAIN=str(GAIN))
    assert seen["latency"] == latency_of(block)
    for heard in np.load(target):  # the second time as if there had been no first
        assert heard.shape == song.audio.shape
        np.testing.assert_allclose(heard, song.mix(drums=GAIN), atol=1e-5)


def test_pedalboard_can_stream(plugin, song, serve, source, run_python, tmp_path, latency_of):
    pytest.importorskip("pedalboard")
    serve("default")
    run_python(PEDALBOARD_STREAM, plugin.vst3, source, tmp_path / "out.npy")
    heard = np.load(tmp_path / "out.npy")[:, latency_of(500) :]
    np.testing.assert_allclose(heard, song.mix()[:, : heard.shape[1]], atol=1e-5)


@pytest.mark.parametrize("block", [100, 1_024])
def test_dawdreamer_gives_the_offline_mix(
    plugin, song, serve, source, run_python, tmp_path, latency_of, block
):
    pytest.importorskip("dawdreamer", reason="DawDreamer is not installed")
    serve("default")
    target = tmp_path / "out.npy"
    seen = run_python(DAWDREAMER, plugin.vst3, source, target, block, GAIN=str(GAIN))
    latency = latency_of(block)
    assert seen["latency"] == latency
    heard = np.load(target)[:2, latency:]  # DawDreamer compensates nothing
    expected = song.mix(drums=GAIN)[:, : heard.shape[1]]
    assert heard.shape == expected.shape
    np.testing.assert_allclose(heard, expected, atol=1e-5)
