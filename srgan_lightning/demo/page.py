"""The page itself, in Gradio; `serve` prepares its environment before this is imported."""

import html
import tempfile
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from fastapi import FastAPI
from numpy.typing import NDArray

from srgan_lightning.demo.jobs import enlarge, look
from srgan_lightning.demo.models import Models
from srgan_lightning.errors import UserError
from srgan_lightning.imaging.read import SUFFIXES

MAX_FILE_MB = 64
STYLE = Path(__file__).with_name("page.css")
# Names of the system's own fonts: nothing is fetched for them.
THEME = gr.themes.Base(
    primary_hue="blue",
    neutral_hue="gray",
    radius_size="sm",
    font=["system-ui", "sans-serif"],
    font_mono=["ui-monospace", "monospace"],
)


def build_page(models: Models, folder: Path, *, max_megapixels: float) -> FastAPI:
    """Build the page as an application that a server can run.

    One picture is enlarged at a time; others wait. Files are kept for an hour at most.

    Args:
        models: what to choose from.
        folder: Gradio's own (`GRADIO_TEMP_DIR`), from which it serves files where they are.
        max_megapixels: the most pixels of a picture, in millions.
    """

    def show(upload: str | None) -> tuple[Any, ...]:
        picture = None if upload is None else _look(upload, max_megapixels)
        preview = gr.Image(picture, visible=picture is not None)
        return preview, None, "", gr.DownloadButton("Download", value=None, interactive=False)

    def run(
        upload: str | None,
        name: str,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - so Gradio knows that one is wanted
    ) -> tuple[Any, ...]:
        if upload is None:
            raise gr.Error("Drop a picture first.", print_exception=False)
        progress(0, desc=name)
        try:
            made = enlarge(
                Path(upload),
                Path(tempfile.mkdtemp(dir=folder)),
                models[name],
                name=name,
                max_megapixels=max_megapixels,
                on_progress=lambda part: progress(part, desc=name),
            )
        except UserError as error:
            raise _told(error) from None
        for remark in made.remarks:
            gr.Warning(html.escape(remark))
        label = f"Download {made.file.name}"
        ready = gr.DownloadButton(label, value=made.file, interactive=True)
        return (str(made.before), str(made.after)), html.escape(made.facts), ready

    with gr.Blocks(
        title="srgan demo", analytics_enabled=False, delete_cache=(600, 3600), fill_width=True
    ) as page:
        gr.Markdown(
            "# Enlarge a picture\n"
            f"PNG, JPEG, WebP, TIFF or BMP, up to {max_megapixels:g} megapixels and {MAX_FILE_MB} "
            "MB. Only this server sees it, and forgets it within about an hour."
        )
        with gr.Row():
            with gr.Column(scale=1, min_width=260):
                upload = gr.File(
                    label="Picture", file_types=sorted(SUFFIXES), height=150, elem_id="picture"
                )
                preview = gr.Image(
                    label="Input",
                    format="png",
                    interactive=False,
                    visible=False,
                    buttons=[],
                    elem_id="preview",
                )
                model = gr.Dropdown(models.names, label="Model", elem_id="model")
                button = gr.Button("Enlarge", variant="primary", elem_id="enlarge")
            with gr.Column(scale=3, min_width=420):
                slider = gr.ImageSlider(
                    label="Left: the input, bicubic · right: enlarged",
                    type="filepath",
                    interactive=False,
                    buttons=["fullscreen"],
                    max_height=640,
                    elem_id="slider",
                )
                facts = gr.HTML(elem_id="facts", padding=False)
                download = gr.DownloadButton("Download", interactive=False, elem_id="download")
        upload.change(
            show,
            upload,
            [preview, slider, facts, download],
            api_visibility="private",
            show_progress="hidden",
        )
        button.click(
            run,
            [upload, model],
            [slider, facts, download],
            concurrency_limit=1,
            api_visibility="private",
            show_progress_on=slider,
        )
    application = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    gr.mount_gradio_app(
        application,
        page.queue(api_open=False, max_size=16),
        path="/",
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        ssr_mode=False,
        mcp_server=False,
        pwa=False,
        max_file_size=MAX_FILE_MB * 10**6,
        theme=THEME,
        css_paths=STYLE,
    )
    return application


def _look(upload: str, max_megapixels: float) -> NDArray[np.uint8]:
    try:
        return look(Path(upload), max_megapixels=max_megapixels)
    except UserError as error:
        raise _told(error) from None


def _told(error: UserError) -> gr.Error:
    return gr.Error(html.escape(str(error)), print_exception=False)
