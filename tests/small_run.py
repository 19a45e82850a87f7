"""Overrides that make the quickstart run in a second or two."""

SMALL = [
    "generator.blocks=1",
    "generator.width=8",
    "discriminator.width=4",
    "discriminator.hidden=8",
    "data.crop_size=32",
    "data.batch_size=2",
    "data.validation_crop=48",
    "loss.content.layers=[relu1_2]",
    "loss.content.features.weights=random",
    "schedule.stages.pixel.steps=5",
    "schedule.stages.adversarial.steps=5",
    "trainer=cpu",
    "trainer.precision=32-true",
    "trainer.val_every_n_steps=4",
    "trainer.log_every_n_steps=1",
    "callbacks.checkpoint.every_n_steps=1",
    "callbacks.pictures_every_n_steps=0",
    "logger=csv",
]
