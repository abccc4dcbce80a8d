"""Models are found by path, then by name: the user's own first."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from engine import ModelError, Separator, catalog, find_model, list_models

MakeModel = Callable[..., Path]


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Returns the user's folder and the engine's, both empty."""
    user, package = tmp_path / "user", tmp_path / "package"
    user.mkdir()
    package.mkdir()
    monkeypatch.setenv("STEMWIRE_MODELS", str(user))
    monkeypatch.setattr(catalog, "PACKAGE_FOLDER", package)
    return user, package


def put(folder: Path, name: str, model: Path) -> Path:
    path = folder / f"{name}.onnx"
    path.write_bytes(model.read_bytes())
    return path


def test_a_path_is_taken_as_it_is(make_model: MakeModel) -> None:
    path = make_model()
    assert find_model(path) == path
    assert find_model(str(path)) == path


def test_names_are_looked_up_in_the_users_folder_first(
    make_model: MakeModel, folders: tuple[Path, Path]
) -> None:
    user, package = folders
    ours = put(package, "default", make_model())
    assert find_model("default") == ours
    theirs = put(user, "default", make_model(hop=1))
    assert find_model("default") == theirs
    assert Separator.load("default").manifest.hop == 1


def test_unknown_names_are_answered_with_the_known_ones(
    make_model: MakeModel, folders: tuple[Path, Path]
) -> None:
    user, package = folders
    with pytest.raises(ModelError, match="there are none") as caught:
        find_model("default")
    assert str(user) in str(caught.value)
    put(package, "default", make_model())
    put(user, "mine", make_model())
    with pytest.raises(ModelError, match="there are default, mine"):
        find_model("other")
    with pytest.raises(ModelError, match="no such file"):
        find_model("some/where.onnx")
    with pytest.raises(ModelError, match="no such file"):
        find_model("")


def test_the_list_names_every_model_and_warns_of_bad_files(
    make_model: MakeModel, folders: tuple[Path, Path], caplog: pytest.LogCaptureFixture
) -> None:
    user, package = folders
    mine = put(user, "mine", make_model(hop=1))
    ours = put(package, "default", make_model())
    (user / "broken.onnx").write_bytes(b"no model")
    (user / "notes.txt").write_text("no model either")
    with caplog.at_level(logging.WARNING):
        entries = list_models()
    assert [(name, path, manifest.hop) for name, path, manifest in entries] == [
        ("default", ours, 64),
        ("mine", mine, 1),
    ]
    assert "broken.onnx" in caplog.text


def test_a_users_folder_need_not_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEMWIRE_MODELS", str(tmp_path / "nowhere"))
    assert list_models() == []


def test_without_the_variable_the_systems_place_for_data_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("STEMWIRE_MODELS")
    assert catalog.user_folder().parts[-2:] == ("stemwire", "models")
