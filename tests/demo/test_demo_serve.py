import socket
import sys

import pytest

from srgan_lightning.demo import serve
from srgan_lightning.errors import UserError


def served(*given, host="127.0.0.1", port=0):
    serve(
        given,
        device="cpu",
        precision="32-true",
        host=host,
        port=port,
        max_megapixels=4,
        on_ready=lambda address: pytest.fail(f"served at {address}"),
    )


@pytest.fixture(autouse=True)
def own_environment(monkeypatch):
    for name in ("GRADIO_TEMP_DIR", "GRADIO_ANALYTICS_ENABLED"):
        monkeypatch.setenv(name, "undone after the test")


def test_a_port_that_is_taken_is_told_and_none_is_taken_instead():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(UserError, match=rf"^--port {port}: is taken on 127\.0\.0\.1; "):
            served(port=port)


def test_an_address_of_another_machine_is_told():
    with pytest.raises(UserError, match=r"^192\.0\.2\.1:0: cannot be listened at \("):
        served(host="192.0.2.1")  # RFC 5737: nobody's


def test_without_gradio_the_extra_is_named(monkeypatch):
    monkeypatch.delitem(sys.modules, "srgan_lightning.demo.page", raising=False)
    monkeypatch.setitem(sys.modules, "gradio", None)
    with pytest.raises(UserError, match=r"^demo: needs gradio; pip install 'srgan-lightning\[demo"):
        served()


def test_a_broken_model_is_told_before_anything_is_served():
    with pytest.raises(UserError, match=r"^nowhere\.safetensors: "):
        served("nowhere.safetensors")
