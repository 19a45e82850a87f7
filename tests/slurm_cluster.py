"""A Slurm cluster of one node on the loopback interface, for as long as the tests run."""

import getpass
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

CONFIG = """
ClusterName=srgan
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CryptoType=crypto/munge
SlurmctldPort={controller}
SlurmdPort={node}
StateSaveLocation={folder}/controller
SlurmdSpoolDir={folder}/node
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=5,batch_sched_delay=0
MpiDefault=none
ReturnToService=2
KillWait=20
MinJobAge=300
JobRequeue=1
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=small Nodes={host} Default=YES OverSubscribe=NO State=UP
"""
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch")


@dataclass(frozen=True)
class Cluster:
    """A running cluster, and the environment in which its commands find it."""

    environment: dict[str, str]
    folder: Path

    def ask(self, *command: str) -> str:
        """Run one of Slurm's commands; return what it prints."""
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=True
        ).stdout

    def start_now(self, job: str) -> None:
        """Have a requeued job start without the two minutes that Slurm gives the node."""
        wait_until(lambda: "PENDING" in self.ask("squeue", "-h", "-j", job, "-o", "%T"), 60)
        self.ask("scontrol", "update", f"JobId={job}", "StartTime=now")


def which(program: str) -> str | None:
    return shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")


@contextmanager
def running_cluster(folder: Path) -> Iterator[Cluster]:
    """Start munged, slurmctld and slurmd with a folder and ports of their own; stop them after."""
    if not all(which(program) for program in PROGRAMS):
        pytest.fail("Slurm is not installed: sudo apt-get install -y slurm-wlm munge")
    for name in ("controller", "node"):
        (folder / name).mkdir()
    (folder / "slurm.conf").write_text(
        CONFIG.format(
            host=socket.gethostname().partition(".")[0],
            user=getpass.getuser(),
            folder=folder,
            controller=free_port(),
            node=free_port(),
        )
    )
    (folder / "munge.key").write_bytes(secrets.token_bytes(128))
    (folder / "munge.key").chmod(0o400)
    environment = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf"), "OMP_NUM_THREADS": "1"}
    started = []
    try:
        for command in (
            ["munged", "--foreground", "--force", *munge_options(folder)],
            ["slurmctld", "-D", "-c"],
            ["slurmd", "-D", "-c"],
        ):
            with (folder / f"{command[0]}.out").open("w") as out:
                started.append(
                    subprocess.Popen(
                        [str(which(command[0])), *command[1:]],
                        env=environment,
                        stdout=out,
                        stderr=out,
                        start_new_session=True,
                    )
                )
            time.sleep(0.5)
        running = Cluster(environment, folder)
        wait_until(lambda: "idle" in ask_quietly(running), 60, lambda: logs(folder))
        yield running
        running.ask("scancel", "--full", "--signal=KILL", f"--user={getpass.getuser()}")
    finally:
        for process in reversed(started):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def munge_options(folder: Path) -> list[str]:
    return [
        f"--key-file={folder}/munge.key",
        f"--socket={folder}/munge.socket",
        f"--pid-file={folder}/munged.pid",
        f"--log-file={folder}/munged.log",
        f"--seed-file={folder}/munged.seed",
        "--num-threads=2",
    ]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask_quietly(cluster: Cluster) -> str:
    try:
        return cluster.ask("sinfo", "--noheader", "--format", "%T")
    except subprocess.CalledProcessError:
        return ""


def logs(folder: Path) -> str:
    files = sorted([*folder.glob("*.log"), *folder.glob("*.out")])
    return "\n".join(f"== {path.name}\n{path.read_text()[-2000:]}" for path in files)


def wait_until(
    true: Callable[[], bool], seconds: float, told: Callable[[], str] = lambda: ""
) -> None:
    """Wait for something to become true.

    Raises:
        Failed: it did not.
    """
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if true():
            return
        time.sleep(0.05)
    pytest.fail(f"waited {seconds} s in vain\n{told()}")
