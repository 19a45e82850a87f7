"""Training on two GPUs: the exchange by NCCL, and BatchNorm over both."""

import subprocess
import sys

import pytest
import torch

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two CUDA devices"),
]


@pytest.mark.parametrize("sync_batchnorm", ["false", "true"])
def test_both_stages_on_two_gpus(small, tmp_path, sync_batchnorm):
    devices = ["trainer=ddp", "trainer.devices=2", f"trainer.sync_batchnorm={sync_batchnorm}"]
    kept = [option for option in small if option != "trainer=cpu"]
    command = [sys.executable, "-m", "srgan_lightning", "train", *kept, *devices]
    subprocess.run([*command, "hydra.run.dir=run"], cwd=tmp_path, check=True, timeout=300)
    saved = torch.load(tmp_path / "run/checkpoints/last.ckpt", weights_only=True)
    assert saved["srgan_lightning"]["step"] == 10
    assert all(torch.isfinite(tensor).all() for tensor in saved["state_dict"].values())
