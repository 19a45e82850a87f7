"""`srgan demo`: a local page to try models on."""

from typing import Annotated, Literal

import typer


def demo(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[MODEL]...",
            help="What `srgan upscale --model` takes, in any number; the first is the default. Not "
            "given: what `srgan models` lists. bicubic and lanczos are always there.",
        ),
    ] = None,
    host: Annotated[
        str,
        typer.Option(help="Address to serve at; 0.0.0.0 lets everybody on the network use it."),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to serve at; 0: any that is free.")
    ] = 7860,
    max_megapixels: Annotated[
        float, typer.Option(min=0.01, help="The largest input picture, in millions of pixels.")
    ] = 4,
    device: Annotated[
        str, typer.Option(help="auto, cpu, cuda, cuda:1, mps; auto takes a GPU if there is one.")
    ] = "auto",
    precision: Annotated[
        Literal["auto", "32-true", "bf16-mixed", "16-mixed"],
        typer.Option(help="What to compute in; auto measures what is fast here."),
    ] = "auto",
    plugins: Annotated[
        list[str] | None,
        typer.Option(
            "--plugin", metavar="MODULE", help="Import a module that registers a model's network."
        ),
    ] = None,
) -> None:
    """Serve a page: drop a picture, choose a model, compare before and after, download.

    Only this machine reaches it, and it asks nothing of any other. Ctrl-C ends it. Needs the extra
    demo.

    Example: srgan demo photo-gan generator.safetensors
    """
    from srgan_lightning.config import import_plugins
    from srgan_lightning.demo import serve
    from srgan_lightning.pretrained import BOX

    import_plugins(plugins or ())
    serve(
        models or [name for name, model in BOX.items() if not model.fuses],
        device=device,
        precision=precision,
        host=host,
        port=port,
        max_megapixels=max_megapixels,
        on_ready=lambda address: typer.echo(f"serving at {address} (Ctrl-C ends it)"),
    )
