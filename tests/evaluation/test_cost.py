from srgan_lightning.evaluation.cost import costs_of
from srgan_lightning.networks.base import GENERATORS, Generator
from srgan_lightning.networks.generators.srresnet import SRResNet


def test_a_network_is_counted_layer_by_layer():
    # LR 320x180; two pixel shuffles; without norm, as EDSR counts
    net = SRResNet(blocks=3, width=16, norm="none", scale=4)
    kernels = {}

    def note(module, inputs, output):
        pixels = output.shape[-1] * output.shape[-2]
        kernels[module] = pixels * module.weight.numel()

    for module in net.modules():
        if type(module).__name__ == "Conv2d":
            module.register_forward_hook(note)
    import torch

    net.to("meta")(torch.empty(1, 3, 180, 320, device="meta"))
    fresh = SRResNet(blocks=3, width=16, norm="none", scale=4)
    costs = costs_of(fresh)
    assert costs["multiply_adds"] == sum(kernels.values())
    assert costs["parameters"] == sum(p.numel() for p in fresh.parameters())
    assert next(fresh.parameters()).device.type == "cpu"


def test_edsr_baseline_costs_what_the_literature_says():
    # 1,518 K parameters and 114 G multiply-adds for 1280x720, e.g. in LatticeNet's table 2
    costs = costs_of(GENERATORS.build("edsr", {}, scale=4))
    assert round(costs["parameters"] / 1e3) == 1518
    assert round(costs["multiply_adds"] / 1e9) == 114


def test_a_method_without_parameters_has_no_costs():
    assert costs_of(GENERATORS.build("bicubic", {}, scale=3)) == {}


def test_a_network_that_looks_at_values_has_no_multiply_adds():
    class Curious(SRResNet):
        def forward(self, lr):
            return super().forward(lr) * float(lr.mean())

    net: Generator = Curious(blocks=1, width=8, scale=2)
    assert set(costs_of(net)) == {"parameters"}
