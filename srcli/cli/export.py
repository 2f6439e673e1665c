"""`srcli export`."""

from pathlib import Path
from typing import Annotated

import typer

from srcli.cli.completion import complete_run
from srcli.console import result, say
from srcli.errors import UserError


def export(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="RUN_OR_FILE", help="A run, checkpoint or weight file.", autocompletion=complete_run
        ),
    ],
    out: Annotated[Path, typer.Option(help="The .onnx file to write.")],
    half: Annotated[
        bool,
        typer.Option("--half", help="Store weights as 16-bit floats: half the size, nearly equal outputs."),
    ] = False,
) -> None:
    """Export a trained generator to ONNX, which upscale and compare run without torch.

    The file is self-describing, and its outputs are checked against torch's before it is written.
    Prints the file's path.
    """
    if out.suffix != ".onnx":
        raise UserError(f"--out {out} does not end in .onnx", f"Give --out {out.with_suffix('.onnx')}.")
    if out.exists():
        raise UserError(f"{out} already exists", "Give another --out.")
    from srcli.generators.export import export as write
    from srcli.generators.on_torch import load_torch_generator

    generator = load_torch_generator(model)
    difference = write(generator, out, half)
    say(f"{generator.description.label}: outputs within {difference:.1g} of torch's")
    result(str(out))
