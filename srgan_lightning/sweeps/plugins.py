"""This project's launchers and sweepers, made known to Hydra."""

from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins

OF_OTHERS = {"launcher": ("submitit_local", "submitit_slurm"), "sweeper": ("optuna",)}


def register_plugins() -> None:
    """Have Hydra find the plugins that `conf/hydra/` names.

    Hydra accepts names within its namespace `hydra_plugins` only, and finds modules there only in
    folders on disk, which an editable install has none of. So each is entered under such a name.

    Where other plugins with presets of the same names are installed, ours stand in their place:
    Hydra would merge the two.
    """
    plugins = Plugins.instance()
    from srgan_lightning.sweeps.grid import GridSweeper
    from srgan_lightning.sweeps.queue import QueueLauncher
    from srgan_lightning.sweeps.search import OptunaSweeper
    from srgan_lightning.sweeps.slurm import SubmititLocalLauncher, SubmititSlurmLauncher

    launchers = (QueueLauncher, SubmititLocalLauncher, SubmititSlurmLauncher)
    for plugin in (GridSweeper, OptunaSweeper, *launchers):
        plugins.class_name_to_class[f"hydra_plugins.srgan_lightning.{plugin.__name__}"] = plugin
    for group, names in OF_OTHERS.items():
        for name in names:
            ConfigStore.instance().repo["hydra"][group].pop(f"{name}.yaml", None)
