"""The paper's figures of faces (1, 3, 4 and 5), with those of a campaign."""

from collections.abc import Mapping, Sequence

from srcli.data.task import PAPER
from srcli.pictures.pixels import Pixels
from srcli.pictures.resize import enlarge_bicubic, enlarge_nearest
from srcli.reproduction.report.contents import MISSING, Cell, Reproduction
from srcli.reproduction.report.faces import A_ROW, FaceRow, face_sheet, split_strip
from srcli.reproduction.report.pictures import Picture, Tile
from srcli.reproduction.report.wording import unplanned
from srcli.runs.status import RunStatus

_OBJECTIVES = {"gan": "GAN", "wgan": "WGAN", "wgangp": "WGAN-GP"}
_FAMILIES = {
    "b-d": ("dcgan", "DCGAN"),
    "e-g": ("mlp", "MLP"),
    "h-j": ("resnet-nobn", "ResNet without batch norm"),
    "k-m": ("dcgan-tanh", "DCGAN with tanh"),
}
_SAME_FACES = (
    "Every row enlarges the same faces, none of which was trained on, from their 16x16 inputs (top row, each"
    " pixel repeated); the bottom row is what the inputs were made from. Of each experiment it shows the"
    " first seed that has faces to show, at its last step. Batch norm takes the statistics of these faces, as"
    " in the authors' code."
)


def face_pictures(reproduction: Reproduction, cells: Mapping[str, Cell]) -> dict[str, Picture]:
    """Figures 1, 3, 4 and 5, and figure 1 as the authors' code ran, by key."""
    pictures = (
        _objectives_picture(reproduction, cells, "1", "resnet", "Figure 1: the ResNet with three objectives"),
        _objectives_picture(
            reproduction, cells, "1-srez", "srez-resnet", "Figure 1 as the authors' code ran (srez)"
        ),
        _families(reproduction, cells),
        _gammas(reproduction, cells),
        _noise(reproduction, cells),
    )
    return {picture.key: picture for picture in pictures}


def _objectives_picture(
    reproduction: Reproduction, cells: Mapping[str, Cell], number: str, family: str, title: str
) -> Picture:
    names = [f"{family}-{objective}" for objective in _OBJECTIVES]
    titles = dict(zip(names, _OBJECTIVES.values(), strict=True))
    tiles = []
    count = _count_of(reproduction) if _any_planned(names, cells) else 0
    for first in range(0, count, A_ROW):
        rows = _rows(reproduction, cells, titles, first, with_bicubic=True)
        span = f"faces {first + 1} to {min(first + A_ROW, count)}"
        name = f"figure-{number}-from-{first + 1}"
        tiles.append(Tile(name, f"{title}, {span}: {_listed(rows)}", face_sheet(span, rows)))
    caption = f"{_SAME_FACES} Bicubic is Pillow's."
    return Picture(f"figure-{number}", title, caption, tuple(tiles), "faces", unplanned(names, cells))


def _families(reproduction: Reproduction, cells: Mapping[str, Cell]) -> Picture:
    tiles, names = [], []
    for panels, (family, title) in _FAMILIES.items():
        own = {f"{family}-{objective}": name for objective, name in _OBJECTIVES.items()}
        names += list(own)
        if _any_planned(list(own), cells):
            rows = _rows(reproduction, cells, own, 0)
            alt = f"Figure 3 {panels}, {title}: {_listed(rows)}"
            tiles.append(Tile(f"figure-3-{family}", alt, face_sheet(f"{panels}  {title}", rows)))
    return Picture(
        "figure-3",
        "Figure 3: four architectures with three objectives",
        _SAME_FACES,
        tuple(tiles),
        "faces",
        unplanned(names, cells),
    )


