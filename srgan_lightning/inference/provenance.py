"""Where an enlarged picture comes from, in the words that its metadata carry."""

from pathlib import Path

from srgan_lightning import __version__
from srgan_lightning.inference.generators import is_method
from srgan_lightning.inference.upscaler import Upscaler
from srgan_lightning.networks.weights import file_hash


class Provenance:
    """Program, model, precision and tiling, for pictures of any depth.

    Args:
        model: the file or the method that `upscaler` was loaded from; of a file's path only the
            name is told.
        upscaler: what enlarges.
    """

    def __init__(self, model: str | Path, upscaler: Upscaler) -> None:
        self.model = str(model)
        if not is_method(model):
            self.model = f"{Path(model).name} sha256:{file_hash(Path(model))}"
        self.upscaler = upscaler

    def of(self, depth: int) -> dict[str, str]:
        """Return texts by keyword for a picture of so many bits a sample."""
        tile, halo = self.upscaler.tile, self.upscaler.halo
        whole = tile is None or halo is None
        return {
            "Software": f"srgan-lightning {__version__}",
            "Model": self.model,
            "Precision": self.upscaler.precision_for(depth),
            "Tile": "whole picture" if whole else f"{tile}, halo {halo}",
        }
