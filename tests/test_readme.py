"""Every command and every example of the documents runs, made small by overrides.

A block runs from its first to its last line in a folder of its own, which holds what the
documents take for granted: PHOTOS, Set5, data/DIV2K_…, photo.jpg, clip.mp4, waves.gif, burst,
night.fits, SCENES, generator.safetensors, fuser.safetensors, TID2013, a stopped run. A block that
begins with `# FILE` (below a package directive) is that file, and lies there too.
"""

import logging
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
import torch
from astropy.io import fits as fits_files
from clips import moving, write_clip
from PIL import Image
from small_run import SMALL

import srgan_lightning.classical  # noqa: F401 - its methods are registered before a block runs
from srgan_lightning import cli
from srgan_lightning.config import check, compose
from srgan_lightning.degradations import DEGRADATIONS
from srgan_lightning.errors import UserError
from srgan_lightning.inference.pictures import to_picture
from srgan_lightning.losses import PIXEL_LOSSES
from srgan_lightning.networks import GENERATORS
from srgan_lightning.networks.generators.burst_sr import BurstSR
from srgan_lightning.networks.generators.srresnet import SRResNet
from srgan_lightning.networks.weights import save_generator
from srgan_lightning.pretrained import boxed
from srgan_lightning.training.config import TrainConfig

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
SLURM = {"SLURM_JOB_ID": "1", "SLURM_NTASKS_PER_NODE": "1", "SLURM_JOB_NUM_NODES": "1"}
FILE = re.compile(r"(?:# @package \S+\n)?# (\S+\.(?:py|yaml))\n")


@dataclass(frozen=True)
class Block:
    place: str
    language: str
    text: str

    @property
    def file(self) -> str | None:
        first = FILE.match(self.text)
        return first[1] if first else None


def blocks_of(document: Path) -> Iterator[Block]:
    text = document.read_text()
    for match in BLOCK.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield Block(f"{document.name}:{line}", match[1], match[2])


def prose_of(document: Path) -> str:
    return BLOCK.sub("", document.read_text())


BLOCKS = [block for document in DOCUMENTS for block in blocks_of(document)]


