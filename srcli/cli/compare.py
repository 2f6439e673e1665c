"""`srcli compare`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from srcli.cli.arguments import Device
from srcli.cli.completion import complete_model

if TYPE_CHECKING:
    from srcli.comparison.compare import Model

SMOOTHED_STEPS = 100


def compare(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL",
            help="Names of bundled models, runs, .safetensors or .onnx files.",
            autocompletion=complete_model,
        ),
    ],
    out: Annotated[Path, typer.Option(help="The folder to create.")],
    data: Annotated[
        list[Path] | None,
        typer.Option(help="A dataset from prepare-data; its test faces are used. May be repeated."),
    ] = None,
    images: Annotated[Path | None, typer.Option(help="A folder of pictures instead of --data.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most this many faces.")] = None,
    degrade: Annotated[
        str | None,
        typer.Option(
            metavar="KIND:VALUE",
            help="Degrade the inputs: jpeg:75 (quality), noise:5 (sigma of 255), blur:1 (sigma in input"
            " pixels), kernel:bicubic, kernel:bilinear or kernel:lanczos.",
        ),
    ] = None,
    identity: Annotated[
        bool,
        typer.Option(
            "--identity",
            help="Also measure how far faces move from their labels as dlib's face recognition sees them;"
            " needs pip install 'srcli[identity]'.",
        ),
    ] = False,
    device: Device = "auto",
) -> None:
    """Compare models on the same test faces, measured and shown side by side.

    Nearest-neighbour and bicubic enlargement are always included. Models
    that draw faces from noise are shown as samples, with their diversity,
    and runs with the curves of their training.
    Without --data and --images, the built-in drawn faces are used. Writes
    report.html, metrics.json, panel.png and samples-N.png into --out, and
    prints the path of the report.

    Inputs are exact averages of the test faces unless --degrade is given.
    Consistency is always measured against the exact average.

    Pictures are framed like the faces of a dataset: the centre, 8/9 of the
    side, of the largest centred square; for CelebA's 178x218 pictures, the
    paper's box.
    """
    if data and images is not None:
        raise typer.BadParameter("give --data or --images, not both", param_hint="--images")
    from srcli.comparison import results
    from srcli.console import result, say
    from srcli.interface import compare as compare_models

    results.check_folder(out)
    compared = compare_models(
        models, data or [], images=images, limit=limit, degrade=degrade, identity=identity, device=device
    )
    if not data and images is None:
        say("no --data or --images given: compared on the built-in drawn faces")
    report = results.write_comparison(out, compared, _charts(compared.models))
    results.print_comparison(compared)
    result(str(report))


def _charts(models: "Sequence[Model]") -> dict[str, bytes]:
    """The curves of the runs among the models, as PNG files by title."""
    from dataclasses import replace

    from srcli.console import say
    from srcli.curves.read import read_curves
    from srcli.errors import RunError

    curves = []
    for model in models:
        if model.health is not None:
            try:
                lines = read_curves([Path(model.source)], SMOOTHED_STEPS)
                curves += [replace(line, run=model.name) for line in lines]
            except RunError as error:
                say(f"no curves of {model.source}: {error}")
    if not curves:
        return {}
    from srcli.curves.picture import panels_as_png  # matplotlib: half a second

    return panels_as_png(curves, SMOOTHED_STEPS)
