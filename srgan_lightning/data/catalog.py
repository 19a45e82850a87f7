"""The field's data sets: where their archives are and how they unpack.

Nobody publishes checksums of these archives; `download.hold_checksum` records what came first.
"""

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from srgan_lightning.errors import UserError, nearest

ETH = "https://data.vision.ee.ethz.ch/cvl/DIV2K"
SNU = "https://cv.snu.ac.kr/research/EDSR"


@dataclass(frozen=True)
class Archive:
    """A file on a server.

    Attributes:
        url: where it is.
        folder: the folder that it unpacks to.
    """

    url: str
    folder: str

    @property
    def file(self) -> str:
        """Its name on the disk.

        >>> Archive("https://host/some/Set5.tar.gz", "Set5").file
        'Set5.tar.gz'
        """
        return PurePosixPath(urlsplit(self.url).path).name


@dataclass(frozen=True)
class Part:
    """Pictures of a data set that become one store.

    Attributes:
        name: "train_hr", "valid_lr", ….
        archive: where they come from.
        folder: where they lie when the archive is unpacked.
    """

    name: str
    archive: Archive
    folder: str


@dataclass(frozen=True)
class Dataset:
    """A data set with its high-resolution parts and the x4 low-resolution partners of these."""

    title: str
    hr: tuple[Part, ...]
    lr: tuple[Part, ...] = field(default=())


def _div2k(split: str) -> tuple[Part, Part]:
    hr = f"DIV2K_{split}_HR"
    lr = f"DIV2K_{split}_LR_bicubic"
    return (
        Part(f"{split}_hr", Archive(f"{ETH}/{hr}.zip", hr), hr),
        Part(f"{split}_lr", Archive(f"{ETH}/{lr}_X4.zip", f"{lr}/X4"), f"{lr}/X4"),
    )


def _benchmark(title: str, folder: str) -> Dataset:
    archive = Archive(f"{SNU}/benchmark.tar", "benchmark")
    return Dataset(
        title,
        hr=(Part("hr", archive, f"benchmark/{folder}/HR"),),
        lr=(Part("lr", archive, f"benchmark/{folder}/LR_bicubic/X4"),),
    )


_FLICKR2K = Archive(f"{SNU}/Flickr2K.tar", "Flickr2K")
_TRAIN, _VALID = _div2k("train"), _div2k("valid")

DATASETS = {
    "div2k": Dataset(
        "DIV2K (Agustsson & Timofte 2017), 800 + 100 pictures",
        hr=(_TRAIN[0], _VALID[0]),
        lr=(_TRAIN[1], _VALID[1]),
    ),
    "flickr2k": Dataset(
        "Flickr2K (Lim et al. 2017), 2,650 pictures",
        hr=(Part("hr", _FLICKR2K, "Flickr2K/Flickr2K_HR"),),
        lr=(Part("lr", _FLICKR2K, "Flickr2K/Flickr2K_LR_bicubic/X4"),),
    ),
    "set5": _benchmark("Set5 (Bevilacqua et al. 2012)", "Set5"),
    "set14": _benchmark("Set14 (Zeyde et al. 2010)", "Set14"),
    "bsd100": _benchmark("BSD100 (Martin et al. 2001)", "B100"),
    "urban100": _benchmark("Urban100 (Huang et al. 2015)", "Urban100"),
}


def find_dataset(name: str) -> Dataset:
    """Return the data set of that name, or raise a `UserError` that lists the known ones.

    >>> find_dataset("set5").hr[0].folder
    'benchmark/Set5/HR'
    """
    if name not in DATASETS:
        raise UserError(
            f"{name} is neither a folder nor a data set that can be downloaded; "
            f"{nearest(name, DATASETS)}"
        )
    return DATASETS[name]
