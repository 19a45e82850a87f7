"""The models that a page offers."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from srgan_lightning.inference.load import load_upscaler
from srgan_lightning.inference.upscaler import Upscaler
from srgan_lightning.precision import Precision

ALWAYS = ("bicubic", "lanczos")


class Models:
    """Generators by the names that a page shows, each loaded once and kept.

    Those that were asked for come first and are loaded at once, so that a broken one is told before
    the page is served; the methods that are always there wait for their first use.

    Args:
        given: files or methods, as `load_upscaler` takes them.
        device: as `load_upscaler` takes it.
        precision: as `load_upscaler` takes it.

    Raises:
        UserError: for a model that cannot be loaded.

    Example:
        >>> Models(["nearest"], device="cpu", precision="32-true").names
        ['nearest', 'bicubic', 'lanczos']
    """

    def __init__(
        self, given: Sequence[str], *, device: str, precision: Literal["auto"] | Precision
    ) -> None:
        self._device, self._precision = device, precision
        self._sources = _named(list(dict.fromkeys(given))) | {name: name for name in ALWAYS}
        self._loaded: dict[str, Upscaler] = {}
        for name in self.names[: len(self._sources) - len(ALWAYS)] or ALWAYS[:1]:
            self[name]

    @property
    def names(self) -> list[str]:
        """What to choose from; the first is the default."""
        return list(self._sources)

    def __getitem__(self, name: str) -> Upscaler:
        """Return a model's upscaler; load it where it is not yet."""
        if name not in self._loaded:
            source = self._sources[name]
            self._loaded[name] = load_upscaler(
                source, device=self._device, precision=self._precision
            )
        return self._loaded[name]


def _named(given: Sequence[str]) -> dict[str, str]:
    """Name files without their folders, but where that would not tell them apart.

    >>> _named(["a/best.ckpt", "b/best.ckpt", "b/last.ckpt"])
    {'a/best.ckpt': 'a/best.ckpt', 'b/best.ckpt': 'b/best.ckpt', 'last.ckpt': 'b/last.ckpt'}
    """
    counts = Counter(Path(model).name for model in given)
    return {model if counts[Path(model).name] > 1 else Path(model).name: model for model in given}
