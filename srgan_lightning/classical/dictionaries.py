"""Two dictionaries learnt together: features of LR patches, and the HR patches they stand for."""

import importlib
import math
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from srgan_lightning.classical.pursuit import pursue
from srgan_lightning.errors import UserError

PENALTY = 0.2  # λ of learning; in trials 0.1 took longer and came to the same
BATCH = 512
CHUNK = 4096  # signals coded at once, to bound memory


def learn(
    features: Tensor,
    patches: Tensor,
    *,
    atoms: int,
    sparsity: int,
    on_progress: Callable[[float], None],
) -> tuple[Tensor, Tensor]:
    """Learn a pair of dictionaries from pairs of patches.

    As Yang et al. 2010 (equations 26 to 29) the concatenations of x / √M and y / √N are given one
    dictionary, with the lasso as the measure of sparsity: by scikit-learn's online algorithm
    (Mairal et al. 2009), started at patches. Both are divided by ‖x‖ before, so that contrast does
    not count. A code of x alone is not a code of both: therefore, as Zeyde et al. 2010 do, D_hr is
    found anew by least squares from the codes that D_lr gives.

    Args:
        features: of LR, x, `[S, M]`, none of length 0.
        patches: of HR, y, `[S, N]`.
        atoms: how many, K; at most S.
        sparsity: how many atoms a code has afterwards.
        on_progress: called with the share of patches learnt from.

    Returns:
        D_lr `[K, M]` with rows of length 1, and D_hr `[K, N]`.

    Raises:
        UserError: scikit-learn is absent.
    """
    decomposition = _scikit_learn("sklearn.decomposition")
    convergence = _scikit_learn("sklearn.exceptions").ConvergenceWarning
    length = features.norm(dim=1, keepdim=True)
    weight = math.sqrt(features.shape[1] / patches.shape[1])
    joint = torch.cat((features / length, weight * patches / length), 1).double().cpu().numpy()
    learner = decomposition.MiniBatchDictionaryLearning(
        n_components=atoms,
        alpha=PENALTY,
        fit_algorithm="cd",
        transform_max_iter=100,
        batch_size=BATCH,
        dict_init=joint[:atoms],
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", convergence)  # learning gets along with inexact codes
        for start in range(0, len(joint), BATCH):
            learner.partial_fit(joint[start : start + BATCH])
            on_progress(min(1.0, (start + BATCH) / len(joint)))
    rows = torch.from_numpy(learner.components_[:, : features.shape[1]]).to(features)
    lr = torch.nn.functional.normalize(rows)
    return lr, _regress(features, patches, lr, sparsity=sparsity)


def _regress(features: Tensor, patches: Tensor, lr: Tensor, *, sparsity: int) -> Tensor:
    """Return D minimising Σ ‖y − Dᵀα‖², α the code of x."""
    atoms = len(lr)
    gram = torch.zeros(atoms, atoms, dtype=torch.float64, device=lr.device)
    moment = torch.zeros(atoms, patches.shape[1], dtype=torch.float64, device=lr.device)
    for x, y in zip(torch.split(features, CHUNK), torch.split(patches, CHUNK), strict=True):
        index, coefficients = pursue(x, lr, sparsity=sparsity)
        codes = torch.zeros(len(x), atoms).to(gram).scatter_(1, index, coefficients.double())
        gram += codes.T @ codes
        moment += codes.T @ y.double()
    gram.diagonal().add_(1e-6 * gram.trace())  # an atom that no code has becomes 0
    dictionary: Tensor = torch.linalg.solve(gram, moment)
    return dictionary.to(patches)


def _scikit_learn(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError:
        raise UserError(
            "generator=sparse_coding: fitting needs scikit-learn, which is not installed; "
            "pip install 'srgan-lightning[classical]'"
        ) from None
