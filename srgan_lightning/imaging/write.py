"""Files that are there whole or not at all."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Lend a temporary name in the folder of `path`; rename it to `path` when all went well.

    Whatever interrupts the block, `path` is what it was before.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     target = Path(folder) / "a.txt"
        ...     with whole_file(target) as part:
        ...         _ = part.write_text("done")
        ...     [file.name for file in Path(folder).iterdir()]
        ['a.txt']
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_png(
    path: str | Path,
    picture: NDArray[np.uint8],
    *,
    text: Mapping[str, str] | None = None,
    compression: int = 6,
) -> None:
    """Write a picture as PNG.

    Args:
        path: the file; its folder is made where it is missing.
        picture: uint8 `[H, W, 3]`.
        text: keyword to text, stored in the file's metadata.
        compression: zlib's level; 1 is several times as fast as 6 and makes files a bit larger.

    Raises:
        ValueError: for another shape or type.
    """
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise ValueError(f"a picture is uint8 [H, W, 3], not {picture.dtype} {picture.shape}")
    chunks = PngInfo()
    for keyword, value in (text or {}).items():
        chunks.add_text(keyword, value)
    with whole_file(Path(path)) as part:
        Image.fromarray(picture).save(
            part, format="PNG", pnginfo=chunks, compress_level=compression
        )
