"""A host config is checked when it is made."""

from typing import Any

import pytest

from engine import ConfigError, HostConfig, StemwireError


@pytest.mark.parametrize(
    ("sample_rate", "block_size", "channels"),
    [(22_050, 1, 1), (192_000, 8192, 2), (44_100, 65, 2)],
)
def test_the_whole_range_is_taken(sample_rate: int, block_size: int, channels: int) -> None:
    config = HostConfig(sample_rate, block_size, channels)
    assert config.deadline == block_size / sample_rate


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ((22_049, 64, 2), "22049 Hz"),
        ((192_001, 64, 2), "192001 Hz"),
        ((44_100, 0, 2), "block_size is 0"),
        ((44_100, 8193, 2), "1 to 8,192"),
        ((44_100, 64, 0), "channels is 0"),
        ((44_100, 64, 3), "channels is 3"),
        ((44_100.0, 64, 2), "sample_rate is 44100.0"),
        ((44_100, "64", 2), "block_size is '64'"),
        ((44_100, 64, True), "channels is True"),
    ],
)
def test_anything_else_gives_one_sentence(values: tuple[Any, Any, Any], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        HostConfig(*values)
    assert words in str(caught.value)
    assert isinstance(caught.value, StemwireError)
