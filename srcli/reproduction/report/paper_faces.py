"""The paper's figures of faces (1, 3, 4 and 5) with those of a campaign."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from srcli.data.task import PAPER
from srcli.pictures.pixels import Pixels
from srcli.pictures.resize import enlarge_bicubic, enlarge_nearest
from srcli.reproduction.cells import MISSING, Cell
from srcli.reproduction.report.contents import Reproduction
from srcli.reproduction.report.faces import A_ROW, FaceRow, face_sheet, split_strip
from srcli.reproduction.report.paper import FAMILIES, OBJECTIVES
from srcli.reproduction.report.pictures import Picture, Tile
from srcli.reproduction.report.wording import unplanned
from srcli.runs.status import RunStatus

_SAME_FACES = (
    "Every row enlarges the same faces, none of which was trained on, from their 16x16 inputs (top row, each"
    " pixel repeated); the bottom row is what the inputs were made from. Of each experiment it shows the"
    " first seed that has faces to show, at its last step. Batch norm takes the statistics of these faces, as"
    " in the authors' code."
)


@dataclass(frozen=True)
class _Sheet:
    """A sheet of a figure, with a row per cell.

    Attributes:
        shows: What it shows, for readers who don't see it; its rows are added.
        rows: Captions by cell.
        first: The first of the faces on it.
    """

    name: str
    title: str
    shows: str
    rows: Mapping[str, str]
    first: int = 0
    with_bicubic: bool = False


def objectives_picture(reproduction: Reproduction, number: str, family: str, title: str) -> Picture:
    """Figure 1 with the cells of an architecture."""
    rows = {f"{family}-{objective}": name for objective, name in OBJECTIVES.items()}
    sheets = []
    for first in range(0, len(reproduction.faces), A_ROW):
        span = f"faces {first + 1} to {min(first + A_ROW, len(reproduction.faces))}"
        name = f"figure-{number}-from-{first + 1}"
        sheets.append(_Sheet(name, span, f"{title}, {span}", rows, first, with_bicubic=True))
    return _picture(reproduction, number, title, f"{_SAME_FACES} Bicubic is Pillow's.", sheets)


def families_picture(reproduction: Reproduction) -> Picture:
    """Figure 3: four architectures with three objectives each."""
    sheets = []
    for family, (panels, title) in FAMILIES.items():
        rows = {f"{family}-{objective}": name for objective, name in OBJECTIVES.items()}
        span = f"{panels[0]}-{panels[-1]}"
        shows = f"Figure 3 {span}, {title}"
        sheets.append(_Sheet(f"figure-3-{family}", f"{span}  {title}", shows, rows))
    title = "Figure 3: four architectures with three objectives"
    return _picture(reproduction, "3", title, _SAME_FACES, sheets)


def gammas_picture(reproduction: Reproduction) -> Picture:
    """Figure 4: the ResNet with three values of gamma."""
    sheets = []
    for objective in ("gan", "wgan"):
        stem = f"resnet-{objective}"
        rows = {f"{stem}-gamma0": "gamma 0", f"{stem}-gamma05": "gamma 0.5", stem: "gamma 0.9"}
        title = f"ResNet, {OBJECTIVES[objective]}"
        sheets.append(_Sheet(f"figure-4-{objective}", title, f"Figure 4, {title}", rows))
    caption = (
        f"{_SAME_FACES} Gamma is the share of the L1 term in the generator's loss (equation 7); at 0 the"
        " adversary is alone."
    )
    return _picture(reproduction, "4", "Figure 4: the weight of the L1 term", caption, sheets)


def noise_picture(reproduction: Reproduction) -> Picture:
    """Figure 5: faces from noise."""
    cells = reproduction.by_name
    names = {"noise-dcgan-gan": "GAN", "noise-dcgan-wgangp": "WGAN-GP"}
    tiles = []
    for name, title in names.items():
        if name in cells:
            rows = _sample_rows(reproduction, cells[name])
            alt = f"Figure 5, {title}: samples from noise; {_listed(rows)}"
            tiles.append(Tile(f"figure-5-{name}", alt, face_sheet(f"DCGAN, {title}", rows)))
    return Picture(
        "figure-5",
        "Figure 5: faces from noise",
        "Ten samples of each seed, drawn from 128 independent normal values each, not chosen; there is no"
        " L1 term and no input. Batch norm takes the statistics of the ten.",
        tuple(tiles),
        "faces",
        unplanned(list(names), cells),
    )


def _picture(
    reproduction: Reproduction, number: str, title: str, caption: str, sheets: Sequence[_Sheet]
) -> Picture:
    """A figure of the sheets of which any cell is planned."""
    cells = reproduction.by_name
    tiles = []
    for sheet in sheets:
        if any(name in cells for name in sheet.rows):
            rows = _rows(reproduction, sheet)
            tiles.append(Tile(sheet.name, f"{sheet.shows}: {_listed(rows)}", face_sheet(sheet.title, rows)))
    names = list(dict.fromkeys(name for sheet in sheets for name in sheet.rows))
    return Picture(f"figure-{number}", title, caption, tuple(tiles), "faces", unplanned(names, cells))


def _rows(reproduction: Reproduction, sheet: _Sheet) -> list[FaceRow]:
    """Input, bicubic if wanted, a row per cell, and label."""
    cells, shown = reproduction.by_name, slice(sheet.first, sheet.first + A_ROW)
    labels = reproduction.faces[shown]
    inputs = PAPER.low_res_of(labels)
    rows = [FaceRow("input", "16 x 16", enlarge_nearest(inputs, PAPER.scale))]
    if sheet.with_bicubic:
        rows.append(FaceRow("bicubic", "", enlarge_bicubic(inputs, PAPER.scale)))
    for name, title in sheet.rows.items():
        note, faces, empty = _faces_of(reproduction, cells.get(name))
        rows.append(FaceRow(title, note, None if faces is None else faces[shown], empty))
    return [*rows, FaceRow("label", "64 x 64", labels)]


def _faces_of(reproduction: Reproduction, cell: Cell | None) -> tuple[str, Pixels | None, str]:
    """A note, the faces of the first seed that has any, and what to say if none has."""
    if cell is None or not cell.records:
        return "", None, "not in this plan" if cell is None else MISSING
    for record in cell.records:
        if record.name in reproduction.examples:
            state = "" if record.status == RunStatus.FINISHED else f", {record.status}"
            faces = split_strip(reproduction.examples[record.name], record.name)
            return f"seed {record.seed}{state}", faces, ""
    record = cell.records[0]
    return f"seed {record.seed}", None, f"{record.status} at step {record.step:,}"


def _sample_rows(reproduction: Reproduction, cell: Cell) -> list[FaceRow]:
    """Two rows of samples per seed; one empty row for a seed without samples."""
    done = {record.seed: record for record in cell.records}
    rows: list[FaceRow] = []
    for seed in cell.seeds:
        record = done.get(seed)
        if record is None or record.name not in reproduction.examples:
            empty = MISSING if record is None else f"{record.status} at step {record.step:,}"
            rows.append(FaceRow(f"seed {seed}", "", None, empty))
            continue
        faces = split_strip(reproduction.examples[record.name], record.name)
        note = "" if record.status == RunStatus.FINISHED else record.status
        rows += [FaceRow(f"seed {seed}", note, faces[:A_ROW]), FaceRow("", "", faces[A_ROW : 2 * A_ROW])]
    return rows


def _listed(rows: Sequence[FaceRow]) -> str:
    """The captions of a sheet's rows."""
    return ", ".join(
        f"{row.caption} ({row.empty})" if row.empty else row.caption for row in rows if row.caption
    )
