"""Every recipe against what its paper says, and a trial of each."""

import functools
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from srgan_lightning.config import check, compose
from srgan_lightning.degradations import DEGRADATIONS
from srgan_lightning.errors import UserError
from srgan_lightning.networks import DISCRIMINATORS, GENERATORS
from srgan_lightning.pretrained import BOX
from srgan_lightning.training.config import TrainConfig
from srgan_lightning.training.resume import read_checkpoint
from srgan_lightning.training.run import run

FITTED = {"sparse_coding"}  # in one go, see test_fitting.py
EXPERIMENTS = sorted(
    {path.stem for path in (Path(__file__).parents[2] / "conf" / "experiment").glob("*.yaml")}
    - FITTED
)
OWN = {"quickstart", "small_set", "burst_sr", *BOX}  # recipes of no paper
TRIAL = ["data=samples", "trainer=cpu", "trainer.precision=32-true", "logger=csv"]

# "our choice" stands where a paper leaves something open or this project departs from it.
TABLE = """
srcnn | generator.name                     | srcnn     | Dong et al. 2016, TPAMI 38(2)
srcnn | generator.middle_kernel            | 1         | section 4: f1 = 9, f2 = 1, f3 = 5
srcnn | degradation.name                   | bicubic   | section 4.1: bicubic
srcnn | data.crop_size                     | 32        | section 4: f_sub = 33, a multiple of 4
srcnn | data.batch_size                    | 128       | our choice
srcnn | optim.generator.name               | sgd       | section 3.3, equation 5: SGD
srcnn | optim.generator.betas              | [0.9, 0.999] | section 3.3, equation 5: 0.9 (first)
srcnn | optim.generator.last_layer         | 0.1       | section 3.3: 1e-4, in the last layer 1e-5
srcnn | schedule.stages.pixel.lr           | 1.0e-4    | section 3.3: 1e-4
srcnn | schedule.stages.pixel.decay        | constant  | section 3.3
srcnn | schedule.stages.pixel.steps        | 6250000   | section 4.1: 8e8 back-propagations
srcnn | loss.pixel.name                    | sse       | section 3.3, equation 4
srcnn | loss.pixel.factor                  | 1.0       | section 3.3, equation 4

fsrcnn | generator.name                    | fsrcnn    | Dong et al. 2016, ECCV
fsrcnn | generator.features                | 56        | section 4.2: FSRCNN(56, 12, 4)
fsrcnn | generator.shrunk                  | 12        | section 4.2: FSRCNN(56, 12, 4)
fsrcnn | generator.mappings                | 4         | section 4.2: FSRCNN(56, 12, 4)
fsrcnn | degradation.name                  | bicubic   | section 4.1
fsrcnn | data.crop_size                    | 24        | section 4.1: LR 6, HR 21 of these 24
fsrcnn | data.batch_size                   | 128       | our choice
fsrcnn | optim.generator.name              | sgd       | section 3.2: standard back-propagation
fsrcnn | optim.generator.last_layer        | 0.1       | section 4.1: 1e-3 and, at last, 1e-4
fsrcnn | optim.clip_norm                   | 10.0      | our choice
fsrcnn | schedule.stages.pixel.lr          | 1.0e-3    | section 4.1
fsrcnn | schedule.stages.pixel.decay       | multistep | section 4.1: halved for fine-tuning
fsrcnn | schedule.stages.pixel.gamma       | 0.5       | section 4.1: halved for fine-tuning
fsrcnn | schedule.stages.pixel.milestones  | [500000]  | our choice
fsrcnn | schedule.stages.pixel.steps       | 1000000   | our choice
fsrcnn | loss.pixel.name                   | sse       | section 3.2: the squared error of an image
fsrcnn | loss.pixel.factor                 | 1.0       | section 3.2

vdsr | generator.name                      | vdsr      | Kim et al. 2016
vdsr | generator.layers                    | 20        | section 5.2: depth 20
vdsr | degradation.name                    | bicubic   | section 3.1
vdsr | data.crop_size                      | 40        | section 3.2: 41, a multiple of 4
vdsr | data.batch_size                     | 64        | sections 3.2 and 5.2
vdsr | optim.generator.name                | sgd       | section 5.2: momentum 0.9
vdsr | optim.generator.betas               | [0.9, 0.999] | section 5.2: momentum 0.9 (the first)
vdsr | optim.generator.weight_decay        | 1.0e-4    | section 5.2: weight decay 0.0001
vdsr | optim.clip_norm                     | 0.4       | our choice (section 3.2: θ / lr)
vdsr | schedule.stages.pixel.lr            | 0.1       | section 5.2: 0.1
vdsr | schedule.stages.pixel.decay         | multistep | section 5.2: every 20 epochs
vdsr | schedule.stages.pixel.gamma         | 0.1       | section 5.2: by a factor of 10
vdsr | schedule.stages.pixel.milestones    | [2490, 4980, 7470] | section 5.2: 20 of 80 epochs
vdsr | schedule.stages.pixel.steps         | 9960      | section 5.2: 80 epochs, 9960 iterations
vdsr | loss.pixel.name                     | sse       | section 3.2: half the squared norm
vdsr | loss.pixel.factor                   | 0.5       | section 3.2: half the squared norm

espcn | generator.name                     | espcn     | Shi et al. 2016
espcn | generator.activation               | tanh      | section 3.2
espcn | degradation.name                   | bicubic   | our choice (section 2: blurred)
espcn | data.crop_size                     | 68        | section 3.2: 17r × 17r
espcn | data.batch_size                    | 16        | our choice
espcn | optim.generator.name               | adam      | our choice
espcn | optim.generator.last_layer         | 0.1       | section 3.2: the last 10 times slower
espcn | schedule.stages.pixel.lr           | 1.0e-2    | section 3.2: from 0.01
espcn | schedule.stages.pixel.decay        | multistep | section 3.2: lowered when the error stays
espcn | schedule.stages.pixel.gamma        | 0.1       | section 3.2: to 0.0001, in two steps
espcn | schedule.stages.pixel.milestones   | [100000, 200000] | our choice
espcn | schedule.stages.pixel.steps        | 300000    | our choice
espcn | loss.pixel.name                    | mse       | section 2.2: the pixel-wise MSE

edsr | generator.name                      | edsr      | Lim et al. 2017
edsr | generator.blocks                    | 16        | table 1: baseline, B = 16
edsr | generator.width                     | 64        | table 1: baseline, F = 64
edsr | degradation.name                    | bicubic   | section 4.1: DIV2K's bicubic track
edsr | data.crop_size                      | 192       | section 4.2: LR patches of 48
edsr | data.batch_size                     | 16        | section 4.2
edsr | optim.generator.name                | adam      | section 4.2
edsr | optim.generator.betas               | [0.9, 0.999] | section 4.2
edsr | optim.generator.eps                 | 1.0e-8    | section 4.2
edsr | schedule.stages.pixel.lr            | 1.0e-4    | section 4.2
edsr | schedule.stages.pixel.decay         | multistep | section 4.2: halved every 2e5 updates
edsr | schedule.stages.pixel.gamma         | 0.5       | section 4.2: halved every 2e5 updates
edsr | schedule.stages.pixel.milestones    | [200000]  | section 4.2: halved every 2e5 updates
edsr | schedule.stages.pixel.steps         | 300000    | the authors' program: 300 epochs of 1,000
edsr | loss.pixel.name                     | l1        | section 4.2: L1

srresnet | generator.name                  | srresnet  | Ledig et al. 2017
srresnet | generator.blocks                | 16        | section 3.2: 16 identical residual blocks
srresnet | degradation.name                | bicubic   | section 3.2: bicubic kernel, r = 4
srresnet | data.crop_size                  | 96        | section 3.2: HR sub-images of 96
srresnet | data.batch_size                 | 16        | section 3.2: 16 in a mini-batch
srresnet | optim.generator.name            | adam      | section 3.2: Adam
srresnet | optim.generator.betas           | [0.9, 0.999] | section 3.2: β1 = 0.9
srresnet | schedule.stages.pixel.lr        | 1.0e-4    | section 3.2
srresnet | schedule.stages.pixel.decay     | constant  | section 3.2
srresnet | schedule.stages.pixel.steps     | 1000000   | section 3.2: 1e6 update iterations
srresnet | loss.pixel.name                 | mse       | section 2.2.1, equation 4

srgan | generator.name                     | srresnet  | Ledig et al. 2017
srgan | generator.blocks                   | 16        | section 3.2
srgan | discriminator.name                 | srgan     | figure 4
srgan | degradation.name                   | bicubic   | section 3.2
srgan | data.crop_size                     | 96        | section 3.2
srgan | data.batch_size                    | 16        | section 3.2
srgan | optim.generator.name               | adam      | section 3.2
srgan | optim.generator.betas              | [0.9, 0.999] | section 3.2: β1 = 0.9
srgan | optim.discriminator.name           | adam      | section 3.2
srgan | schedule.stages.pixel.lr           | 1.0e-4    | section 3.2: started from SRResNet
srgan | schedule.stages.pixel.decay        | constant  | section 3.2
srgan | schedule.stages.pixel.steps        | 1000000   | section 3.2: started from SRResNet
srgan | schedule.stages.adversarial.lr     | 1.0e-4    | section 3.2: 1e5 iterations at 1e-4
srgan | schedule.stages.adversarial.decay  | constant  | section 3.2
srgan | schedule.stages.adversarial.steps  | 100000    | section 3.2
srgan | schedule.stages.adversarial_fine.lr | 1.0e-5   | section 3.2: another 1e5 at 1e-5
srgan | schedule.stages.adversarial_fine.decay | constant | section 3.2
srgan | schedule.stages.adversarial_fine.steps | 100000 | section 3.2
srgan | loss.pixel.name                    | mse       | section 2.2.1, equation 4
srgan | loss.pixel.weight                  | 0.0       | section 2.2: the VGG loss in its place
srgan | loss.content.weight                | 1.0       | section 2.2, equation 3
srgan | loss.content.layers                | [relu5_4] | section 3.4: φ5,4, after activation
srgan | loss.content.distance              | mse       | section 2.2.1, equation 5
srgan | loss.content.feature_scale         | 0.0784313725490196 | section 3.2: 1 / 12.75
srgan | loss.adversarial.name              | bce       | section 2.2.2, equation 6
srgan | loss.adversarial.weight            | 1.0e-3    | section 2.2, equation 3

srgan_vgg22 | generator.name               | srresnet  | Ledig et al. 2017
srgan_vgg22 | discriminator.name           | srgan     | figure 4
srgan_vgg22 | degradation.name             | bicubic   | section 3.2
srgan_vgg22 | data.crop_size               | 96        | section 3.2
srgan_vgg22 | data.batch_size              | 16        | section 3.2
srgan_vgg22 | optim.generator.name         | adam      | section 3.2
srgan_vgg22 | optim.discriminator.name     | adam      | section 3.2
srgan_vgg22 | schedule.stages.pixel.lr     | 1.0e-4    | section 3.2
srgan_vgg22 | schedule.stages.pixel.decay  | constant  | section 3.2
srgan_vgg22 | schedule.stages.pixel.steps  | 1000000   | section 3.2
srgan_vgg22 | schedule.stages.adversarial.lr | 1.0e-4  | section 3.2
srgan_vgg22 | schedule.stages.adversarial.decay | constant | section 3.2
srgan_vgg22 | schedule.stages.adversarial.steps | 100000 | section 3.2
srgan_vgg22 | schedule.stages.adversarial_fine.lr | 1.0e-5 | section 3.2
srgan_vgg22 | schedule.stages.adversarial_fine.decay | constant | section 3.2
srgan_vgg22 | schedule.stages.adversarial_fine.steps | 100000 | section 3.2
srgan_vgg22 | loss.pixel.name              | mse       | section 3.2: the start
srgan_vgg22 | loss.pixel.weight            | 0.0       | section 3.4
srgan_vgg22 | loss.content.weight          | 1.0       | section 3.4
srgan_vgg22 | loss.content.layers          | [relu2_2] | section 3.4: φ2,2
srgan_vgg22 | loss.content.feature_scale   | 0.0784313725490196 | section 3.2: 1 / 12.75
srgan_vgg22 | loss.adversarial.name        | bce       | section 2.2.2, equation 6
srgan_vgg22 | loss.adversarial.weight      | 1.0e-3    | section 2.2, equation 3

srgan_mse | generator.name                 | srresnet  | Ledig et al. 2017
srgan_mse | discriminator.name             | srgan     | figure 4
srgan_mse | degradation.name               | bicubic   | section 3.2
srgan_mse | data.crop_size                 | 96        | section 3.2
srgan_mse | data.batch_size                | 16        | section 3.2
srgan_mse | optim.generator.name           | adam      | section 3.2
srgan_mse | optim.discriminator.name       | adam      | section 3.2
srgan_mse | schedule.stages.pixel.lr       | 1.0e-4    | section 3.2
srgan_mse | schedule.stages.pixel.decay    | constant  | section 3.2
srgan_mse | schedule.stages.pixel.steps    | 1000000   | section 3.2
srgan_mse | schedule.stages.adversarial.lr | 1.0e-4    | section 3.2
srgan_mse | schedule.stages.adversarial.decay | constant | section 3.2
srgan_mse | schedule.stages.adversarial.steps | 100000 | section 3.2
srgan_mse | schedule.stages.adversarial_fine.lr | 1.0e-5 | section 3.2
srgan_mse | schedule.stages.adversarial_fine.decay | constant | section 3.2
srgan_mse | schedule.stages.adversarial_fine.steps | 100000 | section 3.2
srgan_mse | loss.pixel.name                | mse       | section 3.4: MSE as content loss
srgan_mse | loss.pixel.weight              | 4.0       | section 3.2: HR in [-1, 1], ours in [0, 1]
srgan_mse | loss.content.weight            | 0.0       | section 3.4
srgan_mse | loss.adversarial.name          | bce       | section 2.2.2, equation 6
srgan_mse | loss.adversarial.weight        | 1.0e-3    | section 2.2, equation 3

rdn | generator.name                       | rdn       | Zhang et al. 2018
rdn | generator.blocks                     | 16        | the authors' program: D = 16
rdn | generator.layers                     | 8         | the authors' program: C = 8
rdn | generator.growth                     | 64        | the authors' program: G = 64
rdn | degradation.name                     | bicubic   | section 5.1: BI
rdn | data.crop_size                       | 128       | section 5.1: LR patches of 32
rdn | data.batch_size                      | 16        | section 5.1
rdn | optim.generator.name                 | adam      | section 5.1
rdn | schedule.stages.pixel.lr             | 1.0e-4    | section 5.1
rdn | schedule.stages.pixel.decay          | multistep | section 5.1: halved every 200 epochs
rdn | schedule.stages.pixel.gamma          | 0.5       | section 5.1: halved every 200 epochs
rdn | schedule.stages.pixel.milestones     | [200000, 400000, 600000, 800000] | section 5.1
rdn | schedule.stages.pixel.steps          | 1000000   | our choice
rdn | loss.pixel.name                      | l1        | the authors' program

esrgan | generator.name                    | rrdbnet   | Wang et al. 2018
esrgan | generator.blocks                  | 23        | section 4.1: 23 RRDB
esrgan | discriminator.name                | srgan     | section 3.2: SRGAN's, relativistic
esrgan | degradation.name                  | bicubic   | section 4.1: MATLAB's bicubic
esrgan | data.crop_size                    | 128       | section 4.1
esrgan | data.batch_size                   | 16        | section 4.1
esrgan | optim.generator.name              | adam      | section 4.1
esrgan | optim.generator.betas             | [0.9, 0.999] | section 4.1
esrgan | optim.discriminator.name          | adam      | section 4.1
esrgan | optim.discriminator.betas         | [0.9, 0.999] | section 4.1
esrgan | schedule.stages.pixel.lr          | 2.0e-4    | section 4.1
esrgan | schedule.stages.pixel.decay       | multistep | section 4.1: halved every 2e5 updates
esrgan | schedule.stages.pixel.gamma       | 0.5       | section 4.1: halved every 2e5 updates
esrgan | schedule.stages.pixel.milestones  | [200000, 400000, 600000, 800000] | section 4.1
esrgan | schedule.stages.pixel.steps       | 1000000   | the authors' program
esrgan | schedule.stages.adversarial.lr    | 1.0e-4    | section 4.1
esrgan | schedule.stages.adversarial.decay | multistep | section 4.1
esrgan | schedule.stages.adversarial.gamma | 0.5       | section 4.1
esrgan | schedule.stages.adversarial.milestones | [50000, 100000, 200000, 300000] | section 4.1
esrgan | schedule.stages.adversarial.steps | 400000    | the authors' program
esrgan | loss.pixel.name                   | l1        | sections 3.3 and 4.1
esrgan | loss.pixel.weight                 | 1.0e-2    | section 4.1: η
esrgan | loss.content.weight               | 1.0       | section 3.3, equation 3
esrgan | loss.content.layers               | [conv5_4] | section 3.3: before activation
esrgan | loss.content.distance             | l1        | the authors' program
esrgan | loss.content.feature_scale        | 1.0       | the authors' program
esrgan | loss.adversarial.name             | relativistic | section 3.2, equations 1 and 2
esrgan | loss.adversarial.weight           | 5.0e-3    | section 4.1: λ

real_esrgan | generator.name               | rrdbnet   | Wang et al. 2021
real_esrgan | generator.blocks             | 23        | section 3.4: ESRGAN's generator
real_esrgan | discriminator.name           | unet      | section 3.4: U-Net with spectral norm
real_esrgan | degradation.name             | realesrgan | sections 3.1 to 3.3
real_esrgan | data.crop_size               | 256       | section 4.1
real_esrgan | data.batch_size              | 48        | section 4.1
real_esrgan | optim.generator.name         | adam      | section 4.1
real_esrgan | optim.generator.betas        | [0.9, 0.99] | the authors' program
real_esrgan | optim.discriminator.name     | adam      | section 4.1
real_esrgan | optim.discriminator.betas    | [0.9, 0.99] | the authors' program
real_esrgan | optim.ema_decay              | 0.999     | section 4.1 averages; the authors' program
real_esrgan | schedule.stages.pixel.lr     | 2.0e-4    | section 4.1: Real-ESRNet
real_esrgan | schedule.stages.pixel.decay  | constant  | section 4.1
real_esrgan | schedule.stages.pixel.steps  | 1000000   | section 4.1: 1,000K iterations
real_esrgan | schedule.stages.adversarial.lr | 1.0e-4  | section 4.1
real_esrgan | schedule.stages.adversarial.decay | constant | section 4.1
real_esrgan | schedule.stages.adversarial.steps | 400000 | section 4.1: 400K iterations
real_esrgan | loss.pixel.name              | l1        | section 4.1
real_esrgan | loss.pixel.weight            | 1.0       | section 4.1: {1, 1, 0.1}
real_esrgan | loss.content.weight          | 1.0       | section 4.1: {1, 1, 0.1}
real_esrgan | loss.content.layers          | [conv1_2, conv2_2, conv3_4, conv4_4, conv5_4] | 4.1
real_esrgan | loss.content.layer_weights   | [0.1, 0.1, 1.0, 1.0, 1.0] | section 4.1
real_esrgan | loss.content.distance        | l1        | the authors' program
real_esrgan | loss.content.feature_scale   | 1.0       | the authors' program
real_esrgan | loss.adversarial.name        | bce       | the authors' program
real_esrgan | loss.adversarial.weight      | 0.1       | section 4.1: {1, 1, 0.1}

thesis | generator.name                    | keras_srgan | the thesis
thesis | generator.blocks                  | 16        | the thesis
thesis | generator.upsample_activation     | leaky_relu | the thesis
thesis | discriminator.name                | keras_srgan | the thesis
thesis | degradation.name                  | bicubic   | our choice
thesis | data.resize                       | 384       | the thesis: images resized
thesis | data.crop_size                    | 384       | the thesis: HR 384, LR 96
thesis | data.batch_size                   | 4         | our choice
thesis | optim.generator.name              | adam      | our choice
thesis | optim.discriminator.name          | adam      | our choice
thesis | schedule.stages.pixel.lr          | 1.0e-4    | our choice
thesis | schedule.stages.pixel.decay       | constant  | our choice
thesis | schedule.stages.pixel.steps       | 2500      | our choice
thesis | schedule.stages.adversarial.lr    | 1.0e-4    | our choice
thesis | schedule.stages.adversarial.decay | constant  | our choice
thesis | schedule.stages.adversarial.steps | 5000      | our choice
thesis | loss.pixel.name                   | mse       | our choice
thesis | loss.pixel.weight                 | 0.0       | our choice: SRGAN's losses
thesis | loss.content.weight               | 1.0       | our choice: SRGAN's losses
thesis | loss.content.layers               | [relu5_4] | our choice: SRGAN's losses
thesis | loss.adversarial.name             | bce       | our choice: SRGAN's losses
thesis | loss.adversarial.weight           | 1.0e-3    | our choice: SRGAN's losses

tutorial | generator.name                  | keras_srgan | the tutorial
tutorial | generator.upsample_activation   | prelu     | the tutorial
tutorial | generator.last_momentum         | 0.8       | the tutorial
tutorial | generator.momentum              | 0.5       | our choice
tutorial | discriminator.name              | keras_srgan | the tutorial
tutorial | discriminator.momentum          | 0.6       | the tutorial
tutorial | degradation.name                | bicubic   | our choice
tutorial | data.resize                     | 128       | our choice
tutorial | data.crop_size                  | 128       | our choice
tutorial | data.batch_size                 | 4         | our choice
tutorial | optim.generator.name            | adam      | our choice
tutorial | optim.discriminator.name        | adam      | our choice
tutorial | schedule.stages.pixel.lr        | 1.0e-4    | our choice
tutorial | schedule.stages.pixel.decay     | constant  | our choice
tutorial | schedule.stages.pixel.steps     | 2500      | our choice
tutorial | schedule.stages.adversarial.lr  | 1.0e-4    | our choice
tutorial | schedule.stages.adversarial.decay | constant | our choice
tutorial | schedule.stages.adversarial.steps | 5000    | our choice
tutorial | loss.pixel.name                 | mse       | our choice
tutorial | loss.pixel.weight               | 0.0       | our choice
tutorial | loss.content.weight             | 1.0       | our choice
tutorial | loss.content.layers             | [relu3_4] | the tutorial: block3_conv4, with ReLU
tutorial | loss.adversarial.name           | bce       | our choice
tutorial | loss.adversarial.weight         | 1.0e-3    | our choice
"""

