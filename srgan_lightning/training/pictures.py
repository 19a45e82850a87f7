"""Pictures of the validation photographs as training goes on."""

from collections.abc import Sequence
from pathlib import Path

import pytorch_lightning as pl
import torch

from srgan_lightning.data.batches import Pair
from srgan_lightning.data.datamodule import SRDataModule
from srgan_lightning.degradations.resize import imresize
from srgan_lightning.evaluation.comparison import comparison_picture
from srgan_lightning.imaging.write import write_png
from srgan_lightning.inference.pictures import Picture, to_picture
from srgan_lightning.tracking.base import Tracker
from srgan_lightning.training.module import SRGANModule


class Pictures(pl.Callback):
    """Writes LR | bicubic | SR | HR of fixed validation photographs, to disk and to wandb.

    Args:
        folder: where to write `step_0000300.png`.
        datamodule: where the photographs come from.
        trackers: which get the sheet too.
        every_n_steps: generator steps between two sheets; 0 for none.
        count: photographs on a sheet.
    """

    def __init__(
        self,
        folder: Path,
        datamodule: SRDataModule,
        trackers: Sequence[Tracker],
        *,
        every_n_steps: int,
        count: int,
    ) -> None:
        self.folder = folder
        self.datamodule = datamodule
        self.trackers = trackers
        self.every_n_steps = every_n_steps
        self.count = count

    def on_train_batch_end(self, trainer: pl.Trainer, module: SRGANModule, *_: object) -> None:
        """Draw a sheet when it is time, at rank 0."""
        due = self.every_n_steps and module.step % self.every_n_steps == 0
        if not due or not trainer.is_global_zero:
            return
        titles, rows = [], []
        for name, pair in self.datamodule.validation_pairs(module.device, limit=self.count):
            titles.append(name)
            rows.append(draw_row(module, pair))
        if not rows:
            return
        sheet = comparison_picture(rows, titles=titles)
        self.folder.mkdir(parents=True, exist_ok=True)
        write_png(self.folder / f"step_{module.step:07d}.png", sheet)
        for tracker in self.trackers:
            tracker.log_picture("pictures", sheet, step=module.step)


@torch.no_grad()
def draw_row(module: SRGANModule, pair: Pair) -> dict[str, Picture]:
    """Return one photograph as LR, bicubic, SR and HR, by caption."""
    with module.trainer.precision_plugin.forward_context():
        sr = module(pair.lr).float()
    lr = pair.picture
    bicubic = imresize(lr, scale=pair.hr.shape[-1] // lr.shape[-1])
    panels = {"LR": lr, "bicubic": bicubic, "SR": sr, "HR": pair.hr}
    return {caption: to_picture(images) for caption, images in panels.items()}
