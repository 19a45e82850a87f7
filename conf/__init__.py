"""The Hydra config tree, importable as `srgan_lightning.conf`."""
