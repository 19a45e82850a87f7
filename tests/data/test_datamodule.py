import copy
import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
import yaml
from PIL import Image

from srgan_lightning.data.batches import Pair, TrainBatch, ValidationBatch
from srgan_lightning.data.config import DataConfig
from srgan_lightning.data.datamodule import SRDataModule
from srgan_lightning.data.store import pack
from srgan_lightning.degradations.base import Degradation
from srgan_lightning.errors import UserError

PRESETS = Path(__file__).parents[2] / "conf" / "data"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Noisy(Degradation):
    """Means of squares, plus noise of its own for each image."""

    def reduce(self, hr, generator):
        mean = torch.nn.functional.avg_pool2d(hr, self.scale)
        noise = torch.rand(mean.shape, generator=generator, device=mean.device)
        return (mean + 0.1 * noise).clamp(0, 1)


@pytest.fixture
def folder(tmp_path, write_pictures):
    write_pictures(tmp_path / "hr", [f"{number}.png" for number in range(6)])
    return tmp_path / "hr"


def config(folder, **changes):
    return DataConfig.model_validate(
        {"train": {"hr": str(folder)}, "split": 0.3, "crop_size": 16, "batch_size": 4} | changes
    )


def build(folder, *, seed=5, total_steps=6, channels_last=False, start_step=0, **changes):
    datamodule = SRDataModule(
        config=config(folder, **changes),
        degradation=Noisy(scale=4),
        seed=seed,
        total_steps=total_steps,
        chunks=lambda step: 1 + step % 2,
        channels_last=channels_last,
    )
    datamodule.start_step = start_step
    datamodule.setup("fit")
    return datamodule


def training_pairs(datamodule):
    return [datamodule.on_after_batch_transfer(b, 0) for b in datamodule.train_dataloader()]


def validation_pairs(datamodule):
    return [datamodule.on_after_batch_transfer(b, 0) for b in datamodule.val_dataloader()]


def equal(one, other):
    return torch.equal(one.lr, other.lr) and torch.equal(one.hr, other.hr)


def test_loader_hands_out_uint8_crops(folder):
    batches = list(build(folder).train_dataloader())
    assert [batch.step for batch in batches] == list(range(6))
    assert [len(batch.hr) for batch in batches] == [4, 8, 4, 8, 4, 8]
    for batch in batches:
        assert isinstance(batch, TrainBatch)
        assert batch.hr.dtype == torch.uint8
        assert batch.hr.shape[1:] == (3, 16, 16)
        assert batch.hr.is_contiguous(memory_format=torch.channels_last)
        assert batch.lr is None


def test_crops_come_from_the_training_pictures_alone(folder, tmp_path, write_pictures):
    write_pictures(tmp_path / "flat", [f"{n}.png" for n in range(8)])
    for number in range(8):
        Image.new("RGB", (32, 24), (number, 0, 0)).save(tmp_path / "flat" / f"{number}.png")
    datamodule = build(tmp_path / "flat", split=0.4)
    seen = {int(v) for b in datamodule.train_dataloader() for v in b.hr[:, 0].unique()}
    assert seen == {int(name[0]) for name in datamodule.train_names}
    held = {int(b.hr[0, 0, 0, 0]) for b in datamodule.val_dataloader()}
    assert held == {int(name[0]) for name in datamodule.validation_names}
    assert not seen & held


def test_crops_lie_everywhere_and_inside(tmp_path):
    y, x = np.mgrid[:20, :24]
    picture = np.stack([y, x, 0 * x], axis=-1).astype(np.uint8)
    (tmp_path / "in").mkdir()
    Image.fromarray(picture).save(tmp_path / "in" / "a.png")
    datamodule = build(tmp_path / "in", split=0, batch_size=64, total_steps=10)
    corners = torch.cat([batch.hr[:, :2, 0, 0] for batch in datamodule.train_dataloader()])
    assert {tuple(corner) for corner in corners.tolist()} == {
        (top, left) for top in range(5) for left in range(9)
    }


