"""Batches are a function of seed and step, and are mixed as announced."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from training.config import DataConfig
from training.data.augment import mix, rms
from training.data.pool import ExcerptMaker, ExcerptPool, find_soundfonts, pack


@pytest.fixture
def config(songs: Path, soundfonts: Path) -> DataConfig:
    return DataConfig(
        midi=str(songs),
        soundfonts=str(soundfonts),
        drums=str(songs),
        batch_size=3,
        seconds=0.4,
        excerpt_seconds=1.0,
        pool_size=4,
        fresh_per_step=1.5,
    )


def test_a_pool_opened_later_gives_the_same_batches(config: DataConfig) -> None:
    early, late, other = ExcerptPool(config, 7), ExcerptPool(config, 7, 5), ExcerptPool(config, 8)
    try:
        batches = [early.batch(step) for step in range(7)]
        for step in (5, 6):
            np.testing.assert_array_equal(late.batch(step), batches[step])
        assert batches[0].shape == (3, 5, 2, 17640)
        assert not np.array_equal(batches[0], batches[1])
        assert not np.array_equal(other.batch(0), batches[0])
    finally:
        for pool in (early, late, other):
            pool.close()


def test_fresh_excerpts_take_the_place_of_the_oldest(config: DataConfig) -> None:
    pool = ExcerptPool(replace(config, fresh_per_step=1.0), 0)
    try:
        pool.batch(0)
        before = list(pool._slots)
        pool.batch(2)
        assert [a is b for a, b in zip(before, pool._slots, strict=True)] == [
            False,
            False,
            True,
            True,
        ]
    finally:
        pool.close()


def test_songs_that_cannot_be_read_are_named_and_passed_over(
    songs: Path, soundfonts: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken = tmp_path / "broken.mid"
    broken.write_bytes(b"MThd")
    fonts = find_soundfonts(soundfonts)
    maker = ExcerptMaker([broken, songs / "song0.mid"], [], fonts, seed=0)
    for number in range(4):
        assert max(maker.make(number, 22_050).levels) > 1e-3
    assert "broken.mid" in caplog.text
    with pytest.raises(ValueError, match="could not be read"):
        ExcerptMaker([broken], [], fonts, seed=0).make(0, 22_050)


def test_packed_excerpts_keep_sixteen_bits_of_each_stem() -> None:
    rng = np.random.default_rng(0)
    stems = rng.standard_normal((5, 2, 1000)).astype(np.float32)
    stems *= np.array([1.0, 0.1, 1e-3, 0.0, 3.0], np.float32)[:, None, None]
    excerpt = pack(stems)
    for index, stem in enumerate(stems):
        error = np.abs(excerpt.cut(index, 100, 500) - stem[:, 100:600]).max()
        assert error <= np.abs(stem).max() / 32767 * 0.51 + 1e-12


def test_mix_balances_stems_stays_in_range_and_leaves_silence_silent() -> None:
    rng = np.random.default_rng(0)
    stems = [rng.standard_normal((2, 8000)).astype(np.float32) * s for s in (1.0, 1e-2, 0.5)]
    stems.append(np.zeros((2, 8000), np.float32))
    levels = [rms(stem) for stem in stems]
    mixed = mix(rng, stems, levels, gain_db=4.0, augment=False)
    balanced = 20 * np.log10([rms(stem) / 0.08 for stem in mixed[:3]])
    assert np.abs(balanced).max() <= 4.01
    assert not mixed[3].any()
    for _ in range(20):
        assert np.abs(mix(rng, stems, levels).sum(axis=0)).max() <= 1.0


def test_a_folder_without_soundfonts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="--soundfonts"):
        find_soundfonts(tmp_path)
