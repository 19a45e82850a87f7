"""Where each point of a reference frame lies in the other frames."""

import dataclasses
import json
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from srgan_lightning.errors import UserError

_STEPS = 20  # to invert a flow, at most
_SETTLED = 1e-5  # pixels: and a step that moves no point further is the last
_FORMAT = "srgan_lightning motion 1"


def pixel_grid(height: int, width: int, *, device: torch.device | None = None) -> Tensor:
    """Return the centres of pixels, (x, y), float64 `[height, width, 2]`."""
    y, x = (torch.arange(side, device=device).double() for side in (height, width))
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Motion:
    """N maps from the pixels of a reference frame to those of N frames.

    x goes to the right and y down, pixels have their centres at whole numbers, the first at (0, 0).
    A point p of the reference lies in frame n at

        qₙ(p) = π(Mₙ (x, y, 1)ᵀ) + fₙ(p)

    with π dividing by the third coordinate, and fₙ read bilinearly, its edges continued.

    Args:
        matrices: Mₙ, float64 `[N, 3, 3]`.
        flow: fₙ, displacements (x, y) in pixels on the reference's grid, `[N, 2, H, W]`; None is 0.

    Raises:
        ValueError: for other shapes or types.

    Example:
        >>> motion = Motion.of_shifts(torch.tensor([[0.0, 0.0], [1.5, -0.25]]))
        >>> motion.points(1, torch.tensor([10.0, 20.0])).tolist()
        [11.5, 19.75]
    """

    matrices: Tensor
    flow: Tensor | None = None

    def __post_init__(self) -> None:
        matrices, flow = self.matrices, self.flow
        if matrices.shape[1:] != (3, 3) or matrices.dtype != torch.float64:
            raise ValueError(f"no matrices: {matrices.dtype} {list(matrices.shape)}")
        if flow is not None and (flow.ndim != 4 or flow.shape[:2] != (len(matrices), 2)):
            raise ValueError(f"no flow of {len(matrices)} frames: {list(flow.shape)}")

    @classmethod
    def of_shifts(cls, shifts: Tensor) -> "Motion":
        """Make translations: a point p of the reference lies in frame n at p + shifts[n].

        Args:
            shifts: (x, y) in pixels, `[N, 2]`.
        """
        matrices = torch.eye(3, dtype=torch.float64, device=shifts.device)
        matrices = matrices.repeat(len(shifts), 1, 1)
        matrices[:, :2, 2] = shifts
        return cls(matrices=matrices)

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.matrices)

    def points(self, n: int, xy: Tensor) -> Tensor:
        """Map points of the reference to frame n.

        Args:
            n: the frame.
            xy: `[..., 2]`.

        Returns:
            float64 `[..., 2]`.
        """
        xy = xy.double()
        there = project(self.matrices[n], xy)
        return there if self.flow is None else there + sample_flow(self.flow[n], xy)

    def back(self, n: int, xy: Tensor) -> Tensor:
        """Map points of frame n to the reference, the inverse of `points`.

        With a flow, p ← M⁻¹(q − f(p)) is repeated until nothing moves; it converges where the flow
        bends less than the frame, as every flow does that tears nothing.

        Args:
            n: the frame.
            xy: `[..., 2]`.

        Returns:
            float64 `[..., 2]`.
        """
        xy = xy.double()
        inverse = torch.linalg.inv(self.matrices[n])
        here = project(inverse, xy)
        if self.flow is not None:
            for _ in range(_STEPS):
                before = here
                here = project(inverse, xy - sample_flow(self.flow[n], here))
                if ((here - before).abs() < _SETTLED).all():
                    break
        return here

    def select(self, frames: list[int] | Tensor) -> "Motion":
        """Return the motion of some of the frames, in the order given."""
        flow = None if self.flow is None else self.flow[frames]
        return Motion(matrices=self.matrices[frames], flow=flow)

    def relative_to(self, reference: int) -> "Motion":
        """Make another frame the reference.

        Raises:
            ValueError: with a flow, whose grid is the old reference's.
        """
        if self.flow is not None:
            raise ValueError("a flow lies on the grid of its own reference")
        return Motion(matrices=self.matrices @ torch.linalg.inv(self.matrices[reference]))

    def to(self, device: torch.device) -> "Motion":
        """Return the same on a device."""
        flow = None if self.flow is None else self.flow.to(device)
        return Motion(matrices=self.matrices.to(device), flow=flow)

    def save(self, path: Path) -> None:
        """Write JSON that keeps every bit; a flow goes to a safetensors file beside it."""
        told = {"format": _FORMAT, "matrices": self.matrices.tolist()}
        if self.flow is not None:
            beside = path.with_suffix(".flow.safetensors")
            part = beside.with_name(f".{beside.name}.part")
            save_file({"flow": self.flow.float().contiguous().cpu()}, part)
            part.replace(beside)
            told["flow"] = beside.name
        part = path.with_name(f".{path.name}.part")
        part.write_text(json.dumps(told, indent=1) + "\n")
        part.replace(path)

    @classmethod
    def load(cls, path: Path) -> "Motion":
        """Read what `save` wrote, or another program in the same form.

        Raises:
            UserError: the file is missing or holds no motion.
        """
        try:
            told = json.loads(path.read_text())
            matrices = torch.tensor(told["matrices"], dtype=torch.float64)
            flow = None
            if told.get("flow") is not None:
                flow = load_file(path.parent / Path(told["flow"]).name)["flow"]
            if not matrices.isfinite().all() or not torch.linalg.det(matrices).all():
                raise ValueError("a matrix has no inverse")
            return cls(matrices=matrices, flow=flow)
        except OSError as error:
            raise UserError(f"{error.filename or path}: {error.strerror or error}") from None
        except (ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
            reason = " ".join(str(error).split())
            raise UserError(f"{path}: holds no motion that `srgan fuse` wrote ({reason})") from None


def project(matrix: Tensor, xy: Tensor) -> Tensor:
    """Map points `[..., 2]` by a matrix `[3, 3]`, or by one each `[..., 3, 3]`."""
    x, y = xy.unbind(-1)
    (a, b, c), (d, e, f), (g, h, i) = (row.unbind(-1) for row in matrix.unbind(-2))
    there = torch.stack([a * x + b * y + c, d * x + e * y + f], dim=-1)
    return there / (g * x + h * y + i)[..., None]


def sample_flow(flow: Tensor, xy: Tensor) -> Tensor:
    """Read a flow or another map `[C, H, W]` bilinearly at points `[..., 2]`, edges continued.

    Returns:
        `[..., C]`, in the points' precision.
    """
    height, width = flow.shape[-2:]
    unit = (2 * xy + 1) / xy.new_tensor([width, height]) - 1
    grid = unit.to(flow.dtype).view(1, 1, -1, 2)
    read = F.grid_sample(flow[None], grid, padding_mode="border", align_corners=False)
    return read[0, :, 0].T.reshape(*xy.shape[:-1], len(flow)).to(xy.dtype)
