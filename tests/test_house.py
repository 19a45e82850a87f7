"""The house: imports run downwards, and the mathematics knows no framework."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "srgan_lightning"
FLOORS = [
    {"errors", "samples"},
    {"registry", "precision", "allocator", "download"},
    {"pretrained"},
    {"networks", "degradations", "metrics", "imaging", "config", "tracking"},
    {"classical", "losses", "data", "sweeps"},
    {"inference"},
    {"multiframe"},
    {"evaluation"},
    {"training", "report", "export", "demo"},
    {"commands", "api"},
    {"cli", "__init__"},
    {"__main__"},
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
FRAMEWORKS = {"pytorch_lightning", "hydra", "wandb", "omegaconf"}
PURE = {"networks", "classical", "losses", "degradations", "metrics", "imaging", "inference"}
PURE |= {"multiframe", "pretrained", "evaluation", "report", "export", "demo"}
MODULES = sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add(node.module or "")
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_downwards(path: Path):
    room = room_of(path)
    assert room in FLOOR, f"{room} has no floor yet"
    for name in imports(path):
        parts = name.split(".")
        if parts[0] != "srgan_lightning" or len(parts) == 1 or parts[1] == room:
            continue
        assert FLOOR[parts[1]] < FLOOR[room], f"{path} imports {name}, which is not below"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_mathematics_knows_no_framework(path: Path):
    if room_of(path) in PURE:
        assert not {name.split(".")[0] for name in imports(path)} & FRAMEWORKS


def test_there_is_no_circle_of_modules():
    names = {}
    for path in MODULES:
        dotted = ".".join(("srgan_lightning", *path.relative_to(PACKAGE).with_suffix("").parts))
        names[dotted.removesuffix(".__init__")] = path
    graph = {
        name: {n for n in imports(path) if n in names and path.name != "__init__.py"}
        for name, path in names.items()
    }
    visited: set[str] = set()

    def walk(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, f"a circle: {' -> '.join((*trail, name))}"
        if name not in visited:
            for other in sorted(graph[name]):
                walk(other, (*trail, name))
            visited.add(name)

    for name in sorted(graph):
        walk(name, ())


def test_modules_stay_small():
    lengths = {path: len(path.read_text().splitlines()) for path in MODULES}
    assert max(lengths.values()) <= 300, max(lengths, key=lengths.__getitem__)


def test_nothing_unsafe_is_called():
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            assert called not in {"eval", "exec", "pickle.load", "pickle.loads", "instantiate"}, (
                path
            )
            if called == "torch.load":
                assert "weights_only=True" in ast.unparse(node), path
