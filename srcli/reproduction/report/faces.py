"""Sheets of faces for a report: one row per way to enlarge, with its caption."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from srcli.data.task import PAPER
from srcli.errors import DataError
from srcli.pictures.opening import open_picture
from srcli.pictures.pixels import Pixels

ZOOM = 2
SIDE = PAPER.label_size
A_ROW = 5  # so that faces are large enough on a phone

_CELL, _GAP, _CAPTION = SIDE * ZOOM, 4, 158
_TITLE_HEIGHT = 40
_LARGE, _SMALL = 24, 20
_INK, _QUIET, _EMPTY = (38, 38, 38), (95, 95, 95), (236, 236, 236)


@dataclass(frozen=True)
class FaceRow:
    """Faces (n, 64, 64, 3), or what is said in their place; on the left a caption with a small note."""

    caption: str
    note: str
    faces: Pixels | None
    empty: str = ""


def face_sheet(title: str, rows: Sequence[FaceRow], columns: int = A_ROW) -> bytes:
    """A PNG of rows of faces at twice their size, with captions on the left and the title above."""
    width = _CAPTION + columns * (_CELL + _GAP)
    top = _TITLE_HEIGHT if title else _GAP
    sheet = Image.new("RGB", (width, top + len(rows) * (_CELL + _GAP)), (255, 255, 255))
    draw = ImageDraw.Draw(sheet)
    if title:
        draw.text((_CAPTION, 6), title, fill=_INK, font=ImageFont.load_default(_LARGE))
    for row in rows:
        _draw_row(sheet, draw, row, top, columns)
        top += _CELL + _GAP
    file = BytesIO()
    sheet.save(file, "PNG")
    return file.getvalue()


def split_strip(png: bytes, name: str) -> Pixels:
    """Splits a PNG of faces side by side: (64, 64 n, 3) to (n, 64, 64, 3).

    Raises:
        DataError: It isn't such a strip.
        ImageError: It is damaged.
    """
    pixels = np.asarray(open_picture(BytesIO(png), name))
    height, width = pixels.shape[:2]
    if height != SIDE or width % SIDE:
        raise DataError(f"{name} is not a row of faces of {SIDE} pixels: it is {width} x {height}")
    return pixels.reshape(SIDE, width // SIDE, SIDE, 3).swapaxes(0, 1)


def _draw_row(sheet: Image.Image, draw: ImageDraw.ImageDraw, row: FaceRow, top: int, columns: int) -> None:
    middle, large = top + _CELL // 2, ImageFont.load_default(_LARGE)
    draw.text((4, middle - (13 if row.note else 0)), row.caption, fill=_INK, font=large, anchor="lm")
    if row.note:
        draw.text((4, middle + 15), row.note, fill=_QUIET, font=ImageFont.load_default(_SMALL), anchor="lm")
    if row.faces is None:
        right = _CAPTION + columns * (_CELL + _GAP) - _GAP
        draw.rectangle((_CAPTION, top, right - 1, top + _CELL - 1), fill=_EMPTY)
        draw.text(((_CAPTION + right) // 2, middle), row.empty, fill=_QUIET, font=large, anchor="mm")
        return
    for column, face in enumerate(row.faces[:columns]):
        zoomed = Image.fromarray(np.ascontiguousarray(face.repeat(ZOOM, axis=0).repeat(ZOOM, axis=1)))
        sheet.paste(zoomed, (_CAPTION + column * (_CELL + _GAP), top))
