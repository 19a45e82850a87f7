"""A user's mistake ends in one line that says what, where and what to do, and exit status 2."""

import re

import pytest

TRAIN = {
    "experiment=srgn": "experiment=srgn: no such option; did you mean srgan?",
    "expriment=srgan": "did you mean experiment?",
    "generator.blcks=3": "did you mean generator.blocks",
    "generator=srresnt": "did you mean srresnet",
    "generator.blocks=many": r"generator\.blocks: .*integer.*'many'",
    "generator.name=srresnt": "unknown generator 'srresnt': did you mean srresnet?",
    "generator.blocks=[1": "cannot read the override",
    "data.crop_sizes=96": r"did you mean data\.crop_size",
    "data.crop_size=97": "no multiple of the scale 4; take 96",
    "data=folder": r"data\.root: is required here; add data\.root=VALUE",
    "data=folder data.root=/nowhere": "/nowhere: no such folder",
    "data.train.hr=[]": "no usable picture",
    "discriminator.crop_size=32": r"discriminator\.crop_size: 32 contradicts 96",
    "degradation=blurr": "Known: bicubic, blur_bicubic, burst, classical",
    "degradation.sigma=-1": r"degradation\.sigma: must be at least 0",
    "loss.pixel.name=l3": "unknown pixel loss 'l3': known: charbonnier, .*l1, mse",
    "loss.content.layers=[relu9_9]": "vgg19 has no 'relu9_9'; did you mean relu5_4",
    "loss.content.features.weights=/nowhere.pth": "/nowhere.pth",
    "schedule.stages.pixel.stepz=4": r"did you mean schedule\.stages\.pixel\.steps",
    "schedule.stages.pixel.steps=-4": r"schedule\.stages\.pixel\.steps: .*got -4",
    "optim.generator.name=adamm": "'adam', 'adamw' or 'sgd'",
    "trainer=tpu": "did you mean gpu or cpu?",
    "trainer.precision=fp8": "'auto', '32-true', 'bf16-mixed' or '16-mixed'",
    "trainer.devices=-1": r"trainer\.devices: ",
    "trainer.devices=[0,1]": r"trainer\.devices: ",
    "trainer.sync_batchnorm=true": "trainer.sync_batchnorm: works between several GPUs only",
    "trainer=slurm": "Environment variable 'SLURM_JOB_ID' not found",
    "logger=mlflow": "known: csv, none, tensorboard, wandb, wandb_online",
    "callbacks.checkpoint.monitor=val/lpips": "did you mean val/psnr?",
    "callbacks.checkpoint.mode=maximal": r"callbacks\.checkpoint\.mode: .*'max' or 'min'",
    "plugins=[no_such_plugin]": "plugins: cannot import 'no_such_plugin'",
    "init_from=/nowhere.ckpt": "/nowhere.ckpt: no such file",
    "scale=5": "scale: .*2, 3, 4 or 8",
    "seed=-1": "seed: .*got -1",
    "--config-dir /nowhere": "'/nowhere' not found",
    "--resume /nowhere": "--resume /nowhere: this is not a run folder",
}
OTHERS = {
    "evaluate": "model: is not set; give model=FILE",
    "evaluate model=/nowhere.safetensors": "/nowhere.safetensors: no such file",
    "evaluate modl=bicubic": "did you mean model?",
    "evaluate model=bicubic protocol.space=xyz": "protocol.space: .*'y' or 'rgb'",
    "evaluate model=bicubic data.hr=/nowhere": "/nowhere",
    "evaluate model=bicubic degradation.sigmaa=1": r"did you mean degradation\.sigma",
    "upscale /nowhere.png -o big.png --model /nowhere.safetensors": "/nowhere",
    "prepare /nowhere -o all.safetensors": "/nowhere is neither a folder nor a data set",
    "prepare div3k -o all.safetensors": "did you mean div2k?",
}


@pytest.fixture
def training(small) -> list[str]:
    return [*small, "loss.content.features.weights=random", "data.crop_size=96"]


@pytest.mark.parametrize("mistake", TRAIN)
def test_of_training(mistake, command, training):
    given = {word.split("=")[0] for word in mistake.split()}
    kept = [word for word in training if word.split("=")[0] not in given]
    assert_one_line(command("train", *kept, *mistake.split()), TRAIN[mistake])


@pytest.mark.parametrize("mistake", OTHERS)
def test_of_other_commands(mistake, command):
    assert_one_line(command(*mistake.split()), OTHERS[mistake])


def assert_one_line(outcome, pattern):
    assert outcome.status == 2
    assert "Traceback" not in outcome.err
    lines = [line for line in outcome.err.splitlines() if not line.startswith("warning: ")]
    assert len(lines) == 1
    assert lines[0].startswith("srgan: error: ")
    assert re.search(pattern, lines[0])


def test_in_a_sweep(command, small):
    outcome = command("train", *small, "-m", "seed=0,1", "generator.width=-1")
    assert outcome.status == 2
    assert outcome.err.splitlines()[-1].startswith(
        "srgan: error: all jobs failed: generator.width: "
    )


@pytest.mark.parametrize(
    "devices",
    [
        *("trainer=ddp_cpu", "trainer=ddp", "trainer.num_nodes=2"),
        *(
            "trainer.devices=2",
            "trainer.devices=auto",
            "trainer.devices=-1",
            "trainer.devices=[0,1]",
        ),
    ],
)
def test_several_devices_a_job_of_a_sweep(command, small, devices, tmp_path):
    outcome = command("train", *small, "-m", "seed=0,1", devices, "hydra.sweep.dir=sweep")
    assert outcome.status == 2
    assert re.search(r"trainer.devices=.*: a job .*takes one device", outcome.err)
    assert not list(tmp_path.glob("sweep/*/config.yaml"))  # nothing was begun


def test_the_real_process_tells_it_too(srgan):
    outcome = srgan("train", "generator.blcks=3")
    assert_one_line(outcome, "did you mean generator.blocks")
