"""The training run: schedule, step, checkpoints, results."""