TINY = {
    "srcnn": ["features=8", "mapped=4"],
    "fsrcnn": ["features=8", "shrunk=4", "mappings=1"],
    "vdsr": ["layers=3", "width=8"],
    "espcn": [],
    "burst_map": ["blocks=1", "width=8"],
    "burst_sr": ["features=4", "blocks=1", "width=8"],
    "edsr": ["blocks=1", "width=8"],
    "rdn": ["blocks=1", "layers=1", "growth=8", "width=8"],
    "rrdbnet": ["blocks=1", "width=8", "growth=8"],
    "srresnet": ["blocks=1", "width=8"],
    "keras_srgan": ["blocks=1", "width=4"],
    "compact": [],  # as large as the weights that it starts from
}
TINY_DISCRIMINATOR = {
    "srgan": ["width=4", "hidden=8"],
    "keras_srgan": ["width=4", "hidden=8"],
    "unet": ["width=4"],
}


def rows(recipe: str) -> dict[str, tuple[Any, str]]:
    """Return option → (value, source) of a recipe's lines."""
    lines = [[cell.strip() for cell in line.split("|")] for line in TABLE.splitlines() if line]
    return {
        option: (yaml.safe_load(value), source)
        for name, option, value, source in lines
        if name == recipe
    }


@functools.cache
def composed(*overrides: str) -> dict[str, Any]:
    return compose(overrides)