def test_pairs_are_float_and_in_range(folder):
    for pair in training_pairs(build(folder)) + validation_pairs(build(folder)):
        assert isinstance(pair, Pair)
        for image in pair:
            assert image.dtype == torch.float32
            assert image.is_contiguous()
            assert 0 <= image.min() <= image.max() <= 1
        assert pair.hr.shape[-2:] == tuple(4 * side for side in pair.lr.shape[-2:])


def test_channels_last_where_asked_for(folder):
    datamodule = build(folder, channels_last=True)
    for pair, plain in zip(training_pairs(datamodule), training_pairs(build(folder)), strict=True):
        assert all(image.is_contiguous(memory_format=torch.channels_last) for image in pair)
        assert equal(pair, plain)


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_any_number_of_workers_gives_the_same_bits(folder, workers):
    alone = training_pairs(build(folder, workers=0))
    assert all(map(equal, alone, training_pairs(build(folder, workers=workers))))


def test_folder_and_store_give_the_same_bits(folder, tmp_path):
    pack(folder, tmp_path / "s.safetensors")
    ours, theirs = build(folder), build(tmp_path / "s.safetensors")
    assert ours.validation_names == theirs.validation_names
    assert all(map(equal, training_pairs(ours), training_pairs(theirs)))
    assert all(map(equal, validation_pairs(ours), validation_pairs(theirs)))


def test_a_resumed_run_goes_on_with_the_same_bits(folder):
    whole, tail = training_pairs(build(folder)), training_pairs(build(folder, start_step=3))
    assert len(tail) == 3
    assert all(map(equal, whole[3:], tail))
    assert len(build(folder, start_step=3).train_dataloader()) == 6


def test_seeds_steps_and_images_draw_differently(folder):
    pairs, others = training_pairs(build(folder)), training_pairs(build(folder, seed=6))
    assert not any(map(equal, pairs, others))
    same = TrainBatch(torch.full((2, 3, 16, 16), 99, dtype=torch.uint8), None, 0)
    datamodule = build(folder)
    here = datamodule.on_after_batch_transfer(same, 0)
    there = datamodule.on_after_batch_transfer(same._replace(step=1), 0)
    assert not torch.equal(here.lr, there.lr)
    assert not torch.equal(here.lr[0], here.lr[1])


class FakeTrainer:
    """Stands for one rank of several."""

    world_size = 2
    num_devices = 2

    def __init__(self, rank):
        self.global_rank = rank
        self.strategy = type("Strategy", (), {"root_device": torch.device("cpu")})


def test_ranks_share_the_pictures_and_draw_differently(folder):
    ranks = []
    for rank in (0, 1):
        datamodule = build(folder)
        datamodule.trainer = FakeTrainer(rank)
        ranks.append(datamodule)
    same = TrainBatch(torch.full((2, 3, 16, 16), 99, dtype=torch.uint8), None, 0)
    one, other = (datamodule.on_after_batch_transfer(same, 0) for datamodule in ranks)
    assert not torch.equal(one.lr, other.lr)
    shares = [[batch.picture for batch in d.val_dataloader()] for d in ranks]
    assert sorted(itertools.chain(*shares)) == list(range(len(ranks[0].validation_names)))
    for share, datamodule in zip(shares, ranks, strict=True):
        assert [datamodule.validation_index(i) for i in range(len(share))] == share
    assert not any(map(equal, *map(training_pairs, ranks)))


def test_no_rank_is_without_a_validation_picture(folder, tmp_path, write_pictures):
    write_pictures(tmp_path / "v", ["only.png"])
    for rank in (0, 1):
        datamodule = build(folder, validation={"hr": str(tmp_path / "v")})
        datamodule.trainer = FakeTrainer(rank)
        assert [batch.picture for batch in datamodule.val_dataloader()] == [0]
        assert datamodule.validation_index(0) == 0


