"""Flips and turns that a photograph does not mind."""

import torch
from kornia.geometry import hflip, vflip
from torch import Tensor


def random_flip_turn(images: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Give each image one of the eight symmetries of the square, all equally likely.

    Pictures that are not square are flipped only (four symmetries). The draws depend on the
    generator and the batch size alone: an LR and an HR batch turn alike under two generators of
    the same seed.

    Args:
        images: `[B, C, H, W]` of any dtype.
        generator: the source of the draws, on the images' device; None is torch's global one.

    Returns:
        Images of the same shape.
    """
    choices = torch.randint(2, (3, len(images), 1, 1, 1), generator=generator, device=images.device)
    flip_x, flip_y, turn = choices.bool().unbind()
    images = torch.where(flip_x, hflip(images), images)
    images = torch.where(flip_y, vflip(images), images)
    if images.shape[-2] == images.shape[-1]:
        images = torch.where(turn, images.mT, images)
    return images