def recipe_values(recipe: str) -> dict[str, Any]:
    return composed(f"experiment={recipe}", "data=samples")


def at(values: dict[str, Any], option: str) -> Any:
    return functools.reduce(lambda node, key: node[key], option.split("."), values)


@pytest.mark.parametrize("recipe", sorted(set(EXPERIMENTS) - OWN))
def test_a_recipe_is_its_papers(recipe: str):
    values = recipe_values(recipe)
    found = {option: at(values, option) for option in rows(recipe)}
    assert found == {option: value for option, (value, _) in rows(recipe).items()}
    assert all(source for _, source in rows(recipe).values())


@pytest.mark.parametrize("recipe", sorted(set(EXPERIMENTS) - OWN))
def test_the_table_is_whole(recipe: str):
    values = recipe_values(recipe)
    wanted = {"generator.name", "degradation.name", "data.crop_size", "data.batch_size"}
    wanted |= {"optim.generator.name", "loss.pixel.name"}
    for name, stage in values["schedule"]["stages"].items():
        keys = ["lr", "decay", "steps"]
        keys += ["milestones", "gamma"] if stage["decay"] == "multistep" else []
        wanted |= {f"schedule.stages.{name}.{key}" for key in keys}
    if any(stage["kind"] == "adversarial" for stage in values["schedule"]["stages"].values()):
        wanted |= {"discriminator.name", "optim.discriminator.name", "loss.pixel.weight"}
        wanted |= {"loss.content.weight", "loss.adversarial.name", "loss.adversarial.weight"}
        wanted |= {"loss.content.layers"} if values["loss"]["content"]["weight"] else set()
    else:  # nothing but the pixel loss plays a part
        assert values["loss"]["pixel"]["weight"] > 0 or recipe == "srresnet"
    assert not wanted - rows(recipe).keys()


