"""The training loop of a separator.

Batch `step` is a function of seed and step, the weights are a function of the batches before: a
run that was stopped and resumed ends with the same bits as one that was not.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from training.checkpoint import Checkpoint, current_commit, load, save
from training.config import TrainConfig
from training.data.augment import rms
from training.data.held_out import SCORED_RMS, HeldOut
from training.data.pool import ExcerptPool
from training.losses import LOSSES
from training.metrics import si_sdr_improvement
from training.models import Separator, build

LAST = "last.pt"
_FEATURE_BATCHES = 4
_LOG_EVERY = 20
_VALIDATE_EVERY = 250

Report = Callable[[int, float, dict[str, float]], None]


def learning_rate(config: TrainConfig, step: int) -> float:
    """Linear warm-up, then a cosine from `learning_rate` to `final_learning_rate`."""
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / config.warmup_steps
    progress = (step - config.warmup_steps) / max(1, config.steps - config.warmup_steps)
    fall = 0.5 * (1.0 + math.cos(math.pi * min(1.0, progress)))
    return config.final_learning_rate + (config.learning_rate - config.final_learning_rate) * fall


class Trainer:
    """One run: model, average, optimiser and pool, at a step."""

    def __init__(
        self,
        config: TrainConfig,
        checkpoint: Checkpoint | None = None,
        start: Checkpoint | None = None,
    ) -> None:
        """Begin a run, or go on from a checkpoint (whose model must be the configuration's).

        Args:
            config: The run.
            checkpoint: Of this run: go on from its step.
            start: Of another run: begin this one with its averaged weights.

        Raises:
            ValueError: The data folders hold nothing usable, or the checkpoint does not fit.
        """
        if config.loss not in LOSSES:
            raise ValueError(f"Unknown loss {config.loss!r}: choose {', '.join(LOSSES)}.")
        for other in (checkpoint, start):
            if other is not None and other.config.model != config.model:
                raise ValueError(
                    f"The checkpoint holds another model ({other.config.model.kind} of other sizes "
                    "or stems); choose the --config that it was trained with, or another folder."
                )
        self.config = config
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.step = 0
        self.scores: dict[str, float] = {}
        torch.manual_seed(config.seed)
        self.model: Separator = build(config.model)
        self.average: Separator = build(config.model).eval()
        for model in (self.model, self.average):
            model.to(self.device, memory_format=torch.channels_last)
        self.optimiser = torch.optim.AdamW(
            self.model.parameters(), config.learning_rate, weight_decay=config.weight_decay
        )
        if checkpoint is not None:
            self.step = checkpoint.step
            self.scores = checkpoint.scores
            self.model.load_state_dict(checkpoint.weights)
            self.average.load_state_dict(checkpoint.average)
            self.optimiser.load_state_dict(checkpoint.optimiser)
        self.pool = ExcerptPool(config.data, config.seed, self.step)
        if checkpoint is None and start is not None:
            self.model.load_state_dict(start.average)
            self.average.load_state_dict(start.average)
        elif checkpoint is None:
            batches = [self.pool.batch(step) for step in range(_FEATURE_BATCHES)]
            mixtures = torch.from_numpy(np.concatenate(batches)).sum(dim=1)
            self.model.fit_features(self._whole_hops(mixtures).to(self.device))
            self.average.load_state_dict(self.model.state_dict())

    def checkpoint(self) -> Checkpoint:
        """The run as it stands."""
        return Checkpoint(
            config=self.config,
            step=self.step,
            weights=_on_cpu(self.model.state_dict()),
            average=_on_cpu(self.average.state_dict()),
            optimiser=self.optimiser.state_dict(),
            commit=current_commit(),
            scores=self.scores,
        )

    def run(self, out: Path, valid: Sequence[HeldOut] = (), report: Report | None = None) -> None:
        """Train up to `config.steps`, with checkpoints and TensorBoard events in `out`.

        A checkpoint is also written when the run is interrupted.

        Raises:
            FloatingPointError: The loss is no longer finite; names the step.
        """
        writer = SummaryWriter(str(out), purge_step=self.step)
        saved = time.monotonic()
        self.model.train()
        try:
            for references in self._batches():
                loss = self._train_step(references)
                if self.step % _LOG_EVERY == 0:
                    writer.add_scalar("loss", loss, self.step)
                    writer.add_scalar("learning_rate", learning_rate(self.config, self.step))
                if valid and (self.step % _VALIDATE_EVERY == 0 or self.step == self.config.steps):
                    self.scores = self.validate(valid)
                    for stem, score in self.scores.items():
                        writer.add_scalar(f"si_sdr_improvement/{stem}", score, self.step)
                if report is not None:
                    report(self.step, loss, self.scores)
                if time.monotonic() - saved > 60.0 * self.config.checkpoint_minutes:
                    save(out / LAST, self.checkpoint())
                    saved = time.monotonic()
        finally:
            save(out / LAST, self.checkpoint())
            writer.close()
            self.pool.close()

    def _batches(self) -> Iterator[Tensor]:
        """The batches from this step on, the next one made while one is trained on."""
        with ThreadPoolExecutor(1) as ahead:
            following = ahead.submit(self.pool.batch, self.step)
            for step in range(self.step, self.config.steps):
                references = following.result()
                if step + 1 < self.config.steps:
                    following = ahead.submit(self.pool.batch, step + 1)
                yield self._whole_hops(torch.from_numpy(references)).to(self.device)

    def _whole_hops(self, audio: Tensor) -> Tensor:
        return audio[..., : audio.shape[-1] // self.model.hop * self.model.hop]

    def _train_step(self, references: Tensor) -> float:
        config, model = self.config, self.model
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(config, self.step)
        channel = self.step % config.model.channels
        estimate = model(references.sum(dim=1), channel)
        begin = round(config.context_seconds * config.model.sample_rate)
        late = references[:, :, [channel], begin : references.shape[-1] - model.latency]
        loss = LOSSES[config.loss](estimate[..., begin + model.latency :], late)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise FloatingPointError(
                f"The loss of batch {self.step} (seed {config.seed}) is {value}; "
                "resume from the last checkpoint with a lower learning rate."
            )
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), config.clip)
        self.optimiser.step()
        self.step += 1
        # early on the average follows closely, or it would remember the random start for long
        decay = min(config.ema, (1.0 + self.step) / (10.0 + self.step))
        with torch.no_grad():
            parameters = zip(self.average.parameters(), model.parameters(), strict=True)
            for mean, parameter in parameters:
                mean.lerp_(parameter, 1.0 - decay)
        return value

    def validate(self, valid: Sequence[HeldOut]) -> dict[str, float]:
        """Median SI-SDR improvement in dB of the averaged weights, for each stem that sounds."""
        scores: dict[str, list[float]] = {name: [] for name in self.config.model.stems}
        latency = self.model.latency
        for excerpt in valid:
            references = self._whole_hops(torch.from_numpy(excerpt.references))
            mixture = references.sum(dim=0)
            with torch.no_grad():
                estimate = self.average(mixture.unsqueeze(0).to(self.device))[0].cpu()
            for index, name in enumerate(self.config.model.stems):
                reference = references[index, :, : references.shape[-1] - latency].numpy()
                if rms(reference) >= SCORED_RMS:
                    scores[name].append(
                        si_sdr_improvement(
                            estimate[index, :, latency:].numpy(),
                            reference,
                            mixture[:, : mixture.shape[-1] - latency].numpy(),
                        )
                    )
        return {name: float(np.median(values)) for name, values in scores.items() if values}


def resume_or_begin(config: TrainConfig, out: Path, start: Path | None = None) -> Trainer:
    """A trainer that goes on from `out`'s last checkpoint, or begins a run there.

    Args:
        config: The run.
        out: Its folder.
        start: A checkpoint of another run, whose averaged weights a new run begins with.
    """
    path = out / LAST
    if not path.exists():
        return Trainer(config, start=load(start) if start else None)
    checkpoint = load(path)
    # where the data lies and how long to train may change between sessions; the model may not
    return Trainer(replace(config, seed=checkpoint.config.seed), checkpoint)


def _on_cpu(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().float().contiguous() for name, tensor in state.items()}
