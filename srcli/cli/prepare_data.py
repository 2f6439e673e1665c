"""`srcli prepare-data`."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from srcli.console import result, say, table, warn
from srcli.errors import UserError
from srcli.packing.layouts import AUTO, CELEBA, LAYOUTS, describe_layouts, describe_sizes

SHOWN_SKIPS = 5

LayoutChoice = StrEnum("LayoutChoice", [AUTO, *LAYOUTS])  # type: ignore[misc]  # its members are a table's
ANY_LAYOUT = LayoutChoice(AUTO)


def prepare_data(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE", help="A folder, a .zip, a .tar[.gz], or the word celeba to download it."
        ),
    ],
    out: Annotated[Path, typer.Option(help="The dataset folder to create.")],
    layout: Annotated[LayoutChoice, typer.Option(help=describe_layouts())] = ANY_LAYOUT,
    size: Annotated[
        int, typer.Option(min=72, help=f"Side of the stored faces in pixels; {describe_sizes()}")
    ] = 72,
    partition: Annotated[
        Path | None,
        typer.Option(
            help="A file of lines `name 0|1|2`.", show_default="list_eval_partition.txt beside SOURCE"
        ),
    ] = None,
    holdout: Annotated[
        int, typer.Option(min=1, help="Test faces if there is no partition, at most a tenth.")
    ] = 500,
    max_skipped: Annotated[
        float, typer.Option(min=0, max=100, help="Fail if more than this percentage cannot be used.")
    ] = 1.0,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Number of decoding processes.", show_default="all cores")
    ] = None,
) -> None:
    """Pack faces into a dataset for training, without unpacking archives.

    With RANK and WORLD_SIZE in the environment, each process packs its
    share into a folder inside --out, which is then the dataset.
    """
    from srcli.data.several import part_path
    from srcli.packing.pack import Packing, pack, require_new, require_size
    from srcli.packing.sources import open_source
    from srcli.processes import read_share

    share = read_share()
    out = part_path(out, share)
    require_new(out)
    path = Path(source)
    if source == "celeba" and not path.exists():
        from srcli.packing.celeba import download_celeba

        if not share.is_whole:
            raise UserError("CelebA can only be downloaded by one process", "Run one alone first.")
        require_size(CELEBA if layout == AUTO else LAYOUTS[layout], size)
        path = download_celeba(out.parent / "celeba-download")
    workers = workers or os.cpu_count() or 1
    packing = Packing(layout, size, partition, holdout, max_skipped, workers, share)
    packed = pack(open_source(path), out, packing)
    for name, reason in list(packed.skipped.items())[:SHOWN_SKIPS]:
        warn(f"skipped {name}: {reason}")
    if len(packed.skipped) > SHOWN_SKIPS:
        say(f"{len(packed.skipped)} skipped in all; dataset.json lists them")
    counts = [[name, f"{n:,}"] for name, n in packed.counts.items()]
    table(f"{packed.layout.name} layout", ["split", "faces"], counts)
    result(str(out))
