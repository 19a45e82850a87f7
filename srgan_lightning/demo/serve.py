"""The page served: loopback unless told otherwise, one port, files in a private folder."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import logging
import os
import signal
import socket
import tempfile
import threading
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from srgan_lightning.demo.models import Models
from srgan_lightning.errors import UserError
from srgan_lightning.precision import Precision

if TYPE_CHECKING:
    import uvicorn

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def serve(
    given: Sequence[str],
    *,
    device: str,
    precision: Literal["auto"] | Precision,
    host: str,
    port: int,
    max_megapixels: float,
    on_ready: Callable[[str], None],
) -> None:
    """Serve the page until the process is interrupted, which ends it with status 0.

    Args:
        given: models, as `Models` takes them.
        device: as `load_upscaler` takes it.
        precision: as `load_upscaler` takes it.
        host: the address to listen at.
        port: to listen at; 0 takes any that is free.
        max_megapixels: the most pixels of a picture, in millions.
        on_ready: called with the page's address when it can be opened.

    Raises:
        UserError: Gradio is absent, a model cannot be loaded, or the address or the port is not to
            be had.
    """
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(_listen(host, port))
        models = Models(given, device=device, precision=precision)
        folder = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="srgan-demo-", ignore_cleanup_errors=True)
        )
        # Gradio reads these when it is imported.
        os.environ |= {"GRADIO_TEMP_DIR": folder, "GRADIO_ANALYTICS_ENABLED": "False"}
        try:
            import uvicorn
            from starlette.middleware.trustedhost import TrustedHostMiddleware

            from srgan_lightning.demo.page import build_page
        except ImportError as error:
            raise UserError(
                f"demo: needs {error.name}; pip install 'srgan-lightning[demo]' brings it"
            ) from None
        page = build_page(models, Path(folder), max_megapixels=max_megapixels)
        name = f"[{host}]" if ":" in host else host
        if _is_loopback(host):
            # A page elsewhere may give its own name this address, and would then be let in.
            page.add_middleware(TrustedHostMiddleware, allowed_hosts=[name, *LOOPBACK])
        else:
            warnings.warn(
                f"--host {host}: everybody who reaches this machine over the network can use the "
                "page; leave it out to keep the page to yourself",
                stacklevel=2,
            )
        server = uvicorn.Server(
            uvicorn.Config(page, log_level="warning", timeout_graceful_shutdown=1)
        )
        on_ready(f"http://{name}:{listener.getsockname()[1]}/")
        _run(server, listener)
    if threading.active_count() > 1:
        os._exit(0)  # torch may compute on in one of them, and would abort an ordinary end


def _run(server: uvicorn.Server, listener: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM; work that is under way then is not waited for."""
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    thread.start()
    with contextlib.suppress(KeyboardInterrupt):
        thread.join()
    logging.getLogger("uvicorn.error").disabled = True  # it would report each request cut off
    server.should_exit = True
    thread.join(timeout=3)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise UserError(
                f"--port {port}: is taken on {host}; give another one, or 0 for any that is free"
            ) from None
        raise UserError(f"{host}:{port}: cannot be listened at ({error.strerror})") from None


def _is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches an address.

    >>> _is_loopback("127.0.0.1"), _is_loopback("::1"), _is_loopback("0.0.0.0")
    (True, True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
