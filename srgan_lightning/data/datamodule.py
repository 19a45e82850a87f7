"""The data of a run for Lightning's Trainer."""

import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from srgan_lightning.data.batches import Pair, TrainBatch, ValidationBatch
from srgan_lightning.data.config import DataConfig, SourceConfig
from srgan_lightning.data.crops import CropDataset, ValidationDataset
from srgan_lightning.data.pairs import match_pairs
from srgan_lightning.data.pictures import Source
from srgan_lightning.data.sampler import StepSampler
from srgan_lightning.data.seeds import Stream, derive_seed, name_hash
from srgan_lightning.data.sources import open_source
from srgan_lightning.data.split import split
from srgan_lightning.degradations.augment import random_flip_turn
from srgan_lightning.degradations.base import Degradation
from srgan_lightning.degradations.burst import Burst
from srgan_lightning.degradations.sighted import observe_sighted
from srgan_lightning.errors import UserError
from srgan_lightning.imaging.threads import available_cpus

Batch = TypeVar("Batch", TrainBatch, ValidationBatch)
HRAndLR = tuple[Source, Source | None]

_SSIM_WINDOW = 11


class SRDataModule(pl.LightningDataModule):
    """uint8 crops from the loader, `Pair`s of LR and HR on the device.

    One training batch is one generator step. Which crops it holds, how they are turned and how
    they are degraded follows from (seed, rank, step) alone; the LR partner of a validation
    picture follows from (seed, its name). Ranks share the work here, so the Trainer wants
    `use_distributed_sampler=False`.

    Args:
        config: what to train and validate on.
        degradation: makes LR from HR where the data bring none; its scale is the run's.
        seed: of all draws, 0 or more.
        total_steps: generator steps of the whole run.
        chunks: how many batches of `config.batch_size` a generator step consumes.
        channels_last: whether images are handed out in channels-last strides.
        overfit: whether every step gets the crops and draws of step 0.

    Attributes:
        start_step: the generator step at which training goes on; set it before the fit starts.

    Raises:
        UserError: a crop that is no multiple of the scale; in `setup` also all that is wrong
            with the pictures.
    """

    def __init__(
        self,
        *,
        config: DataConfig,
        degradation: Degradation,
        seed: int,
        total_steps: int,
        chunks: Callable[[int], int],
        channels_last: bool = False,
        overfit: bool = False,
        bursts: bool = False,
    ) -> None:
        super().__init__()
        self.config = config
        self.degradation = degradation
        self.scale = degradation.scale
        self.seed = seed
        self.total_steps = total_steps
        self.chunks = chunks
        self.overfit = overfit
        self.bursts = bursts
        self.start_step = 0
        self._format = torch.channels_last if channels_last else torch.contiguous_format
        self._sources: tuple[HRAndLR, HRAndLR] | None = None
        self._check_multiple("crop_size", config.crop_size)
        self._check_multiple("validation_crop", config.validation_crop)
        self._check_multiple("resize", config.resize)

    def setup(self, stage: str | None = None) -> None:
        """Open the pictures, once."""
        if self._sources is None:
            train = self._open(self.config.train, min_size=self.config.crop_size)
            if self.config.validation is None:
                self._sources = _divide(train, self.config.split)
            else:
                smallest = -(-(_SSIM_WINDOW + 2 * self.scale) // self.scale) * self.scale
                self._sources = (train, self._open(self.config.validation, min_size=smallest))

    @property
    def train_names(self) -> list[str]:
        """The names of the pictures trained on."""
        return self._opened[0][0].names

    @property
    def validation_names(self) -> list[str]:
        """The names of the pictures validated on."""
        return self._opened[1][0].names

    def validation_index(self, batch_idx: int) -> int:
        """Return the place in `validation_names` of this rank's validation batch `batch_idx`."""
        return self._validation_share[batch_idx]

    def train_dataloader(self) -> DataLoader[TrainBatch]:
        """Load steps `start_step`, …, `total_steps` − 1; the length is that of the whole run."""
        hr, lr = self._opened[0]
        sampler = StepSampler(
            pictures=len(hr),
            batch_size=self.config.batch_size,
            total_steps=self.total_steps,
            chunks=self.chunks,
            seed=self.seed,
            rank=self._rank,
            world_size=self._world_size,
            start_step=self.start_step,
            overfit=self.overfit,
        )
        return DataLoader(
            CropDataset(hr=hr, lr=lr, crop_size=self.config.crop_size, scale=self.scale),
            batch_sampler=sampler,  # type: ignore[arg-type]  # requests, not lists of indices
            collate_fn=_as_it_is,
            num_workers=self._workers,
            worker_init_fn=_leave_signals_to_the_run,
            pin_memory=self._pin_memory,
        )

    def val_dataloader(self) -> DataLoader[ValidationBatch]:
        """Load this rank's share of the validation pictures, each once, one a batch.

        A rank without any batch would leave the others waiting for it: where there are fewer
        pictures than ranks, each rank takes all, which leaves means over ranks what they are.
        """
        return DataLoader(
            self._validation_set(self._validation_share),
            batch_size=None,
            collate_fn=_as_it_is,
            num_workers=self._workers,
            worker_init_fn=_leave_signals_to_the_run,
            pin_memory=self._pin_memory,
        )

    def validation_pairs(
        self, device: torch.device | str = "cpu", *, limit: int | None = None
    ) -> Iterator[tuple[str, Pair]]:
        """Yield name and pair of each validation picture, on every rank alike, in order.

        Args:
            device: where the pairs shall lie.
            limit: how many at most.
        """
        dataset = self._validation_set(range(len(self.validation_names))[:limit])
        for place in range(len(dataset)):
            hr, lr, picture = dataset[place]
            batch = ValidationBatch(hr.to(device), None if lr is None else lr.to(device), picture)
            yield self.validation_names[picture], self._validation_pair(batch)

    def _validation_set(self, indices: Sequence[int]) -> ValidationDataset:
        hr, lr = self._opened[1]
        crop = self.config.validation_crop
        return ValidationDataset(hr=hr, lr=lr, indices=indices, crop=crop, scale=self.scale)

    def test_dataloader(self) -> DataLoader[ValidationBatch]:
        """Load the validation pictures."""
        return self.val_dataloader()

    @torch.no_grad()
    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        """Make a `Pair` on the device that the batch lies on.

        What kind of batch it is decides, not what the Trainer is doing: Lightning comes here in
        the sanity check, validation, test and prediction too. Other batches pass unchanged.
        """
        if isinstance(batch, TrainBatch):
            return self._training_pair(batch)
        if isinstance(batch, ValidationBatch):
            return self._validation_pair(batch)
        return batch

    def _training_pair(self, batch: TrainBatch) -> Pair:
        seed = derive_seed(self.seed, Stream.DEGRADATION, self._rank, batch.step)
        draws = _generator(batch.hr.device, seed)
        hr = _to_float(batch.hr)
        if self.config.augment:
            hr = random_flip_turn(hr, draws)
        if batch.lr is None:
            return self._pair(self._degraded(hr, draws, some=seed), hr)
        lr = _to_float(batch.lr)
        if self.config.augment:  # the same seed again: LR turns as its HR did
            lr = random_flip_turn(lr, _generator(lr.device, seed))
        return self._pair(lr, hr)

    def _validation_pair(self, batch: ValidationBatch) -> Pair:
        hr = _to_float(batch.hr)
        if batch.lr is not None:
            return self._pair(_to_float(batch.lr), hr)
        name = name_hash(self.validation_names[batch.picture])
        draws = _generator(hr.device, derive_seed(self.seed, Stream.VALIDATION, name))
        return self._pair(self._degraded(hr, draws), hr)

    def _degraded(self, hr: Tensor, draws: torch.Generator, *, some: int | None = None) -> Tensor:
        """Make LR; or bursts, half of the batches of fewer frames where `some` draws them."""
        if not self.bursts:
            return self.degradation(hr, draws)
        assert isinstance(self.degradation, Burst)
        frames = self.degradation.frames
        if some is not None and some % 2:
            frames = 1 + (some // 2) % frames
        return observe_sighted(replace(self.degradation, frames=frames), hr, draws)

    def _pair(self, lr: Tensor, hr: Tensor) -> Pair:
        hr = hr.contiguous(memory_format=self._format)
        return Pair(lr if self.bursts else lr.contiguous(memory_format=self._format), hr)

    def _open(self, source: SourceConfig, *, min_size: int) -> HRAndLR:
        resize, scale = self.config.resize, self.scale
        hr = open_source(source.hr, min_size=min_size, resize=resize)
        if source.lr is None:
            return hr, None
        low = None if resize is None else resize // scale
        lr = open_source(source.lr, min_size=min_size // scale, resize=low)
        return match_pairs(hr, lr, scale=scale)

    def _check_multiple(self, option: str, value: int | None) -> None:
        if value is not None and value % self.scale:
            near = max(1, round(value / self.scale)) * self.scale
            raise UserError(
                f"data.{option}: {value} is no multiple of the scale {self.scale}; take {near}"
            )

    @property
    def _opened(self) -> tuple[HRAndLR, HRAndLR]:
        if self._sources is None:
            self.setup()
        assert self._sources is not None
        return self._sources

    @property
    def _validation_share(self) -> range:
        count = len(self.validation_names)
        if count < self._world_size:
            return range(count)
        return range(self._rank, count, self._world_size)

    @property
    def _rank(self) -> int:
        return self.trainer.global_rank if self.trainer is not None else 0

    @property
    def _world_size(self) -> int:
        return self.trainer.world_size if self.trainer is not None else 1

    @property
    def _workers(self) -> int:
        if self.config.workers != "auto":
            return self.config.workers
        if all(source.decoded for pair in self._opened for source in pair if source is not None):
            return 0
        devices = self.trainer.num_devices if self.trainer is not None else 1
        return max(1, min(4, available_cpus() // devices - 1))

    @property
    def _pin_memory(self) -> bool:
        return self.trainer is not None and self.trainer.strategy.root_device.type == "cuda"


def _divide(pair: HRAndLR, share: float) -> tuple[HRAndLR, HRAndLR]:
    hr, lr = pair
    train, validation = (
        (hr.subset(indices), None if lr is None else lr.subset(indices))
        for indices in split(hr.names, share)
    )
    return train, validation


def _generator(device: torch.device, seed: int) -> torch.Generator:
    return torch.Generator(device).manual_seed(seed)


def _to_float(image: Tensor) -> Tensor:
    return image.to(torch.float32) / 255


def _leave_signals_to_the_run(_: int) -> None:
    """Let a worker outlive what asks the run to save and stop: Slurm asks all processes."""
    for number in (signal.SIGTERM, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)


def _as_it_is(batch: Batch) -> Batch:
    return batch
