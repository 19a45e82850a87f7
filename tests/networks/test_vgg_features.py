"""VGG features against plain torchvision, and where their weights come from."""

import functools
import hashlib
import http.server
import io
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import safetensors.torch
import torch
from torch import nn
from torchvision.models import VGG16_Weights, VGG19_Weights, vgg

from srgan_lightning.errors import UserError
from srgan_lightning.networks import features as module
from srgan_lightning.networks.features import VGGFeatures, layer_names, vgg_cache_path
from srgan_lightning.networks.files import file_hash

HED = Path(__file__).parents[2] / "../shared/weights/vgg16_hed.safetensors"
TORCHVISION = {"vgg16": "D", "vgg19": "E"}


@pytest.fixture(autouse=True)
def hub(tmp_path, monkeypatch) -> Path:
    """An empty cache of its own for each test."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    return tmp_path / "torch" / "hub" / "checkpoints"


def torchvision_features(network: str, depth: int) -> nn.Sequential:
    torch.manual_seed(0)
    return vgg.make_layers(vgg.cfgs[TORCHVISION[network]])[:depth].eval()


def normalised(image: torch.Tensor) -> torch.Tensor:
    channels = zip(image.unbind(1), [0.485, 0.456, 0.406], [0.229, 0.224, 0.225], strict=True)
    return torch.stack([(values - mean) / std for values, mean, std in channels], dim=1)


def save_pth(path: Path, network: str = "vgg16", depth: int = 4) -> Path:
    """Write the weights of torchvision's first layers under its own names."""
    state = torchvision_features(network, depth).state_dict(prefix="features.")
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(dict(state), path)
    return path


@pytest.mark.parametrize("network", ["vgg16", "vgg19"])
def test_every_layer_equals_torchvisions(network, tmp_path) -> None:
    names = layer_names(network)
    reference = torchvision_features(network, len(names))
    path = save_pth(tmp_path / "w.pth", network, len(names))
    features = VGGFeatures(network=network, layers=tuple(names), weights=str(path))
    image = torch.rand(2, 3, 32, 40)
    current = normalised(image)
    with torch.no_grad():
        maps = features(image)
        assert list(maps) == names
        for name, layer in zip(names, reference, strict=True):
            current = layer(current.clone())
            assert torch.equal(maps[name], current), name
        shallow = VGGFeatures(network=network, layers=("relu2_2", "relu3_1"), weights=str(path))
        for name, found in shallow(image).items():
            assert torch.equal(found, maps[name]), "in-place ReLUs change no value"
    assert len(shallow.features) == names.index("relu3_1") + 1


@pytest.mark.parametrize("layer", ["relu2_2", "conv5_4"])
def test_autocast_stays_within_two_per_cent(layer) -> None:
    features = VGGFeatures(layers=(layer,), weights="random")
    image = torch.rand(1, 3, 48, 48)
    with torch.no_grad():
        expected = features(image)[layer]
        with torch.autocast("cpu", torch.bfloat16):
            found = features(image)[layer].float()
    assert (found - expected).norm() / expected.norm() < 0.02


def test_frozen_and_in_eval_mode_for_ever() -> None:
    features = VGGFeatures(layers=("relu1_2",), weights="random")
    parent = nn.Sequential(features).train()
    assert not any(m.training for m in features.modules())
    assert parent.training
    assert not any(p.requires_grad for p in features.parameters())
    image = torch.rand(1, 3, 8, 8, requires_grad=True)
    features(image)["relu1_2"].sum().backward()
    assert image.grad is not None
    assert image.grad.abs().sum() > 0


def test_random_is_the_same_always_and_touches_no_global_state() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first = VGGFeatures(layers=("relu1_2",), weights="random")
    assert torch.equal(torch.get_rng_state(), before)
    second = VGGFeatures(layers=("relu1_2",), weights="random")
    for key, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[key])
    assert first.source == "random (seed 0)"
    # He's initialisation: the spread of a map is that of the map before it
    deep = VGGFeatures(layers=("relu1_1", "relu4_4"), weights="random")(torch.rand(1, 3, 64, 64))
    assert 0.1 < deep["relu4_4"].std() / deep["relu1_1"].std() < 10


def test_auto_says_aloud_that_it_falls_back(hub) -> None:
    with pytest.warns(UserWarning, match="RANDOM vgg19"):
        features = VGGFeatures(layers=("relu1_2",), weights="auto")
    assert features.source == "random (seed 0)"
    save_pth(hub / "vgg19-dcbb9e9d.pth", "vgg19")
    assert VGGFeatures(layers=("relu1_2",), weights="auto").source == "imagenet vgg19-dcbb9e9d"


def test_imagenet_is_torchvisions(hub) -> None:
    assert {
        "vgg16": VGG16_Weights.IMAGENET1K_V1.url,
        "vgg19": VGG19_Weights.IMAGENET1K_V1.url,
    } == module.WEIGHT_URLS
    assert tuple(VGG19_Weights.IMAGENET1K_V1.transforms().mean) == module.IMAGENET_MEAN
    assert tuple(VGG19_Weights.IMAGENET1K_V1.transforms().std) == module.IMAGENET_STD
    assert vgg_cache_path("vgg16") == hub / "vgg16-397923af.pth"


class Server(NamedTuple):
    folder: Path
    url: str


