import pytest
import torch
from torch import nn

from srgan_lightning.training.optimizers import (
    OptimizerConfig,
    build_optimizer,
    guard_step,
    set_learning_rate,
)


def network_with_gradient(value: float) -> nn.Linear:
    torch.manual_seed(0)
    network = nn.Linear(3, 2)
    for parameter in network.parameters():
        parameter.grad = torch.full_like(parameter, value)
    return network


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd"])
def test_a_nonfinite_gradient_changes_neither_weights_nor_moments(name: str):
    network = network_with_gradient(1.0)
    optimizer = build_optimizer(OptimizerConfig(name=name), network)
    optimizer.param_groups[0]["lr"] = 0.1
    guard_step(optimizer, clip_norm=None)
    optimizer.step()
    weights = [p.clone() for p in network.parameters()]
    moments = [
        t.clone() for s in optimizer.state.values() for t in s.values() if torch.is_tensor(t)
    ]

    next(network.parameters()).grad[0, 0] = float("nan")
    norm, skipped = guard_step(optimizer, clip_norm=1.0)
    optimizer.step()

    assert skipped == 1
    assert not torch.isfinite(norm)
    assert all(torch.equal(a, b) for a, b in zip(weights, network.parameters(), strict=True))
    after = [t for s in optimizer.state.values() for t in s.values() if torch.is_tensor(t)]
    assert all(torch.equal(a, b) for a, b in zip(moments, after, strict=True))

    for parameter in network.parameters():
        parameter.grad = torch.ones_like(parameter)
    guard_step(optimizer, clip_norm=None)
    optimizer.step()
    assert not torch.equal(weights[0], next(network.parameters()))


def test_the_guarded_step_is_torchs_plain_step():
    ours, theirs = network_with_gradient(0.5), network_with_gradient(0.5)
    optimizer = build_optimizer(OptimizerConfig(), ours)
    optimizer.param_groups[0]["lr"] = 0.01
    guard_step(optimizer, clip_norm=None)
    optimizer.step()
    torch.optim.Adam(theirs.parameters(), lr=0.01, fused=True).step()
    assert all(
        torch.equal(a, b) for a, b in zip(ours.parameters(), theirs.parameters(), strict=True)
    )


def test_clipping_is_by_the_norm_of_all_gradients():
    network = network_with_gradient(2.0)
    optimizer = build_optimizer(OptimizerConfig(), network)
    norm, _ = guard_step(optimizer, clip_norm=1.0)
    assert norm == pytest.approx(2.0 * 8**0.5)
    clipped = torch.cat([p.grad.flatten() for p in network.parameters()])
    assert clipped.norm() == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("name", ["adam", "sgd"])
def test_the_last_layer_learns_at_its_share_of_the_rate(name: str):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 3), nn.Sequential(nn.Linear(3, 3), nn.ReLU()))
    before = [p.clone() for p in network.parameters()]
    config = OptimizerConfig(name=name, last_layer=0.1)
    optimizer = build_optimizer(config, network)
    set_learning_rate(optimizer, config, 0.5)
    for parameter in network.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    steps = [(a - b).mean().item() for a, b in zip(before, network.parameters(), strict=True)]
    assert steps == pytest.approx([0.5, 0.5, 0.05, 0.05], rel=1e-4)
