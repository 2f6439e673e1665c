"""`srcli upscale`."""

from typing import Annotated

import typer

from srcli.bundled import DEFAULT
from srcli.console import fail, say
from srcli.errors import EXIT_SOME_FAILED, EXIT_USER_ERROR, UserError
from srcli.upscaling.files import OnExist, plan_jobs


def upscale(
    inputs: Annotated[
        list[str], typer.Argument(metavar="INPUT", help="Pictures, folders, or - for standard input.")
    ],
    out: Annotated[
        str | None,
        typer.Option(
            metavar="PATH",
            help="A file, a folder, or a pattern such as big/{stem}.webp.",
            show_default="INPUT_x4.png beside INPUT",
        ),
    ] = None,
    model: Annotated[
        str,
        typer.Option(metavar="NAME|RUN|FILE", help="faces, faces-faithful, a run, a .safetensors or .onnx."),
    ] = DEFAULT,
    recursive: Annotated[bool, typer.Option("--recursive", help="Search folders to their depths.")] = False,
    on_exist: Annotated[
        OnExist, typer.Option(help="What to do when an output is already there.")
    ] = OnExist.FAIL,
    quality: Annotated[
        int | None, typer.Option(min=1, max=100, help="Of JPEG and WebP outputs.", show_default="95")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
) -> None:
    """Enlarge pictures of faces four times.

    Prints the path of each output, or, when the only INPUT is - and there is no --out, the picture itself.

    The ending of --out chooses PNG, JPEG or WebP. A picture that fails is named, and the others go on.
    """
    plan = plan_jobs(inputs, out, recursive, on_exist)
    if quality is not None and any(job.format == "PNG" for job in plan.jobs):
        raise UserError("--quality has no effect on PNG, which is lossless", "Give --out a .jpg or .webp.")
    for failure in plan.failures:
        fail(str(failure))
    for path in plan.skipped:
        say(f"{path} already exists, skipped")
    failed = len(plan.failures)
    total = failed + len(plan.skipped) + len(plan.jobs)
    if plan.jobs:
        from srcli.upscaling.batch import check_streams, upscale_all
        from srcli.upscaling.models import load_upscaler

        check_streams(plan.jobs)
        generator = load_upscaler(model, device)
        failed += upscale_all(plan.jobs, generator, generator.label, generator.sha256, quality)
    if failed:
        raise typer.Exit(EXIT_USER_ERROR if failed == total else EXIT_SOME_FAILED)
