"""`stemwire models` and `stemwire doctor` say what there is, and what is missing."""

import json
import shutil

import pytest


@pytest.fixture
def models_folder(tmp_path, monkeypatch, small_model):
    """A user's models folder with one model, `mine`."""
    folder = tmp_path / "models"
    folder.mkdir()
    shutil.copy(small_model, folder / "mine.onnx")
    monkeypatch.setenv("STEMWIRE_MODELS", str(folder))
    return folder


def test_models_lists_the_users_own(stemwire, models_folder):
    result = stemwire("models", "--json")

    assert result.exit_code == 0
    mine = next(m for m in json.loads(result.stdout)["models"] if m["name"] == "mine")
    assert mine == {
        "name": "mine",
        "path": str(models_folder / "mine.onnx"),
        "kind": "separator",
        "stems": ["drums", "bass", "piano", "strings", "other"],
        "sample_rate": 44_100,
        "latency": 64,
    }


@pytest.mark.usefixtures("models_folder")
def test_models_prints_a_row_for_each(stemwire):
    assert "mine" in stemwire("models").stdout


def test_models_show_prints_the_whole_manifest(stemwire, models_folder):
    result = stemwire("models", "show", "mine")

    assert result.exit_code == 0
    shown = json.loads(result.stdout)
    assert shown["path"] == str(models_folder / "mine.onnx")
    assert shown["name"] == "small-test-model"
    assert shown["hop"] == 64
    state = {"name": "state_0", "shape": [1, 2, 64], "dtype": "float32", "initial": 0}
    assert shown["states"] == [state]
    assert shown["training"] == {"data": "none: made by the tests"}


@pytest.mark.usefixtures("models_folder")
def test_models_show_of_an_unknown_one_names_those_there_are(stemwire):
    result = stemwire("models", "show", "nope")

    assert result.exit_code == 2
    assert "'nope'" in result.stderr
    assert "mine" in result.stderr


@pytest.mark.usefixtures("models_folder")
def test_doctor_is_content_with_a_model_that_loads(stemwire):
    result = stemwire("doctor", "--model", "mine", "--json")

    assert result.exit_code == 0
    report = json.loads(result.stdout)
    assert report["healthy"] is True
    findings = {finding["what"]: finding for finding in report["findings"]}
    assert findings["onnxruntime"]["found"] is True
    assert "mine" in findings["models"]["detail"]
    assert "onnxruntime-cpu" in findings["runtime"]["detail"]


def test_doctor_names_the_model_that_does_not_load(stemwire, models_folder):
    (models_folder / "bad.onnx").write_text("no model")

    result = stemwire("doctor", "--model", "bad")

    assert result.exit_code == 1
    assert "NO" in result.stdout
    assert "bad.onnx" in "".join(result.stdout.split())


@pytest.mark.usefixtures("models_folder")
def test_doctor_says_what_is_missing_and_how_to_get_it(stemwire, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))

    result = stemwire("doctor", "--model", "mine")

    assert result.exit_code == 0  # ffmpeg is needed for one format only
    assert "apt install ffmpeg" in " ".join(result.stdout.split())