def test_validation_is_fixed_per_picture(folder, write_pictures):
    datamodule = build(folder)
    first, again = validation_pairs(datamodule), validation_pairs(datamodule)
    assert all(map(equal, first, again))
    before = dict(zip(datamodule.validation_names, first, strict=True))
    write_pictures(folder, [f"more{n}.png" for n in range(12)], first_seed=50)
    grown = build(folder)
    after = dict(zip(grown.validation_names, validation_pairs(grown), strict=True))
    assert len(after) > len(before)
    assert all(equal(before[name], after[name]) for name in before)


def test_validation_pictures_are_whole_or_cut_from_the_middle(tmp_path, write_pictures):
    pictures = write_pictures(tmp_path, ["a.png", "b.png"], height=43, width=57)
    sources = {"validation": {"hr": str(tmp_path)}}
    whole = list(build(tmp_path, **sources).val_dataloader())
    assert [batch.picture for batch in whole] == [0, 1]
    assert all(isinstance(batch, ValidationBatch) for batch in whole)
    assert np.array_equal(whole[1].hr[0].permute(1, 2, 0), pictures["b.png"][:40, :56])
    middle = list(build(tmp_path, **sources, validation_crop=24).val_dataloader())
    assert np.array_equal(middle[1].hr[0].permute(1, 2, 0), pictures["b.png"][8:32, 16:40])
    large = list(build(tmp_path, **sources, validation_crop=800).val_dataloader())
    assert torch.equal(large[0].hr, whole[0].hr)


def test_validation_pictures_too_small_for_ssim_are_left_out(folder, tmp_path, write_pictures):
    write_pictures(tmp_path / "v", ["good.png"])
    write_pictures(tmp_path / "v", ["tiny.png"], height=19)
    with pytest.warns(UserWarning, match=r"tiny\.png: 19x56 is smaller than the 20"):
        datamodule = build(folder, validation={"hr": str(tmp_path / "v")})
    assert datamodule.validation_names == ["good.png"]


def test_augmentation_turns_and_flips(tmp_path):
    y, x = np.mgrid[:16, :16]
    picture = np.stack([y * 16, x * 16, 0 * x], axis=-1).astype(np.uint8)
    (tmp_path / "in").mkdir()
    Image.fromarray(picture).save(tmp_path / "in" / "a.png")

    def variants(augment):
        datamodule = build(tmp_path / "in", split=0, augment=augment, batch_size=64, total_steps=2)
        images = torch.cat([pair.hr for pair in training_pairs(datamodule)])
        return {image.numpy().tobytes() for image in images}

    assert len(variants(True)) == 8
    assert len(variants(False)) == 1


@pytest.fixture
def paired(tmp_path, write_pictures):
    pictures = write_pictures(tmp_path / "hr", [f"{n}.png" for n in range(6)])
    (tmp_path / "lr").mkdir()
    for name, hr in pictures.items():
        lr = Image.fromarray(hr[::4, ::4])  # LR shows which HR pixels it belongs to
        lr.save(tmp_path / "lr" / name.replace(".png", "x4.png"))
    return {"hr": str(tmp_path / "hr"), "lr": str(tmp_path / "lr")}


@pytest.mark.parametrize("augment", [False, True])
def test_pairs_stay_aligned(paired, augment):
    datamodule = build(paired["hr"], train=paired, augment=augment)
    for pair in training_pairs(datamodule):
        assert pair.lr.shape[-2:] == (4, 4)
        for lr, hr in zip(pair.lr, pair.hr, strict=True):
            corners = [
                hr[:, top::4, left::4] for top in (0, 3) for left in (0, 3)
            ]  # a flip moves the pixel that LR took to another corner of its square
            assert any(torch.equal(lr, corner) for corner in corners)
            if not augment:
                assert torch.equal(lr, corners[0])


def test_paired_validation_takes_the_given_lr(paired):
    for changes in ({}, {"validation_crop": 24}):
        datamodule = build(paired["hr"], train=paired, **changes)
        pairs = validation_pairs(datamodule)
        assert pairs
        assert all(torch.equal(pair.lr, pair.hr[..., ::4, ::4]) for pair in pairs)


