"""Sparse coding: an LR patch is a few atoms, and the same atoms of HR make its HR patch."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor
from typing_extensions import override

from srgan_lightning.classical.dictionaries import CHUNK, learn
from srgan_lightning.classical.fitted import FittedGenerator
from srgan_lightning.classical.observation import Observation, Observed
from srgan_lightning.classical.patches import (
    ENLARGED,
    FILTERS,
    average,
    cut,
    gradient_features,
    luma,
    pad_for_patches,
)
from srgan_lightning.classical.pursuit import pursue
from srgan_lightning.degradations.resize import imresize
from srgan_lightning.errors import UserError
from srgan_lightning.networks.base import GENERATORS

FLAT = 0.3  # features shorter than this teach nothing but noise
CLOSENESS = 1e-3  # c of equation 11: how little of LR is given up for the patches' sake


@GENERATORS.register("sparse_coding")
class SparseCoding(FittedGenerator):
    """Super-resolution by sparse representation (Yang et al. 2010).

    ("Image Super-Resolution via Sparse Representation".) Every LR patch, seen through gradient
    filters, is coded by few atoms of D_lr; the same code with D_hr gives the HR patch without its
    mean, which bicubic knows. Overlapping patches are averaged. The picture X₀ so made is then
    moved to the nearest one that A would reduce to the LR (equation 11),

        X = argmin ‖A X − Y‖² + c ‖X − X₀‖²,

    which the paper does by steps of back-projection and this class in closed form. All this
    happens to luma; chroma is bicubic's.

    Unlike the paper, which codes by the lasso and couples neighbouring patches, codes come of
    orthogonal matching pursuit, and D_hr of a regression on them, see `dictionaries.learn`.

    Args:
        scale: the factor between the sides of LR and SR.
        atoms: of each dictionary (the paper's 1024).
        patch: side of a patch in LR pixels.
        overlap: of neighbouring patches in LR pixels (the paper's 1).
        sparsity: atoms in a code.
        samples: how many pairs of patches to fit (the paper's 100,000).
        observation: A, as the degradation of that name, which must be the one that made the LR.

    Raises:
        UserError: for a number that is out of its range; when called, while it is not fitted.
    """

    D_lr: Tensor
    D_hr: Tensor

    def __init__(
        self,
        *,
        scale: int = 4,
        atoms: int = 512,
        patch: int = 3,
        overlap: int = 2,
        sparsity: int = 3,
        samples: int = 50_000,
        observation: Observed = "bicubic",
    ) -> None:
        super().__init__()
        for option, value, least in (
            ("scale", scale, 1),
            ("patch", patch, 1),
            ("sparsity", sparsity, 1),
            ("atoms", atoms, sparsity),
            ("samples", samples, atoms),
        ):
            if value < least:
                raise UserError(f"generator.{option}: must be {least} or more (got {value})")
        if not 0 <= overlap < patch:
            raise UserError(f"generator.overlap: must lie in 0 … {patch - 1} (got {overlap})")
        self.scale = scale
        self.patch = patch
        self.step = patch - overlap
        self.sparsity = sparsity
        self.samples = samples
        self.observation = observation
        self.register_buffer("D_lr", torch.zeros(atoms, FILTERS * (ENLARGED * patch) ** 2))
        self.register_buffer("D_hr", torch.zeros(atoms, (scale * patch) ** 2))

    @property
    @override
    def halo(self) -> None:
        return None

    @override
    def fit(
        self,
        pairs: Iterable[tuple[Tensor, Tensor]],
        *,
        on_progress: Callable[[float], None] | None = None,
    ) -> None:
        report = on_progress or (lambda share: None)
        features, patches = self._collect(pairs, lambda share: report(share / 2))
        if len(features) < len(self.D_lr):
            raise UserError(
                f"generator=sparse_coding: {len(features)} patches with detail are too few for "
                f"{len(self.D_lr)} atoms; give more or larger crops, or lower generator.atoms"
            )
        lr, hr = learn(
            features,
            patches,
            atoms=len(self.D_lr),
            sparsity=self.sparsity,
            on_progress=lambda share: report((1 + share) / 2),
        )
        self.D_lr.copy_(lr)
        self.D_hr.copy_(hr)

    @torch.no_grad()
    @override
    def forward(self, lr: Tensor) -> Tensor:
        if not self.D_lr.any():
            raise UserError(
                "sparse_coding: is not fitted yet; `srgan train experiment=sparse_coding` fits it "
                "and writes a generator.safetensors to be used"
            )
        with torch.autocast(lr.device.type, enabled=False):
            image = lr.to(self.D_lr.dtype)
            bicubic, y = imresize(image, scale=self.scale), luma(image)
            fine = torch.cat([self._enlarge(picture[None]) for picture in y])
            return (bicubic + fine - luma(bicubic)).to(lr.dtype)

    def _enlarge(self, y: Tensor) -> Tensor:
        """Enlarge the luma of one picture."""
        padded = pad_for_patches(y, side=self.patch, step=self.step)
        coarse = imresize(padded, scale=self.scale)
        means = self._cut_hr(coarse).mean(1, keepdim=True)
        made = []
        for features in torch.split(self._cut_lr(padded), CHUNK):
            index, coefficients = pursue(features, self.D_lr, sparsity=self.sparsity)
            made.append(torch.einsum("nk,nkd->nd", coefficients, self.D_hr[index]))
        size = coarse.shape[-2], coarse.shape[-1]
        side, step = self.scale * self.patch, self.scale * self.step
        image = average(torch.cat(made) + means, size, side=side, step=step)
        margin = self.scale * (self.patch - 1)
        height, width = self.scale * y.shape[-2], self.scale * y.shape[-1]
        image = image[..., margin : margin + height, margin : margin + width]
        observation = Observation.of(self.observation, y, scale=self.scale)
        return observation.proximity(y, CLOSENESS)(image)

    @torch.no_grad()
    def _collect(
        self, pairs: Iterable[tuple[Tensor, Tensor]], on_progress: Callable[[float], None]
    ) -> tuple[Tensor, Tensor]:
        """Return features and mean-free HR patches with detail, shuffled."""
        features, patches, count = [], [], 0
        for lr, hr in pairs:
            x, y = self._cut_lr(luma(lr.to(self.D_lr))), self._cut_hr(luma(hr.to(self.D_hr)))
            detailed = x.norm(dim=1) > FLAT
            features.append(x[detailed])
            patches.append(y[detailed] - y[detailed].mean(1, keepdim=True))
            count += len(features[-1])
            on_progress(min(1.0, count / self.samples))
            if count >= self.samples:
                break
        if not features:
            raise UserError("generator=sparse_coding: there are no pairs to fit to")
        order = torch.randperm(count, generator=torch.Generator().manual_seed(0))[: self.samples]
        order = order.to(self.D_lr.device)
        return torch.cat(features)[order], torch.cat(patches)[order]

    def _cut_lr(self, y: Tensor) -> Tensor:
        features = gradient_features(y)
        return cut(features, side=ENLARGED * self.patch, step=ENLARGED * self.step)

    def _cut_hr(self, y: Tensor) -> Tensor:
        return cut(y, side=self.scale * self.patch, step=self.scale * self.step)