@pytest.fixture
def server(tmp_path, monkeypatch) -> Iterator[Server]:
    """A web server on loopback for what lies in its folder."""
    folder = tmp_path / "www"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    monkeypatch.setenv("no_proxy", "127.0.0.1")
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as web:
        thread = threading.Thread(target=web.serve_forever, args=(0.02,))
        thread.start()
        yield Server(folder, f"http://127.0.0.1:{web.server_port}")
        web.shutdown()
        thread.join()


def use_url(url: str, monkeypatch) -> None:
    monkeypatch.setattr(module, "WEIGHT_URLS", {**module.WEIGHT_URLS, "vgg16": url})


def publish(server: Server, monkeypatch, *, digits: str | None = None) -> Path:
    """Serve weights under a name with the digits of their hash, or with the given ones."""
    buffer = io.BytesIO()
    state = torchvision_features("vgg16", 4).state_dict(prefix="features.")
    torch.save(dict(state), buffer)
    digits = digits or hashlib.sha256(buffer.getvalue()).hexdigest()[:8]
    path = server.folder / f"vgg16-{digits}.pth"
    path.write_bytes(buffer.getvalue())
    use_url(f"{server.url}/{path.name}", monkeypatch)
    return path


def test_imagenet_is_downloaded_once(server, hub, monkeypatch) -> None:
    published = publish(server, monkeypatch)
    first = VGGFeatures(network="vgg16", layers=("relu1_2",))
    assert first.source == f"imagenet {published.stem}"
    assert [path.name for path in hub.iterdir()] == [published.name]
    published.unlink()
    second = VGGFeatures(network="vgg16", layers=("relu1_2",), weights="auto")
    assert torch.equal(first.features[0].weight, second.features[0].weight)
    reference = torchvision_features("vgg16", 4)
    assert torch.equal(first.features[2].weight, reference[2].weight)


def test_a_download_with_another_hash_is_refused(server, hub, monkeypatch) -> None:
    publish(server, monkeypatch, digits="00000000")
    with pytest.raises(UserError, match="invalid hash"):
        VGGFeatures(network="vgg16", layers=("relu1_2",))
    assert list(hub.iterdir()) == []


def test_without_network_and_cache_three_ways_out_are_named(monkeypatch) -> None:
    with socket.socket() as listener:  # a port where nobody answers
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    use_url(f"http://127.0.0.1:{port}/vgg16-397923af.pth", monkeypatch)
    with pytest.raises(UserError) as error:
        VGGFeatures(network="vgg16", layers=("relu1_2",))
    message = str(error.value)
    assert "\n" not in message
    assert "connect this machine once" in message
    assert str(vgg_cache_path("vgg16")) in message
    assert "loss.content.features.weights" in message
    assert "weights=random" in message


def test_weights_from_a_file_in_half_precision(tmp_path) -> None:
    state = torchvision_features("vgg16", 4).half().state_dict(prefix="features.")
    path = tmp_path / "mine.safetensors"
    safetensors.torch.save_file(dict(state), path)
    features = VGGFeatures(network="vgg16", layers=("conv1_2",), weights=str(path))
    assert features.source == f"mine.safetensors (sha256 {file_hash(path)[:12]})"
    assert features.features[0].weight.dtype == torch.float32
    assert torch.equal(features.features[2].weight, state["features.2.weight"].float())


def test_real_weights_tell_edges_from_flat_ground() -> None:
    if not HED.is_file():
        pytest.skip("../shared is absent")
    features = VGGFeatures(network="vgg16", layers=("relu2_2", "relu5_3"), weights=str(HED))
    reference = vgg.make_layers(vgg.cfgs["D"])
    weights = {
        k.removeprefix("features."): v.float() for k, v in safetensors.torch.load_file(HED).items()
    }
    reference.load_state_dict(weights)
    image = torch.full((1, 3, 64, 64), 0.2)
    image[..., 32:] = 0.8
    with torch.no_grad():
        maps = features(image)
        assert torch.equal(maps["relu5_3"], reference[:30](normalised(image)))
    energy = maps["relu2_2"].mean((0, 1, 2))[4:-4]
    assert energy[11:13].mean() > 2 * energy[:8].mean()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"layers": ("relu5_5",)}, "vgg19 has no 'relu5_5'; did you mean relu5_"),
        ({"network": "vgg16", "layers": ("relu5_4",)}, "vgg16 has no 'relu5_4'"),
        ({"layers": ()}, "name one layer at least"),
        ({"weights": "imagenett"}, "'imagenett' is neither a file nor one of auto, imagenet"),
    ],
)
def test_wrong_arguments_are_the_users_error(arguments, message) -> None:
    with pytest.raises(UserError, match=message):
        VGGFeatures(**arguments)


def test_weights_of_another_network_or_too_shallow_are_refused(tmp_path) -> None:
    path = save_pth(tmp_path / "short.pth", depth=4)
    with pytest.raises(UserError, match=r"short.pth: has no features.5.weight .* deep as relu2_1"):
        VGGFeatures(network="vgg16", layers=("relu2_1",), weights=str(path))
    torch.save({"features.0.weight": [1, 2]}, path)
    with pytest.raises(UserError, match=r"short.pth: is not a state dict"):
        VGGFeatures(network="vgg16", layers=("relu2_1",), weights=str(path))
    path.write_bytes(b"<html>404</html>")
    with pytest.raises(UserError, match=r"short.pth: damaged, or not a file of weights"):
        VGGFeatures(network="vgg16", layers=("relu2_1",), weights=str(path))
