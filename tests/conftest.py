import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from small_run import SMALL

os.environ["WANDB_SILENT"] = "true"

SHARED = Path(__file__).parents[2] / "shared"
ALLOWED_SKIPS = (
    "needs a CUDA device",
    "../shared is absent",
    "mounting is not permitted",
    "chromium is not installed",
    "npm is not installed",
    "tesseract is not installed",
)
QUIET = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync "
    "--window-size=1000,900"
)


@pytest.fixture
def small() -> list[str]:
    """Overrides that make the quickstart run in a second or two."""
    return list(SMALL)


@pytest.fixture(scope="session")
def compose() -> Callable[..., dict[str, Any]]:
    """The small quickstart's config, with further overrides, as plain containers."""
    from srgan_lightning.config import compose

    return lambda *overrides: compose([*SMALL, *overrides])


@pytest.fixture
def shared() -> Path:
    """The folder of real images beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip("../shared is absent")
    return SHARED


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A real Chromium without a window, which logs what it asks for and complains of."""
    from selenium.webdriver import Chrome
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.skip("chromium is not installed")
    options = Options()
    options.binary_location = chromium
    for argument in [*QUIET.split(), f"--user-data-dir={tmp_path_factory.mktemp('profile')}"]:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    started = Chrome(options=options, service=Service(driver))
    yield started
    started.quit()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--no-skips", action="store_true", help="fail on a skip whose reason is not allowed"
    )


def pytest_terminal_summary(terminalreporter: Any, exitstatus: int, config: pytest.Config) -> None:
    for report in _forbidden(terminalreporter, config):
        terminalreporter.write_line(f"FORBIDDEN SKIP {report.nodeid}: {report.longrepr[2]}")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and _forbidden(reporter, session.config) and exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _forbidden(reporter: Any, config: pytest.Config) -> list[Any]:
    if not config.getoption("--no-skips"):
        return []
    return [
        report
        for report in reporter.stats.get("skipped", [])
        if not any(reason in str(report.longrepr) for reason in ALLOWED_SKIPS)
    ]
