"""What the host tells the engine before the first block."""

from dataclasses import dataclass, fields

from engine.errors import ConfigError

MIN_SAMPLE_RATE = 22_050
MAX_SAMPLE_RATE = 192_000
MAX_BLOCK_SIZE = 8_192
MAX_CHANNELS = 2


@dataclass(frozen=True)
class HostConfig:
    """The host's side of the agreement; fixed until the next `Separator.prepare`.

    Attributes:
        sample_rate: Hz, 22,050 to 192,000. A rate other than the model's is resampled.
        block_size: frames that every `process` call hands over, 1 to 8,192.
        channels: 1 (mono) or 2 (stereo).

    Raises:
        ConfigError: if a field lies outside its range.
    """

    sample_rate: int
    block_size: int
    channels: int

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, int) or isinstance(value, bool):
                raise ConfigError(f"{field.name} is {value!r}; give a whole number.")
        if not MIN_SAMPLE_RATE <= self.sample_rate <= MAX_SAMPLE_RATE:
            raise ConfigError(
                f"sample_rate is {self.sample_rate} Hz; rates from {MIN_SAMPLE_RATE:,} to "
                f"{MAX_SAMPLE_RATE:,} Hz work."
            )
        if not 1 <= self.block_size <= MAX_BLOCK_SIZE:
            raise ConfigError(
                f"block_size is {self.block_size} frames; 1 to {MAX_BLOCK_SIZE:,} frames work."
            )
        if not 1 <= self.channels <= MAX_CHANNELS:
            raise ConfigError(
                f"channels is {self.channels}; give 1 (mono) or 2 (stereo), or separate the "
                "channels pair by pair."
            )

    @property
    def deadline(self) -> float:
        """Seconds that one block lasts, hence the time there is to compute it."""
        return self.block_size / self.sample_rate
