import io

from rich.console import Console

from srgan_lightning.training.run import run


def test_a_profile_is_printed_at_the_end(compose, tmp_path):
    printed = io.StringIO()
    run(compose("debug=profile"), folder=tmp_path, console=Console(file=printed, width=80))
    assert "FIT Profiler Report" in printed.getvalue()
    assert "training_step" in printed.getvalue()
