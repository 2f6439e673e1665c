"""Draws the rooms of srcli from its imports, `architecture.svg`; with --check, says if it is current."""

import sys
import tomllib
from html import escape
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[1]
PICTURE = Path(__file__).with_name("architecture.svg")
LAYERS_CONTRACT = 0
WIDTH, ROW, BOX, GAP = 1160, 74, 36, 22
GROUND = ("storage", "console", "errors")
"""Rooms that nearly all others use: their arrows would hide the rest."""


def layers() -> list[list[str]]:
    """The layers of the contract in pyproject.toml, from the top, each with its rooms."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contract = settings["tool"]["importlinter"]["contracts"][LAYERS_CONTRACT]
    return [[room.strip() for room in layer.split("|")] for layer in contract["layers"]]


def edges(rooms: list[str]) -> list[tuple[str, str]]:
    """Who imports whom, without what follows from other arrows (the transitive reduction)."""
    graph = grimp.build_graph("srcli")
    uses = {
        room: {other for other in rooms if other != room and _imports(graph, room, other)} for room in rooms
    }
    reached = {room: _reached(room, uses) for room in rooms}
    return [
        (room, other)
        for room in rooms
        for other in sorted(uses[room])
        if not any(other in reached[between] for between in uses[room] - {other})
    ]


def draw() -> str:
    """The picture as SVG: a row a layer, a box a room, an arrow from each room to those it imports."""
    rows = layers()
    boxes = {room: box for number, row in enumerate(rows) for room, box in _boxes(row, number).items()}
    arrows = [_arrow(boxes[room], boxes[other]) for room, other in edges(list(boxes)) if other not in GROUND]
    height = len(rows) * ROW + GAP
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
            ' font-family="sans-serif">',
            f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
            '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"'
            ' orient="auto"><path d="M0 0L8 4L0 8z" fill="#8a94a6"/></marker></defs>',
            *arrows,
            *(_box(room, box) for room, box in boxes.items()),
            "</svg>\n",
        ]
    )


def _imports(graph: grimp.ImportGraph, room: str, other: str) -> bool:
    importers = {f"srcli.{room}", *graph.find_descendants(f"srcli.{room}")}
    imported = {f"srcli.{other}", *graph.find_descendants(f"srcli.{other}")}
    return any(graph.find_modules_directly_imported_by(module) & imported for module in importers)


def _reached(room: str, uses: dict[str, set[str]]) -> set[str]:
    return uses[room].union(*(_reached(other, uses) for other in uses[room]))


def _boxes(row: list[str], number: int) -> dict[str, tuple[float, float, float]]:
    """Left, top and width of each room's box in a layer."""
    widths = [18 + 10.5 * len(room) for room in row]
    space = (WIDTH - sum(widths)) / (len(row) + 1)
    lefts = [space * (index + 1) + sum(widths[:index]) for index in range(len(row))]
    return {
        room: (left, GAP + number * ROW, width) for room, left, width in zip(row, lefts, widths, strict=True)
    }


def _box(room: str, box: tuple[float, float, float]) -> str:
    left, top, width = box
    return (
        f'<rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{BOX}" rx="7" fill="#eef2fb"'
        f' stroke="#3b5bab"/><text x="{left + width / 2:.1f}" y="{top + 23}" font-size="15"'
        f' text-anchor="middle" fill="#1c2b52">{escape(room)}</text>'
    )


def _arrow(start: tuple[float, float, float], end: tuple[float, float, float]) -> str:
    x, y = start[0] + start[2] / 2, start[1] + BOX
    to_x, to_y = end[0] + end[2] / 2, end[1]
    bend = (to_y - y) / 2
    return (
        f'<path d="M{x:.1f} {y}C{x:.1f} {y + bend:.1f} {to_x:.1f} {to_y - bend:.1f} {to_x:.1f} {to_y - 1}"'
        ' fill="none" stroke="#8a94a6" stroke-width="1.3" marker-end="url(#head)"/>'
    )


if __name__ == "__main__":
    if "--check" not in sys.argv[1:]:
        PICTURE.write_text(draw(), encoding="utf-8")
    elif not PICTURE.exists() or PICTURE.read_text(encoding="utf-8") != draw():
        sys.exit(f"{PICTURE} is not current: run python docs/{Path(__file__).name}")
