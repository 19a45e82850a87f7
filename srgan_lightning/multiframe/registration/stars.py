"""Star fields: matrices from triangles of stars, by astroalign (Beroiz et al. 2020)."""

import warnings

import numpy as np
import torch
from torch import Tensor

from srgan_lightning.errors import UserError


def match_stars(reference: Tensor, frames: Tensor) -> tuple[Tensor, list[str]]:
    """Find how frames are turned, scaled and shifted, however far, by the stars in them.

    Args:
        reference: `[H, W]`, without NaN.
        frames: `[N, H, W]`, without NaN.

    Returns:
        float64 `[N, 3, 3]`, and for each frame why it has no match ("" where it has).

    Raises:
        UserError: astroalign is absent.
    """
    try:
        import astroalign
    except ImportError:
        raise UserError(
            "stars are matched by astroalign: pip install 'srgan-lightning[astro]'"
        ) from None
    source = np.ascontiguousarray(reference.cpu().numpy(), np.float64)
    matrices, faults = [], []
    for frame in frames:
        target = np.ascontiguousarray(frame.cpu().numpy(), np.float64)
        matrix, fault = np.eye(3), ""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of divisions within
                transform, _ = astroalign.find_transform(source, target)
            matrix = transform.params
        except (astroalign.MaxIterError, ValueError, TypeError) as error:
            reason = " ".join(str(error).split())
            fault = f"its stars match none of the reference ({reason})"
        matrices.append(torch.from_numpy(np.asarray(matrix, np.float64)))
        faults.append(fault)
    return torch.stack(matrices).to(reference.device), faults
