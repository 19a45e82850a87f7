from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from PIL import Image

from srgan_lightning.data.catalog import DATASETS
from srgan_lightning.data.config import DataConfig
from srgan_lightning.data.datamodule import SRDataModule
from srgan_lightning.degradations.blur_bicubic import BlurBicubic
from srgan_lightning.errors import UserError

CONF = Path(__file__).parents[2] / "conf"
HR = (112, 100)
LR = (28, 25)


class Layout(NamedTuple):
    """Files of a data set as its archives unpack, and how many of them a preset must find.

    The counts are None where a share of the pictures validates.
    """

    hr: tuple[str, ...]
    lr: tuple[str, ...]
    train: int | None
    validation: int | None
    overrides: tuple[str, ...] = ()


def files(pattern: str, *values: str) -> tuple[str, ...]:
    return tuple(pattern.format(value) for value in values)


def benchmark(folder: str) -> Layout:
    return Layout(
        hr=(*files(f"benchmark/{folder}/HR/{{}}.png", "a", "b", "c"), "mine/1.jpg", "mine/2.jpg"),
        lr=files(f"benchmark/{folder}/LR_bicubic/X4/{{}}x4.png", "a", "b", "c"),
        train=2,
        validation=3,
        overrides=("data.train.hr=${data.root}/mine",),
    )


def uhdsr(name: str) -> Layout:
    hr = (*files(f"{name}/train/{{}}.png", "1", "2", "3"), f"{name}/test/1.png")
    return Layout(hr, lr=(), train=3, validation=1)


DIV2K = Layout(
    hr=(
        *files("DIV2K_train_HR/{}.png", "0001", "0002", "0003"),
        *files("DIV2K_valid_HR/{}.png", "0801", "0802"),
    ),
    lr=(
        *files("DIV2K_train_LR_bicubic/X4/{}x4.png", "0001", "0002", "0003"),
        *files("DIV2K_valid_LR_bicubic/X4/{}x4.png", "0801", "0802"),
    ),
    train=3,
    validation=2,
)
MANY = tuple(f"{number:06}" for number in range(1, 21))

LAYOUTS = {
    "div2k": DIV2K,
    "div2k_bicubic": DIV2K,
    "flickr2k": Layout(
        hr=files("Flickr2K/Flickr2K_HR/{}.png", *MANY),
        lr=files("Flickr2K/Flickr2K_LR_bicubic/X4/{}x4.png", *MANY),
        train=None,
        validation=None,
    ),
    "bsds500": Layout(
        hr=(
            *files("BSR/BSDS500/data/images/train/{}.jpg", "2092", "8049", "8143"),
            *files("BSR/BSDS500/data/images/test/{}.jpg", "2018", "3063"),
            "BSR/BSDS500/data/images/val/3096.jpg",
        ),
        lr=(),
        train=5,
        validation=1,
    ),
    "set5": benchmark("Set5"),
    "set14": benchmark("Set14"),
    "bsd100": benchmark("B100"),
    "urban100": benchmark("Urban100"),
    "realsr": Layout(
        hr=(
            *files("RealSR(V3)/{0}/Train/4/{0}_001_HR.png", "Canon", "Nikon"),
            *files("RealSR(V3)/{0}/Train/4/{0}_002_HR.png", "Canon", "Nikon"),
            *files("RealSR(V3)/{0}/Test/4/{0}_001_HR.png", "Canon", "Nikon"),
        ),
        lr=(
            *files("RealSR(V3)/{0}/Train/4/{0}_001_LR4.png", "Canon", "Nikon"),
            *files("RealSR(V3)/{0}/Train/4/{0}_002_LR4.png", "Canon", "Nikon"),
            *files("RealSR(V3)/{0}/Test/4/{0}_001_LR4.png", "Canon", "Nikon"),
        ),
        train=4,
        validation=2,
    ),
    "celeba": Layout(
        hr=files("img_align_celeba/{}.jpg", *MANY),
        lr=(),
        train=None,
        validation=None,
    ),
    "uhdsr4k": uhdsr("UHDSR4K"),
    "uhdsr8k": uhdsr("UHDSR8K"),
}
PAIRED = {"div2k_bicubic", "realsr"}


def compose_data(name: str, *overrides: str) -> DataConfig:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose(f"data/{name}", [*overrides])
    return DataConfig.model_validate(OmegaConf.to_container(config.data, resolve=True))


def unpack(layout: Layout, root: Path) -> None:
    for names, (height, width) in ((layout.hr, HR), (layout.lr, LR)):
        for name in names:
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((height, width, 3), 128, np.uint8)).save(path)


def datamodule(config: DataConfig) -> SRDataModule:
    module = SRDataModule(
        config=config,
        degradation=BlurBicubic(scale=4),
        seed=0,
        total_steps=1,
        chunks=lambda step: 1,
    )
    module.setup()
    return module


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_preset_finds_the_pictures_where_the_archive_puts_them(name: str, tmp_path: Path):
    layout = LAYOUTS[name]
    unpack(layout, tmp_path)
    module = datamodule(compose_data(name, f"data.root={tmp_path}", *layout.overrides))
    found = len(module.train_names), len(module.validation_names)
    if layout.train is None:
        assert sum(found) == len(layout.hr)
        assert min(found) > 0
    else:
        assert found == (layout.train, layout.validation)
    assert (next(iter(module.train_dataloader())).lr is not None) == (name in PAIRED)
    assert (next(iter(module.val_dataloader())).lr is not None) == (name in PAIRED)


def test_samples_train_and_validate_without_a_download():
    module = datamodule(compose_data("samples"))
    assert len(module.train_names) >= 10
    assert len(module.validation_names) >= 5


def test_folder_takes_ones_own_pictures(tmp_path: Path):
    unpack(Layout(("a.png", "deep/b.png", "deep/er/c.jpg"), (), None, None), tmp_path)
    module = datamodule(compose_data("folder", f"data.root={tmp_path}"))
    assert len(module.train_names) + len(module.validation_names) == 3


def test_paired_takes_ones_own_pairs(tmp_path: Path):
    unpack(Layout(files("hr/{}.png", *"abc"), files("lr/{}.png", *"abc"), None, None), tmp_path)
    roots = f"data.train.hr={tmp_path}/hr", f"data.train.lr={tmp_path}/lr"
    module = datamodule(compose_data("paired", *roots))
    assert len(module.train_names) + len(module.validation_names) == 3


@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_a_data_set_that_is_not_there_is_one_line_with_its_path(name: str, tmp_path: Path):
    layout = LAYOUTS[name]
    with pytest.raises(UserError) as caught:
        datamodule(compose_data(name, f"data.root={tmp_path}", *layout.overrides))
    assert "\n" not in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_every_preset_is_tested():
    presets = {path.stem for path in (CONF / "data").glob("[!_]*.yaml")}
    assert presets == {*LAYOUTS, "samples", "folder", "paired"}


@pytest.mark.parametrize("name", DATASETS)
def test_the_downloader_unpacks_to_where_the_preset_looks(name: str, tmp_path: Path):
    layout = LAYOUTS[name]
    for parts, names in ((DATASETS[name].hr, layout.hr), (DATASETS[name].lr, layout.lr)):
        pictures = [file for file in names if not file.startswith("mine/")]
        for part in parts:
            assert any(Path(file).parent == Path(part.folder) for file in pictures)