def _gammas(reproduction: Reproduction, cells: Mapping[str, Cell]) -> Picture:
    tiles, names = [], []
    for objective in ("gan", "wgan"):
        stem = f"resnet-{objective}"
        own = {f"{stem}-gamma0": "gamma 0", f"{stem}-gamma05": "gamma 0.5", stem: "gamma 0.9"}
        names += list(own)
        if _any_planned(list(own), cells):
            title = f"ResNet, {_OBJECTIVES[objective]}"
            rows = _rows(reproduction, cells, own, 0)
            alt = f"Figure 4, {title}: {_listed(rows)}"
            tiles.append(Tile(f"figure-4-{objective}", alt, face_sheet(title, rows)))
    caption = (
        f"{_SAME_FACES} Gamma is the share of the L1 term in the generator's loss (equation 7); at 0 the"
        " adversary is alone."
    )
    return Picture(
        "figure-4",
        "Figure 4: the weight of the L1 term",
        caption,
        tuple(tiles),
        "faces",
        unplanned(names, cells),
    )


def _noise(reproduction: Reproduction, cells: Mapping[str, Cell]) -> Picture:
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


def _rows(
    reproduction: Reproduction,
    cells: Mapping[str, Cell],
    titles: Mapping[str, str],
    first: int,
    with_bicubic: bool = False,
) -> list[FaceRow]:
    """Input, bicubic if wanted, a row a cell, and label, each of some faces from `first` on."""
    inputs, labels = reproduction.example_inputs, reproduction.example_labels
    shown = slice(first, first + A_ROW)
    rows = []
    if inputs is not None:
        rows.append(FaceRow("input", "16 x 16", enlarge_nearest(inputs[shown], PAPER.scale)))
        if with_bicubic:
            rows.append(FaceRow("bicubic", "", enlarge_bicubic(inputs[shown], PAPER.scale)))
    for name, title in titles.items():
        note, faces, empty = _shown(reproduction, cells.get(name))
        rows.append(FaceRow(title, note, None if faces is None else faces[shown], empty))
    if labels is not None:
        rows.append(FaceRow("label", "64 x 64", labels[shown]))
    return rows


def _shown(reproduction: Reproduction, cell: Cell | None) -> tuple[str, Pixels | None, str]:
    """A note, the faces of the first seed that has any, and what to say without."""
    if cell is None:
        return "", None, "not in this plan"
    for record in cell.records:
        if record.name in reproduction.examples:
            state = "" if record.status == RunStatus.FINISHED else f", {record.status}"
            faces = split_strip(reproduction.examples[record.name], record.name)
            return f"seed {record.seed}{state}", faces, ""
    if not cell.records:
        return "", None, MISSING
    record = cell.records[0]
    return f"seed {record.seed}", None, f"{record.status} at step {record.step:,}"


def _sample_rows(reproduction: Reproduction, cell: Cell) -> list[FaceRow]:
    """Two rows of samples a seed, one empty row for a seed without."""
    done = {record.seed: record for record in cell.records}
    rows: list[FaceRow] = []
    for seed in cell.seeds:
        record = done.get(seed)
        png = None if record is None else reproduction.examples.get(record.name)
        if record is None or png is None:
            empty = MISSING if record is None else f"{record.status} at step {record.step:,}"
            rows.append(FaceRow(f"seed {seed}", "", None, empty))
            continue
        faces = split_strip(png, record.name)
        note = "" if record.status == RunStatus.FINISHED else record.status
        rows += [FaceRow(f"seed {seed}", note, faces[:A_ROW]), FaceRow("", "", faces[A_ROW : 2 * A_ROW])]
    return rows


def _any_planned(names: Sequence[str], cells: Mapping[str, Cell]) -> bool:
    return any(name in cells for name in names)


def _count_of(reproduction: Reproduction) -> int:
    """How many example faces there are."""
    labels = reproduction.example_labels
    return 2 * A_ROW if labels is None else len(labels)


def _listed(rows: Sequence[FaceRow]) -> str:
    """The rows of a sheet, for who doesn't see it."""
    return ", ".join(
        f"{row.caption} ({row.empty})" if row.empty else row.caption for row in rows if row.caption
    )