def test_paired_data_may_be_resized_together(paired):
    datamodule = build(paired["hr"], train=paired, resize=32)
    assert {pair.lr.shape[-2:] for pair in training_pairs(datamodule)} == {(4, 4)}
    assert {tuple(pair.hr.shape[-2:]) for pair in validation_pairs(datamodule)} == {(32, 32)}


@pytest.mark.parametrize("option", ["crop_size", "validation_crop", "resize"])
def test_sizes_that_are_no_multiple_of_the_scale(folder, option):
    with pytest.raises(UserError, match=rf"data\.{option}: 30 is no multiple of the scale 4"):
        build(folder, **{option: 30})


def test_other_batches_pass_unchanged(folder):
    picture = torch.zeros(1, 3, 8, 8)
    assert build(folder).on_after_batch_transfer(picture, 0) is picture


class Recorder(pl.LightningModule):
    """Remembers what it was given in each of Lightning's stages."""

    def __init__(self):
        super().__init__()
        self.automatic_optimization = False
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.seen = {"train": [], "validate": [], "test": []}
        self.sanity = []

    def training_step(self, batch, batch_idx):
        self.seen["train"].append(batch)

    def validation_step(self, batch, batch_idx):
        (self.sanity if self.trainer.sanity_checking else self.seen["validate"]).append(batch)

    def test_step(self, batch, batch_idx):
        self.seen["test"].append(batch)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


@pytest.mark.filterwarnings("ignore:.*does not have many workers")
@pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")
@pytest.mark.filterwarnings("ignore:.*GPU available")
def test_lightning_gets_the_same_pairs_in_every_stage(folder, tmp_path):
    datamodule = build(folder)
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        default_root_dir=tmp_path,
    )
    module = Recorder()
    trainer.fit(module, datamodule=datamodule)
    trainer.test(module, datamodule=datamodule, verbose=False)
    expected = validation_pairs(build(folder))
    assert all(map(equal, module.seen["train"], training_pairs(build(folder))))
    assert len(module.seen["train"]) == 6
    for pairs in (module.sanity, module.seen["validate"], module.seen["test"]):
        assert len(pairs) == min(2, len(expected)) if pairs is module.sanity else len(expected)
        assert all(map(equal, pairs, expected))


def test_split_cuts_in_order():
    pair = Pair(torch.arange(6.0).view(6, 1, 1, 1), torch.arange(6.0).view(6, 1, 1, 1) + 10)
    parts = pair.split(3)
    assert [part.lr.flatten().tolist() for part in parts] == [[0, 1], [2, 3], [4, 5]]
    assert [part.hr.flatten().tolist() for part in parts] == [[10, 11], [12, 13], [14, 15]]
    with pytest.raises(ValueError, match="4 equal parts"):
        pair.split(4)


def load_preset(name):
    preset = yaml.safe_load((PRESETS / f"{name}.yaml").read_text())
    assert preset.pop("defaults") == ["_base", "_self_"]
    base = yaml.safe_load((PRESETS / "_base.yaml").read_text())
    return copy.deepcopy(base) | preset


def test_the_presets_have_the_defaults_of_the_schema():
    base = yaml.safe_load((PRESETS / "_base.yaml").read_text())
    defaults = DataConfig(train={"hr": "x"}).model_dump()
    assert base == {
        key: defaults[key] for key in defaults if key not in ("root", "train")
    }  # presets say where


def test_preset_samples_is_ready_to_use():
    datamodule = SRDataModule(
        config=DataConfig.model_validate(load_preset("samples")),
        degradation=Noisy(scale=4),
        seed=0,
        total_steps=1,
        chunks=lambda step: 1,
    )
    datamodule.setup("fit")
    assert len(datamodule.train_names) >= 10
    assert 5 <= len(datamodule.validation_names) <= 6
    assert next(iter(datamodule.train_dataloader())).hr.shape == (16, 3, 96, 96)


@pytest.mark.parametrize("name", ["folder", "paired"])
def test_presets_for_own_pictures(name):
    preset = load_preset(name)
    missing = {"folder": preset["root"], "paired": preset["train"]["hr"]}[name]
    assert missing == "???"
    assert DataConfig.model_validate(preset)
