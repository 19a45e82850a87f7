"""What fusion makes, and where the pixels of frames lie in it."""

import dataclasses

from torch import Tensor

from srgan_lightning.degradations.motion import Motion


@dataclasses.dataclass(frozen=True)
class Fused:
    """One picture made of many frames.

    Attributes:
        picture: in the units of the frames, `[C, H, W]`; NaN where no frame looked.
        weight: how many frames back a pixel; robust methods count what they trust, `[H, W]`.
        uncertainty: standard deviation of the picture, `[C, H, W]`.
    """

    picture: Tensor
    weight: Tensor
    uncertainty: Tensor


def places(motion: Motion, n: int, xy: Tensor, *, scale: int) -> Tensor:
    """Return where points of frame n lie on the HR grid, the reference's divided by the scale.

    Args:
        motion: from the reference to the frames.
        n: the frame.
        xy: in pixels of the frame, `[..., 2]`.
        scale: HR pixels along the side of a frame's pixel.

    Returns:
        (x, y), float64 `[..., 2]`.
    """
    return (motion.back(n, xy) + 0.5) * scale - 0.5
