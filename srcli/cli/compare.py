"""`srcli compare`."""

from pathlib import Path
from typing import Annotated

import typer


def compare(
    models: Annotated[
        list[str],
        typer.Argument(metavar="MODEL", help="Names of bundled models, runs, .safetensors or .onnx files."),
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
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
) -> None:
    """Compare models on the same test faces, measured and shown side by side.

    Nearest-neighbour and bicubic enlargement are always included. Models
    that draw faces from noise are shown as samples, with their diversity.
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
    from dataclasses import replace

    from srcli.comparison import compare as comparison
    from srcli.comparison import degrading, results
    from srcli.comparison import test_faces as faces
    from srcli.console import result, say

    results.check_folder(out)
    degradation = None if degrade is None else degrading.parse_degradation(degrade)
    loaded = comparison.load_models(models, device)
    if images is not None:
        test_faces = faces.faces_of_folder(images, limit)
    else:
        if not data:
            say("no --data or --images given: comparing on the built-in drawn faces")
        test_faces = faces.faces_of_datasets(data or [], limit)
    compared = comparison.compare(loaded, replace(test_faces, degradation=degradation))
    report = results.write_comparison(out, compared)
    results.print_comparison(compared)
    result(str(report))
