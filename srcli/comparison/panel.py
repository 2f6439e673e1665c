"""Sheets of faces: one row a way to enlarge, with captions (figures 1, 3 and 4), and squares of samples."""

import textwrap
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from srcli.pictures.pixels import Pixels, grid
from srcli.pictures.resize import enlarge_nearest

ZOOM = 2
SAMPLES_A_ROW = 8

_GAP = 4
_INK, _PAPER = (40, 40, 40), (255, 255, 255)
_TEXT_SIZE, _LINE_HEIGHT, _LETTERS_A_LINE = 16, 20, 24
_PADDING = 14


def panel(rows: Sequence[tuple[str, Pixels]], zoom: int = ZOOM) -> Pixels:
    """Rows of faces (n, H, H, 3), each pixel as zoom x zoom, with captions on their left: (H, W, 3)."""
    faces = grid([list(enlarge_nearest(shown, zoom)) for _, shown in rows], gap=_GAP)
    height = rows[0][1].shape[1] * zoom
    captions = [_caption(text, height) for text, _ in rows]
    width = max(caption.shape[1] for caption in captions)
    sheet = np.full((faces.shape[0] + 2 * _GAP, width + faces.shape[1] + _GAP, 3), 255, np.uint8)
    sheet[_GAP:-_GAP, width:-_GAP] = faces
    for index, caption in enumerate(captions):
        top = _GAP + index * (height + _GAP)
        sheet[top : top + height, : caption.shape[1]] = caption
    return sheet


def sample_sheet(samples: Pixels) -> Pixels:
    """Faces (n, H, H, 3) in rows of eight, as in figure 5: (H, W, 3)."""
    starts = range(0, len(samples), SAMPLES_A_ROW)
    return grid([list(samples[start : start + SAMPLES_A_ROW]) for start in starts])


def _caption(text: str, height: int) -> Pixels:
    """Text in the middle of a strip of a given height, as wide as it needs: (height, W, 3)."""
    font = ImageFont.load_default(_TEXT_SIZE)
    lines = textwrap.wrap(text, _LETTERS_A_LINE)[: height // _LINE_HEIGHT]
    width = max(int(font.getlength(line)) for line in lines) + 2 * _PADDING
    strip = Image.new("RGB", (width, height), _PAPER)
    draw = ImageDraw.Draw(strip)
    top = (height - len(lines) * _LINE_HEIGHT) // 2
    for number, line in enumerate(lines):
        draw.text((_PADDING, top + number * _LINE_HEIGHT), line, fill=_INK, font=font)
    return np.asarray(strip)