def test_the_table_names_no_recipe_that_is_not_there():
    assert {line.split("|")[0].strip() for line in TABLE.splitlines() if line} <= set(EXPERIMENTS)


@pytest.mark.parametrize("recipe", EXPERIMENTS)
def test_a_recipes_networks_can_be_built(recipe: str):
    config = check(TrainConfig, recipe_values(recipe))
    GENERATORS.build(config.generator.name, config.generator.arguments, scale=config.scale)
    with torch.device("meta"):  # the thesis's would take 1.2 GB
        discriminator = DISCRIMINATORS.build(
            config.discriminator.name,
            {**config.discriminator.arguments, "crop_size": max(config.data.crop_size, 17)},
        )
    assert sum(p.numel() for p in discriminator.parameters()) > 1e5


@pytest.mark.parametrize("recipe", EXPERIMENTS)
def test_a_recipe_trains(recipe: str, tmp_path: Path):
    config = recipe_values(recipe)
    generator, discriminator = config["generator"]["name"], config["discriminator"]["name"]
    values = compose(
        [
            *(f"experiment={recipe}", *TRIAL, "debug=one_batch"),
            *(f"generator.{option}" for option in TINY[generator]),
            *(f"discriminator.{option}" for option in TINY_DISCRIMINATOR[discriminator]),
            *("data.batch_size=1", "data.crop_size=32", "data.validation_crop=48"),
            *(["data.resize=64"] if config["data"]["resize"] else []),
            *("loss.content.features.weights=random", "callbacks.pictures_every_n_steps=0"),
        ]
    )
    result = run(values, folder=tmp_path)
    stages = check(TrainConfig, config).schedule.stages
    assert read_checkpoint(tmp_path / "checkpoints/last.ckpt")["step"] == len(stages)
    assert result.objective > 3
    for stage in stages:
        assert (tmp_path / f"checkpoints/generator-{stage}.safetensors").is_file()


def test_the_quickstart_starts_from_the_box_or_from_nothing():
    default, anew = (check(TrainConfig, composed(*given)) for given in ((), ("init_from=none",)))
    assert [*default.schedule.stages] == ["adversarial"]
    assert [*anew.schedule.stages] == ["pixel", "adversarial"]
    model = BOX[default.init_from]
    assert {"name": default.generator.name, **default.generator.arguments} == model.generator
    degradation = default.degradation
    built = DEGRADATIONS.build(degradation.name, degradation.arguments, scale=default.scale)
    assert built.describe() == model.degradation


def test_stages_from_nothing_alone_leave_none_for_weights():
    alone = ("schedule.stages.adversarial.from_nothing=true",)
    with pytest.raises(UserError, match="no stage is left for init_from"):
        check(TrainConfig, composed(*alone))


@pytest.mark.parametrize("name", BOX)
def test_weights_in_the_box_fit_the_recipe_of_their_name(name: str):
    generator = check(TrainConfig, recipe_values(name)).generator
    assert {"name": generator.name, **generator.arguments} == BOX[name].generator
