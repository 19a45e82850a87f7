"""The project's wandb workspace: the panels that tell how super-resolution goes."""

from collections.abc import Sequence
from typing import Any

from srgan_lightning.errors import UserError
from srgan_lightning.tracking.wandb import SUMMARIZED

STEP = "generator_step"
PIXEL, ADVERSARIAL = "final/after_pixel", "final/after_adversarial"
SWEPT = ("generator.name", "data.batch_size", "seed")


def make_workspace(
    *, entity: str, project: str, name: str, swept: Sequence[str] = SWEPT, objective: str
) -> Any:
    """Make the workspace; nothing is sent.

    Args:
        entity: wandb's user or team.
        project: wandb's project.
        name: of the view.
        swept: keys of the config that parallel coordinates have an axis for.
        objective: the figure that they end at.

    Raises:
        UserError: the extra is not installed.
    """
    try:
        import wandb_workspaces.reports.v2 as panels
        import wandb_workspaces.workspaces as workspaces
    except ImportError:
        raise UserError(
            "srgan dashboard: needs wandb-workspaces; pip install 'srgan-lightning[dashboard]'"
        ) from None

    def lines(title: str, *figures: str, log: bool = False) -> Any:
        return panels.LinePlot(title=title, x=STEP, y=list(figures), log_y=log)

    def section(title: str, *content: Any) -> Any:
        return workspaces.Section(name=title, panels=list(content), is_open=True)

    goal = f"{objective}.max" if objective in SUMMARIZED else objective
    planes = [
        panels.ScatterPlot(
            title=f"Perception ({figure}) and distortion (PSNR)",
            x=panels.SummaryMetric(f"{ADVERSARIAL}/psnr"),
            y=panels.SummaryMetric(f"{ADVERSARIAL}/{figure.lower()}"),
        )
        for figure in ("LPIPS", "sharpness")
    ]
    columns = [
        *(panels.ParallelCoordinatesPlotColumn(metric=panels.Config(key)) for key in swept),
        panels.ParallelCoordinatesPlotColumn(metric=panels.SummaryMetric(goal)),
    ]
    return workspaces.Workspace(
        entity=entity,
        project=project,
        name=name,
        settings=workspaces.WorkspaceSettings(x_axis=STEP),
        sections=[
            section(
                "Losses",
                lines("generator", "loss/generator"),
                lines("pixel", "loss/pixel", log=True),
                lines("content", "loss/content", log=True),
                lines("adversarial", "loss/adversarial", "loss/discriminator"),
            ),
            section(
                "Stability",
                lines("share of right answers of D", "d_accuracy/hr", "d_accuracy/sr"),
                lines(
                    "gradient norms",
                    "gradient_norm/generator",
                    "gradient_norm/discriminator",
                    log=True,
                ),
                lines(
                    "skipped updates", "skipped_updates/generator", "skipped_updates/discriminator"
                ),
            ),
            section(
                "Quality",
                lines("PSNR [dB]", "val/psnr"),
                lines("SSIM", "val/ssim"),
                panels.BarPlot(title="LPIPS", metrics=[f"{PIXEL}/lpips", f"{ADVERSARIAL}/lpips"]),
                lines("sharpness", "val/sharpness"),
                *planes,
            ),
            section("Pictures", panels.MediaBrowser(media_keys=["comparison", "pictures"])),
            section(
                "Sweep",
                panels.ParallelCoordinatesPlot(title="Parallel coordinates", columns=columns),
                panels.ParameterImportancePlot(with_respect_to=goal),
            ),
        ],
    )


def specification(workspace: Any) -> str:
    """Return what would be sent to wandb, as JSON."""
    return str(workspace._to_model().model_dump_json(by_alias=True, exclude_none=True, indent=1))


def publish(workspace: Any) -> str:
    """Write the workspace to wandb; return its address."""
    return str(workspace.save().url)


def account() -> str:
    """Return the entity that wandb is logged in as.

    Raises:
        UserError: it is not.
    """
    import wandb

    if not wandb.login(prompt=False):
        raise UserError("--publish: needs an account; run `wandb login` once")
    return str(wandb.Api().default_entity)