def picture(path: Path, height: int, width: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    seed = zlib.crc32("/".join(path.parts[-2:]).encode())
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    Image.fromarray(pixels).save(path)


def prepare_folder(folder: Path) -> None:
    for number in range(4):
        picture(folder / f"PHOTOS/{number}.png", 96, 100 + number)
    for name in ("bird", "butterfly"):
        for place in (f"Set5/{name}.png", f"data/benchmark/Set5/HR/{name}.png", f"HR/{name}.png"):
            picture(folder / place, 64, 64)
        picture(folder / f"LR/{name}.png", 16, 16)
        picture(folder / f"SR/{name}.png", 64, 64)
    for split in ("train", "valid"):
        for number in ("0001", "0002"):
            picture(folder / f"data/DIV2K_{split}_HR/{number}.png", 64, 68)
            lr = f"data/DIV2K_{split}_LR_bicubic/X4/{number}x4.png"
            picture(folder / lr, 16, 17)
    picture(folder / "photo.jpg", 24, 32)
    drawn = [Image.fromarray(drawing) for drawing in moving(3)]
    drawn[0].save(folder / "waves.gif", save_all=True, append_images=drawn[1:], duration=40)
    write_clip(folder / "clip.mp4", moving(3))
    prepare_tid2013(folder / "TID2013")
    prepare_burst(folder / "burst")
    prepare_night(folder / "night.fits")
    options = {"blocks": 1, "width": 8}
    for name in ("generator", "other"):
        state = SRResNet(**options).state_dict()
        file = folder / f"{name}.safetensors"
        save_generator(file, state, name="srresnet", arguments=options, scale=4, facts={})
    state = BurstSR(**options).state_dict()
    file = folder / "fuser.safetensors"
    save_generator(file, state, name="burst_sr", arguments=options, scale=4, facts={})
    for block in BLOCKS:
        if block.file is not None:
            (folder / block.file).parent.mkdir(parents=True, exist_ok=True)
            (folder / block.file).write_text(block.text)


def prepare_burst(folder: Path) -> None:
    """Six frames of squares in colour, and the scene itself."""
    generator = torch.Generator().manual_seed(0)
    squares = torch.rand(1, 3, 8, 10, generator=generator)
    hr = squares.repeat_interleave(16, 2).repeat_interleave(16, 3)
    frames, _ = DEGRADATIONS.build("burst", {"scale": 4, "frames": 6}).observe(hr, generator)
    for place in (folder, folder.with_name("SCENES")):
        place.mkdir()
    Image.fromarray(to_picture(hr)).save(folder.with_name("SCENES") / "squares.png")
    for number, frame in enumerate(frames[0].permute(0, 2, 3, 1).numpy()):
        Image.fromarray((frame * 255).round().astype(np.uint8)).save(folder / f"{number}.png")


def prepare_night(file: Path) -> None:
    """Five frames of nine stars."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:72, :72].astype(float)
    cube = rng.normal(50, 1, (5, 72, 72))
    for frame, (dx, dy) in zip(cube, [(0, 0), *rng.uniform(-1, 1, (4, 2))], strict=True):
        for cx, cy in np.ndindex(3, 3):
            square = (x - 24 * cx - 11 - dx) ** 2 + (y - 24 * cy - 13 - dy) ** 2
            frame += (300 + 100 * cx + 50 * cy) * np.exp(-square / 3)
    fits_files.writeto(file, cube.astype(np.float32))


def prepare_tid2013(folder: Path) -> None:
    picture(folder / "reference_images/I01.BMP", 192, 192)
    scores = []
    for number in range(1, 4):
        picture(folder / f"distorted_images/i01_01_{number}.bmp", 192, 192)
        scores.append(f"{number}.5 i01_01_{number}.bmp")
    (folder / "mos_with_names.txt").write_text("\n".join(scores))


@contextmanager
def inside(folder: Path) -> Iterator[Path]:
    """Be in a folder, without a network; undo what commands do to the process."""
    root, modules = logging.getLogger(), set(sys.modules)
    handlers, level = list(root.handlers), root.level
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(folder)
        patch.setattr(warnings, "showwarning", warnings.showwarning)
        for registry in (DEGRADATIONS, GENERATORS, PIXEL_LOSSES):
            ours = {name: c for name, c in registry._classes.items() if "srgan_" in c.__module__}
            patch.setattr(registry, "_classes", ours)
        environment = dict(os.environ)
        for scheme in ("http", "https"):
            os.environ.pop(f"{scheme.upper()}_PROXY", None)
            os.environ[f"{scheme}_proxy"] = "http://127.0.0.1:9"
        try:
            yield folder
        finally:
            os.environ.clear()
            os.environ.update(environment)
            for handler in set(root.handlers) - set(handlers):
                handler.close()
            root.handlers, root.level = handlers, level
            for name in set(sys.modules) - modules:
                if str(getattr(sys.modules[name], "__file__", "")).startswith(str(folder)):
                    del sys.modules[name]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("documents")
    prepare_folder(folder)
    return folder


@pytest.fixture
def home(prepared: Path, tmp_path: Path) -> Iterator[Path]:
    """A fresh copy of the folder, to be in."""
    folder = tmp_path / "home"
    shutil.copytree(prepared, folder)
    with inside(folder):
        yield folder


@pytest.fixture
def stopped(prepared: Path, small: list[str]) -> None:
    """A quickstart that was stopped in its second stage."""
    run = Path("outputs/quickstart/RUN")
    if not (prepared / run).exists():
        with inside(prepared):
            sizes = ["data.train.hr=PHOTOS", "data.validation.hr=Set5", "trainer.max_steps=6"]
            assert srgan("train", *small, *sizes, f"hydra.run.dir={run}") == 0


def srgan(*arguments: str) -> int:
    sys.argv, whole = ["srgan", *arguments], sys.argv
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            cli.main()
    except SystemExit as end:
        return int(end.code or 0)
    finally:
        sys.argv = whole
    return 0


def serve_and_interrupt(arguments: list[str]) -> None:
    """Run `srgan demo`, on a port that is free, until it serves the page; then press Ctrl-C."""
    command = [sys.executable, "-m", "srgan_lightning", "demo", *arguments, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            told = re.search(r"http://127\.0\.0\.1:\d+/", process.stdout.readline())
            assert told, command
            session = requests.Session()
            session.trust_env = False  # no proxy between
            assert "srgan demo" in session.get(told[0], timeout=60).text
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=60) == 0
        finally:
            process.kill()


def make(*targets: str) -> int:
    """Ask what make would do; its help it shows."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    command = ["make", "-n", *targets] if targets else ["make"]
    return subprocess.run(command, cwd=ROOT, env=clean, check=False).returncode


def measure(program: str) -> int:
    """Run a benchmark with tiny networks, a turn of a step each."""
    sizes = [size for size in SMALL if size.startswith(("generator.", "discriminator."))]
    command = [sys.executable, ROOT / program, *sizes, "--rounds", "1", "--steps", "1"]
    return subprocess.run(command, check=False).returncode


@pytest.fixture
def execute(stopped: None, home: Path, small: list[str]) -> Callable[[str], None]:
    def make_sweep(folder: str) -> None:
        sweep = ["-m", "seed=0,1", "trainer.max_steps=1", f"hydra.sweep.dir={folder}"]
        assert srgan("train", *reduced(sweep, small)) == 0

    def run(command: str) -> None:
        if "<" in command:  # pipes are the shell's
            ours = command.replace("srgan", f"{sys.executable} -m srgan_lightning", 1)
            subprocess.run(ours, shell=True, check=True)
            return
        match shlex.split(command):
            case ["make", *targets]:
                assert make(*targets) == 0, command
            case ["python", program, *_]:
                assert measure(program) == 0, command
            case ["sbatch", *_, "--wrap", script]:
                os.environ |= SLURM
                run(script.partition("srun ")[2].partition(" ")[2])
            case ["srgan", "demo", *arguments]:
                serve_and_interrupt(arguments)
            case ["srgan", "sweep", *arguments]:
                if not Path(arguments[1]).exists():
                    make_sweep(arguments[1])
                assert srgan("sweep", *arguments) == 0, command
            case ["srgan", "dashboard", "--sweep", folder, *arguments]:
                make_sweep(folder)
                assert srgan("dashboard", "--sweep", folder, *arguments) == 0, command
            case ["tensorboard", "--logdir", folder]:  # tests/tracking looks at its page
                assert [*Path(folder).glob("*/events.out.tfevents.*")], command
            case ["wandb", "sync", pattern]:  # there is no network here
                assert len([*Path().glob(pattern)]) == 2, command
            case ["srgan", "train", *arguments]:
                assert srgan("train", *reduced(arguments, small)) == 0, command
            case [
                "srgan",
                (
                    "evaluate"
                    | "upscale"
                    | "fuse"
                    | "prepare"
                    | "info"
                    | "blend"
                    | "export"
                    | "report"
                    | "models"
                ) as name,
                *arguments,
            ]:
                assert srgan(name, *arguments) == 0, command
            case _:
                pytest.fail(f"this test does not know how to run {command!r}")

    return run


def reduced(arguments: list[str], small: list[str]) -> list[str]:
    """Add overrides for a tiny run on the CPU, where the command does not say otherwise."""
    if "--help" in arguments or "--cfg" in arguments:
        return arguments
    if "--resume" in arguments:
        return [*arguments, "trainer.max_steps=8"]
    config = composed(arguments)
    given = {argument.partition("=")[0] for argument in arguments}
    data = config["data"]
    if boxed(config["init_from"]):  # their generator is as large as it is
        small = [size for size in small if not size.startswith("generator")]
    sizes = [*small, "trainer.val_every_n_steps=0", "callbacks.checkpoint.every_n_steps=0"]
    if data["train"]["hr"] == "samples://train":
        sizes.append("data.train.hr=PHOTOS")
    if data["validation"] is not None and data["validation"]["hr"] == "samples://heldout":
        sizes.append("data.validation.hr=Set5")
    sizes = [size for size in sizes if size.partition("=")[0] not in given and fits(size, config)]
    steps = [
        f"schedule.stages.{name}.steps=2"
        for name, stage in config["schedule"]["stages"].items()
        if stage["steps"]
    ]
    devices = ("trainer=", "trainer.devices=", "trainer.num_nodes=")
    kept = [argument for argument in arguments if not argument.startswith(devices)]
    if "hydra/launcher=submitit_slurm" in kept:  # a cluster is for tests/cluster
        kept = [argument for argument in kept if not argument.startswith("hydra")]
    kept = [argument for argument in kept if not argument.startswith("hydra.sweeper.")]
    if any(argument.startswith("search=") for argument in kept):
        kept += ["hydra.sweeper.trials=2", "hydra.sweeper.batch=2"]
    return [*kept, *sizes, *steps, "trainer=cpu"]


def composed(arguments: list[str]) -> dict[str, Any]:
    """The config that a command means, checked; of a sweep that of its first run."""
    overrides = [a for a in arguments if "=" in a and not a.startswith("hydra")]
    if "-m" in arguments:
        overrides = [override.split(",")[0] for override in overrides]
    if "--config-dir" in arguments:
        folder = arguments[arguments.index("--config-dir") + 1]
        overrides.append(f"hydra.searchpath=[file://{Path(folder).absolute()}]")
    config = compose(overrides)
    check(TrainConfig, config)
    return config


def fits(override: str, config: Any) -> bool:
    """Whether a config has an override's key; groups are not for this to choose."""
    *path, key = override.partition("=")[0].split(".")
    for part in path:
        config = config[part] if isinstance(config, dict) and part in config else {}
    return (bool(path) and key in config) or key == "logger"


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.place)
def test_blocks_run(block: Block, execute: Callable[[str], None]):
    if block.language == "bash":
        for line in block.text.splitlines():
            execute(line)
    elif block.file is None:
        assert block.language == "python", f"{block.place}: who runs {block.language!r}?"
        exec(compile(block.text, block.place, "exec"), {"__name__": "example"})


