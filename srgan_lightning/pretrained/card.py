"""The model card of weights in the box: what a person should know before using them."""

from collections.abc import Iterable, Mapping
from typing import Any

from srgan_lightning.pretrained.box import Boxed

FIGURES = {  # of a set's means: heading and decimals
    "psnr": ("PSNR [dB]", 2),
    "ssim": ("SSIM", 4),
    "lpips": ("LPIPS", 4),
    "dists": ("DISTS", 4),
    "st_lpips": ("ST-LPIPS (AlexNet)", 4),
    "sharpness": ("sharpness", 3),
    "brightness": ("brightness [levels]", 2),
    "colour": ("colour [levels]", 2),
}
LIMITS = (
    "It enlarges 4 times, RGB as sRGB files hold it. What the reduction took away it invents: "
    "texture, letters and faces look likely and need not be true.",
    "It must not serve as evidence, for identifying persons or number plates, for medical "
    "diagnosis, or for measurements.",
    "Pictures that were reduced, blurred or compressed in another way than the one above come out "
    "worse.",
)


def card(model: Boxed) -> str:
    """Write a model card.

    Returns:
        Markdown, with the hub's front matter.
    """
    told = model.card
    generator = dict(model.generator)
    name = generator.pop("name")
    options = ", ".join(f"{key} {value}" for key, value in generator.items())
    rows = {
        "network": f"`{name}` ({options}), {model.parameters:,} parameters",
        "scale": f"×{model.scale}",
        "LR in training": model.degradation,
        "features of the content loss": told.get("features"),
        "budget": told.get("budget"),
        "licence of the weights": model.license,
        "SHA-256": f"`{model.sha256}`",
    }
    sections = [
        _front(model),
        f"# {model.name}\n\n{model.purpose}",
        _table(("", ""), [(key, value) for key, value in rows.items() if value]),
        f"## Use\n\n```bash\n{_use(model)}\n```",
        *(_figures(entry) for entry in model.figures),
        *_training(told),
        *(f"![{text}]({file})" for file, text in told.get("pictures", {}).items()),
        "## Limits\n\n" + _list([*LIMITS, *told.get("limits", ())]),
    ]
    return "\n\n".join(sections) + "\n"


def _use(model: Boxed) -> str:
    if model.fuses:
        return f"srgan fuse burst -o fused.png --model {model.name}"
    return f"srgan upscale photo.jpg --model {model.name}"


def _front(model: Boxed) -> str:
    tags = "\n".join(f"- {tag}" for tag in ("super-resolution", "srgan-lightning", model.name))
    return (
        f"---\nlicense: {model.license.lower()}\npipeline_tag: image-to-image\n"
        f"library_name: srgan-lightning\ntags:\n{tags}\n---"
    )


def _figures(entry: Mapping[str, Any]) -> str:
    methods = entry["means"]
    known = [key for key in FIGURES if any(key in means for means in methods.values())]
    head = ("", *(FIGURES[key][0] for key in known))
    rows = [
        (method, *(f"{means[key]:.{FIGURES[key][1]}f}" if key in means else "" for key in known))
        for method, means in methods.items()
    ]
    return f"## {entry['pictures']}\n\n{_table(head, rows)}\n\n{entry['stamp']}"


def _training(told: Mapping[str, Any]) -> list[str]:
    sections = []
    if data := told.get("data"):
        rows = [(part["name"], str(part["pictures"]), part["licence"]) for part in data]
        sections.append("## Training\n\n" + _table(("data", "pictures", "licence"), rows))
    if commands := told.get("commands"):
        sections.append("```bash\n" + "\n".join(commands) + "\n```")
    return sections


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
