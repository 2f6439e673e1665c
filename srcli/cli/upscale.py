"""`srcli upscale`."""

from typing import Annotated

import typer

from srcli.cli.arguments import Device
from srcli.cli.completion import complete_model
from srcli.console import fail, result, say
from srcli.errors import EXIT_SOME_FAILED, EXIT_USER_ERROR, UserError
from srcli.generators.bundled import DEFAULT
from srcli.processes import read_share
from srcli.upscaling.plan import FacesMode, OnExist, Plan, describe_others, plan_jobs
from srcli.upscaling.records import Record


def upscale(
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="INPUT", help="Pictures, folders, patterns, or - for standard input."),
    ],
    out: Annotated[
        str | None,
        typer.Option(
            metavar="PATH",
            help="A file, a folder, or a pattern: big/{stem}.webp, big/{name}.png, {stem}-{ext}.jpg.",
            show_default="INPUT_x4.png beside INPUT",
        ),
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            metavar="NAME|RUN|FILE",
            help="faces, faces-faithful, a run, a .safetensors or .onnx.",
            autocompletion=complete_model,
        ),
    ] = DEFAULT,
    recursive: Annotated[bool, typer.Option("--recursive", help="Search folders recursively.")] = False,
    on_exist: Annotated[OnExist, typer.Option(help="What to do if an output already exists.")] = OnExist.FAIL,
    quality: Annotated[
        int | None, typer.Option(min=1, max=100, help="Quality of JPEG and WebP outputs.", show_default="95")
    ] = None,
    consistent: Annotated[
        bool, typer.Option("--consistent", help="Make the output's area average equal the input.")
    ] = False,
    compare: Annotated[
        bool, typer.Option("--compare", help="Write bicubic enlargement and output side by side.")
    ] = False,
    faces: Annotated[
        FacesMode | None,
        typer.Option(
            help="Find the faces in photographs and enlarge each to its own file (crops), or within the"
            " photograph, which is otherwise enlarged bicubically (paste).",
            show_default="the whole picture",
        ),
    ] = None,
    minimum_face: Annotated[
        int, typer.Option(min=12, metavar="PIXELS", help="Smallest face that --faces looks for.")
    ] = 24,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but results and errors.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per picture.")] = False,
    device: Device = "auto",
) -> None:
    """Enlarge pictures of faces four times.

    Prints the path of each output, or the picture itself if INPUT is - and there is no --out.

    The extension of --out chooses PNG, JPEG or WebP. Pictures that fail are reported; the rest go on.
    """
    share = read_share()
    plan = plan_jobs(inputs, out, recursive, on_exist, share)
    if not share.is_whole and not quiet:
        say(f"process {share.rank + 1} of {share.count}: {len(plan.jobs):,} pictures")
    if as_json and any(job.target is None for job in plan.jobs):
        raise typer.BadParameter("standard output gets the picture; give --out FILE", param_hint="--json")
    if faces is FacesMode.CROPS and any(job.target is None for job in plan.jobs):
        raise typer.BadParameter("crops are files; give --out FILE", param_hint="--faces")
    if quality is not None and any(job.format == "PNG" for job in plan.jobs):
        raise UserError("--quality has no effect on PNG, which is lossless", "Give --out a .jpg or .webp.")
    _report_unopened(plan, as_json, quiet)
    failed, nothing_done = len(plan.failures), not plan.skipped
    if plan.jobs:
        from srcli.upscaling.photographs import FaceOptions
        from srcli.upscaling.run import check_streams, load_upscaler, upscale_all
        from srcli.upscaling.stages import UpscaleOptions
        from srcli.upscaling.writing import DEFAULT_QUALITY

        check_streams(plan.jobs)
        generator = load_upscaler(model, device)
        options = UpscaleOptions(generator, quality or DEFAULT_QUALITY, consistent, compare)
        looked_for = FaceOptions(faces, minimum_face, on_exist) if faces else None
        outcome = upscale_all(plan.jobs, options, as_json, looked_for, quiet)
        failed += outcome.failed
        nothing_done = nothing_done and outcome.done == outcome.without_face == 0
    if failed:
        raise typer.Exit(EXIT_USER_ERROR if nothing_done else EXIT_SOME_FAILED)


def _report_unopened(plan: Plan, as_json: bool, quiet: bool) -> None:
    """Reports inputs that cannot be read and, unless quiet, existing outputs and files passed over."""
    for failure in plan.failures:
        fail(str(failure.error))
    if not quiet:
        for job in plan.skipped:
            say(f"{job.target} already exists, skipped")
        for line in describe_others(plan.others):
            say(line)
    if as_json:
        failed = [Record(failure.input, None, "failed", str(failure.error)) for failure in plan.failures]
        skipped = [Record(str(job.source or "-"), str(job.target), "skipped") for job in plan.skipped]
        for record in failed + skipped:
            result(record.to_json())
