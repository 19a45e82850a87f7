"""The Makefile and the pins that it installs from."""

import re
import subprocess
from importlib.metadata import distributions
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
TARGETS = ("install", "train", "test", "test-all", "lint", "format", "bench", "clean")


def test_make_alone_prints_the_targets():
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)
    described = dict(re.findall(r"^  make (\S+)\s+(\S.*)$", done.stdout, re.MULTILINE))
    assert set(TARGETS) <= set(described)


def test_ci_runs_lint_and_test():
    lines = (ROOT / ".ci/run").read_text().splitlines()
    assert lines[-2:] == ["make lint", "make test"]
    assert (ROOT / ".ci/run").stat().st_mode & 0o111


def test_constraints_pin_every_dependency_exactly():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = {}
    for line in lines:
        if line and not line.startswith("#"):
            name, version = re.fullmatch(r"([A-Za-z0-9._-]+)==(\S+)", line).groups()
            pins[canonical(name)] = version
    for name in needed("srgan-lightning", {"dev"}) - {"srgan-lightning"}:  # dev asks for extras
        assert name in pins, f"{name} is installed but not pinned"


def needed(name: str, extras: set[str]) -> set[str]:
    """Return what a distribution needs, and what that needs, as far as it is installed here."""
    installed = {canonical(d.name): d for d in distributions()}
    found: set[str] = set()
    waiting = [(canonical(name), extras)]
    while waiting:
        name, extras = waiting.pop()
        for text in installed[name].requires or []:
            requirement = Requirement(text)
            asked = any(
                requirement.marker is None or requirement.marker.evaluate({"extra": extra})
                for extra in extras or {""}
            )
            key = canonical(requirement.name)
            if asked and key in installed and key not in found:
                found.add(key)
                waiting.append((key, set(requirement.extras)))
    return found


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