def test_what_nobody_can_run_is_a_failure(execute: Callable[[str], None]):
    for command in ("wget somewhere", "srgan dance", "srgan train data=nowhere"):
        with pytest.raises((pytest.fail.Exception, UserError)):
            execute(command)


@pytest.mark.parametrize("name", ["div2k", "set5"])
def test_offline_a_download_ends_in_one_line(home: Path, capsys, name: str):
    assert srgan("prepare", name, "--root", "elsewhere") == 2
    *_, line = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("srgan: error: cannot download ")
    assert f"by hand at {home}/elsewhere" in line


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_overrides_in_the_text_are_known(document: Path):
    for span in SPAN.findall(prose_of(document)):
        if not re.fullmatch(r"[a-z_.]+=[\w.,:/\[\]-]+", span):
            continue
        for application in ("train", "evaluate"):
            try:
                compose([span], application=application)
                break
            except UserError as mistake:
                told = str(mistake)
                if "data.root: is required" in told:
                    break
        else:
            pytest.fail(f"{document.name}: `{span}`: {told}")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_what_is_pointed_at_is_there(document: Path):
    text = prose_of(document)
    inline = re.findall(r"\]\(([^)\s]+)\)", text)
    for target in inline:
        if target.startswith("https://"):
            continue
        file, _, heading = target.partition("#")
        path = document.parent / file if file else document
        assert path.exists(), f"{document.name}: {target}"
        assert not heading or heading in headings(path), f"{document.name}: {target}"
    for span in SPAN.findall(text):
        if span.startswith("conf/") or re.fullmatch(r"[a-z_]+/[\w/]+\.py", span):
            places = [ROOT / span, ROOT / "srgan_lightning" / span]
            assert any(place.exists() for place in places), f"{document.name}: {span}"


