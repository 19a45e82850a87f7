import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from srgan_lightning.samples import sample_folder

STAMP = "Y channel, 4 pixels cropped at each border, LR by bicubic"
EVIL = "<script>alert(1)</script>"
FILTERS = {"nearest": Image.Resampling.NEAREST, "bicubic": Image.Resampling.BICUBIC}


@pytest.fixture
def evaluation(tmp_path: Path) -> Callable[..., Path]:
    """Write a folder as `srgan evaluate` does: the means of methods, the same for each picture."""

    def write(
        means: Mapping[str, Mapping[str, Any]],
        *,
        name: str = "evaluated",
        pictures: tuple[str, ...] = ("saturn",),
        stamp: str = STAMP,
        **further: Any,
    ) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        methods = {
            method: {"mean": figures, "pictures": dict.fromkeys(pictures, figures), **further}
            for method, figures in means.items()
        }
        document = {"protocol": {"stamp": stamp, "crop": 4}, "methods": methods, "more": None}
        (folder / "figures.json").write_text(json.dumps(document))
        return folder

    return write


@pytest.fixture
def save_pictures() -> Callable[..., None]:
    """Write HR, LR and one SR for each method, of 96x64 crops of packaged photographs."""

    def save(folder: Path, methods: tuple[str, ...], pictures: tuple[str, ...] = ("saturn",)):
        for picture in pictures:
            photograph = Image.open(sample_folder("heldout") / f"{picture}.jpg").convert("RGB")
            hr = photograph.crop((200, 100, 296, 164))
            lr = hr.resize((24, 16), Image.Resampling.BICUBIC)
            made = {"HR": hr, "LR": lr}
            for method in methods:
                made[method] = lr.resize(hr.size, FILTERS.get(method, Image.Resampling.LANCZOS))
            for name, image in made.items():
                path = folder / "pictures" / name / f"{picture}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                image.save(path)

    return save


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Path]:
    """Write a folder as `srgan train` does, of three validations in two stages."""

    def write(name: str = "trained") -> Path:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "metrics.csv").write_text(
            "step,loss/pixel,val/psnr,loss/adversarial\n"
            "10,0.5,20.0,\n"
            "20,0.25,22.0,\n"
            "30,0.125,21.0,0.7\n"
        )
        (folder / "config.yaml").write_text(
            "config:\n  generator: {name: srresnet, blocks: 8}\n  schedule:\n    stages:\n"
            "      pixel: {kind: pixel, steps: 20}\n      adversarial: {steps: 20}\n"
            "      never: {steps: 0}\nfacts: {}\n"
        )
        return folder

    return write
