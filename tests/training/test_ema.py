import torch

from srgan_lightning.networks import GENERATORS
from srgan_lightning.training.ema import ExponentialMovingAverage


def generator():
    return GENERATORS.build("srresnet", {"blocks": 1, "width": 4}, scale=4)


def test_each_update_moves_the_average_towards_the_generator():
    net = generator()
    ema = ExponentialMovingAverage(net, decay=0.9)
    expected = next(net.parameters()).detach().clone()
    for step in range(200):
        with torch.no_grad():
            for parameter in net.parameters():
                parameter.add_(0.1)
        ema.update(net, step=step)
        decay = min(0.9, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * next(net.parameters()).detach()
    torch.testing.assert_close(next(ema.module.parameters()), expected)


def test_it_copies_batch_norm_statistics_and_stays_in_evaluation_mode():
    net = generator()
    ema = ExponentialMovingAverage(net, decay=0.999)
    net.train()
    net(torch.rand(2, 3, 8, 8))
    ema.update(net, step=0)
    ema.train()
    assert not any(module.training for module in ema.module.modules())
    buffers = zip(ema.module.buffers(), net.buffers(), strict=True)
    assert all(torch.equal(a, b) for a, b in buffers)
    assert not any(parameter.requires_grad for parameter in ema.parameters())


def test_a_decay_of_zero_copies():
    net = generator()
    ema = ExponentialMovingAverage(net, decay=0.0)
    with torch.no_grad():
        next(net.parameters()).mul_(2)
    ema.update(net, step=5)
    assert torch.equal(next(ema.module.parameters()), next(net.parameters()))
