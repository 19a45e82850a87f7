"""Several devices: each network averages its gradients over them when it is its turn."""

from typing import Any

import torch
from pytorch_lightning.overrides.distributed import _sync_module_states, prepare_for_backward
from pytorch_lightning.strategies import DDPStrategy
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel

from srgan_lightning.training.ranks import RanksLauncher


class NetworkDDPStrategy(DDPStrategy):
    """Lightning's DDP, with a `DistributedDataParallel` for each network instead of one for all.

    One around everything waits in D's backward for gradients of G, which do not come. Told to
    `find_unused_parameters` it searches the graph at every backward and sends zeros for G. Here
    each network's buckets go out in its own backward, while that is still computing, and in that
    of an update's last micro-batch only.

    BatchNorm normalises by the statistics of a device's own crops; its running statistics are
    averaged over the devices after each step, so that all hold the same network.
    """

    def _configure_launcher(self) -> None:
        assert self.cluster_environment is not None
        self._launcher = RanksLauncher(self.cluster_environment, self.num_processes, self.num_nodes)

    def configure_ddp(self) -> None:
        """Make all ranks start from rank 0's state, and wrap the networks that learn."""
        module = self.lightning_module
        assert module is not None
        _sync_module_states(module)
        self._networks = [
            DistributedDataParallel(
                network,
                device_ids=self.determine_ddp_device_ids(),
                broadcast_buffers=False,
                init_sync=False,
                gradient_as_bucket_view=True,
            )
            for network in module.children()
            if _learns(network)
        ]
        self._statistics = [
            statistic
            for layer in module.modules()
            if isinstance(layer, _BatchNorm) and not isinstance(layer, nn.SyncBatchNorm)
            for statistic in (layer.running_mean, layer.running_var)
            if statistic is not None
        ]

    def pre_backward(self, closure_loss: Tensor) -> None:
        """Expect gradients of the network that is toggled, unless more micro-batches follow."""
        module: Any = self.lightning_module
        if not module.accumulating:
            for network in self._networks:
                if _learns(network):
                    prepare_for_backward(network, closure_loss)

    @torch.no_grad()
    def post_training_step(self) -> None:
        """Average BatchNorm's running statistics."""
        if not self._statistics:
            return
        flat = torch.cat(self._statistics)
        torch.distributed.all_reduce(flat)
        flat /= self.world_size
        averages = torch.split(flat, [len(statistic) for statistic in self._statistics])
        torch._foreach_copy_(self._statistics, averages)


def _learns(network: nn.Module) -> bool:
    return any(parameter.requires_grad for parameter in network.parameters())