def headings(document: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", prose_of(document), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_no_path_of_a_machine_is_named(document: Path):
    assert not re.search(
        r"(?<![\w.])(/(home|root|tmp|work|usr|opt|mnt)|/?Users)/", document.read_text()
    )


def test_the_table_of_config_groups_is_whole():
    table = ROOT.joinpath("README.md").read_text().split("## Config groups")[1].split("\n\n")[1]
    named: dict[str, set[str]] = {}
    for row in table.splitlines()[2:]:
        groups, options = row.strip("|").split("|")[:2]
        for group, names in zip(SPAN.findall(groups), options.split(";"), strict=True):
            named[group] = {name.strip() for name in names.split(",")}
    there = {
        group.name: {file.stem for file in group.glob("[!_]*.yaml")}
        for group in (ROOT / "conf").iterdir()
        if group.is_dir() and group.name not in ("hydra", "__pycache__")
    }
    assert named == there


def test_the_table_of_presets_is_whole():
    table = ROOT.joinpath("docs/data.md").read_text().split("| `data=` |")[1].split("\n\n")[0]
    named = [name for row in table.splitlines()[2:] for name in SPAN.findall(row.split("|")[1])]
    assert sorted(named) == sorted(file.stem for file in ROOT.glob("conf/data/[!_]*.yaml"))
