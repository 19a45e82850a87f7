import sys

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

from srgan_lightning.errors import UserError
from srgan_lightning.evaluation import BenchmarkPair, OnnxModel


def depth_to_space(path, *, scale=2, kind=TensorProto.FLOAT, shape=("b", 3, "h", "w"), op="up"):
    """Nearest enlargement as an ONNX file (or, on demand, something else)."""
    lr = helper.make_tensor_value_info("lr", kind, shape)
    sr = helper.make_tensor_value_info("sr", kind, [None] * len(shape))
    if op == "up":
        scales = helper.make_tensor("scales", TensorProto.FLOAT, [4], [1, 1, scale, scale])
        node = helper.make_node(
            "Resize",
            ["lr", "", "scales"],
            ["sr"],
            mode="nearest",
            nearest_mode="floor",
            coordinate_transformation_mode="asymmetric",
        )
        graph = helper.make_graph([node], "g", [lr], [sr], [scales])
    else:
        graph = helper.make_graph([helper.make_node(op, ["lr"], ["sr"])], "g", [lr], [sr])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return path


def pair(height=5, width=7):
    lr = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0))
    return BenchmarkPair("a", lr, lr)


@pytest.mark.parametrize("scale", [2, 4])
def test_a_file_of_any_size_enlarges(tmp_path, scale):
    model = OnnxModel(depth_to_space(tmp_path / "net.onnx", scale=scale))
    assert (model.name, model.scale) == ("net.onnx", scale)
    expected = pair().lr.repeat_interleave(scale, -1).repeat_interleave(scale, -2)
    assert torch.equal(model(pair()), expected)


def test_a_network_exported_by_torch_gives_its_own_pictures(tmp_path):
    from srgan_lightning.networks.generators.srresnet import SRResNet

    net = SRResNet(blocks=1, width=8, norm="none", scale=2).eval()
    size = {2: torch.export.Dim("h", min=4), 3: torch.export.Dim("w", min=4)}
    program = torch.onnx.export(
        net, (torch.rand(1, 3, 12, 10),), dynamo=True, dynamic_shapes=(size,), verbose=False
    )
    program.save(tmp_path / "net.onnx")
    model = OnnxModel(tmp_path / "net.onnx")
    assert model.scale == 2
    with torch.inference_mode():
        torch.testing.assert_close(model(pair()), net(pair().lr), rtol=1e-4, atol=1e-5)


def test_half_precision_is_fed_and_read(tmp_path):
    path = depth_to_space(tmp_path / "half.onnx", kind=TensorProto.FLOAT16)
    sr = OnnxModel(path)(pair())
    assert sr.dtype == torch.float32
    assert np.allclose(sr[..., ::2, ::2], pair().lr, atol=1e-3)


def test_a_fixed_size_takes_no_other(tmp_path):
    model = OnnxModel(depth_to_space(tmp_path / "fixed.onnx", shape=(1, 3, 8, 8)))
    assert model.scale == 2
    assert model(pair(8, 8)).shape == (1, 3, 16, 16)
    with pytest.raises(UserError, match=r"fixed.onnx: fails on a picture of 7x5: ") as caught:
        model(pair())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shape": ("b", 1, "h", "w")}, "must take RGB pictures"),
        ({"shape": ("b", 3)}, "must take RGB pictures"),
        ({"kind": TensorProto.DOUBLE}, "must take one picture, and takes"),
        ({"op": "Shape"}, "no ONNX file that can be run"),
        ({"op": "GlobalAveragePool"}, "does not enlarge"),
    ],
)
def test_other_networks_are_told_in_one_line(tmp_path, options, message):
    options = {"op": "Relu", **options}
    with pytest.raises(UserError, match=message) as caught:
        OnnxModel(depth_to_space(tmp_path / "x.onnx", **options))
    assert "\n" not in str(caught.value)


def test_files_that_are_none_and_a_missing_runtime_are_told(tmp_path, monkeypatch):
    with pytest.raises(UserError, match=r"absent.onnx: no such file"):
        OnnxModel(tmp_path / "absent.onnx")
    (tmp_path / "broken.onnx").write_bytes(b"nonsense")
    with pytest.raises(UserError, match=r"broken.onnx: is no ONNX file that can be run"):
        OnnxModel(tmp_path / "broken.onnx")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UserError, match=r"pip install 'srgan-lightning\[onnx\]'"):
        OnnxModel(tmp_path / "broken.onnx")
