"""Sparse codes: few atoms of a dictionary that make up a signal."""

import torch
from torch import Tensor

_RIDGE = 1e-6  # keeps the equations of two equal atoms solvable


def pursue(signals: Tensor, atoms: Tensor, *, sparsity: int) -> tuple[Tensor, Tensor]:
    """Code signals by orthogonal matching pursuit (Pati et al. 1993), all of them at once.

    Each step takes the atom that correlates most with what is left of the signal, and then finds
    the coefficients of all atoms taken so far by least squares.

    Args:
        signals: `[N, D]`.
        atoms: the dictionary `[K, D]`, rows of length 1.
        sparsity: how many atoms a signal gets, at most K.

    Returns:
        The atoms' indices and their coefficients, both `[N, sparsity]`.

    Example:
        >>> index, coefficients = pursue(torch.tensor([[0.0, 2.0]]), torch.eye(2), sparsity=1)
        >>> index.tolist(), coefficients.round().tolist()
        ([[1]], [[2.0]])
    """
    index = torch.empty(len(signals), 0, dtype=torch.long, device=signals.device)
    residual = signals
    for _ in range(sparsity):
        correlation = (residual @ atoms.T).abs().scatter(1, index, -1)
        index = torch.cat((index, correlation.argmax(1, keepdim=True)), 1)
        taken = atoms[index]
        gram = taken @ taken.mT + _RIDGE * torch.eye(index.shape[1]).to(signals)
        coefficients = torch.linalg.solve(gram, taken @ signals[..., None])[..., 0]
        residual = signals - torch.einsum("nk,nkd->nd", coefficients, taken)
    return index, coefficients
