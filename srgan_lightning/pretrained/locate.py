"""From what a user calls a model to a file."""

from pathlib import Path

from srgan_lightning.pretrained.box import boxed

HUB = "hf://"


def locate(model: str | Path) -> Path:
    """Return the file of a model, fetched if need be.

    Args:
        model: a file; a name of the box ("photo-gan"); `https://…`, which may end in
            `#sha256=…`; or `hf://owner/name[@revision][/file]`.

    Returns:
        The file; of a plain path that path, whether it is there or not.

    Raises:
        UserError: for weights of the box that are damaged, and for what cannot be fetched or is
            not what its checksum says.

    Example:
        >>> locate("photo-psnr").name
        'photo-psnr.safetensors'
    """
    if entry := boxed(model):
        entry.check()
        return entry.weights
    if isinstance(model, str) and model.startswith(HUB):
        from srgan_lightning.pretrained.hub import pull

        return pull(model.removeprefix(HUB))
    if isinstance(model, str) and model.startswith(("https://", "http://")):
        from srgan_lightning.pretrained.fetch import fetch

        return fetch(model)
    return Path(model).expanduser()
