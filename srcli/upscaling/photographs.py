"""Enlarging the faces in photographs: each to a file of its own, or within the photograph."""

import io
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from srcli.detection.mtcnn import Face, find_faces
from srcli.errors import ImageError, NoFaceError
from srcli.pictures.pixels import to_8_bits, to_pixels
from srcli.upscaling.bicubic import enlarge_rows
from srcli.upscaling.names import free_name
from srcli.upscaling.pictures import Picture, finish_rows
from srcli.upscaling.pixels import Pixels
from srcli.upscaling.plan import FacesMode, Job, OnExist
from srcli.upscaling.reading import read_picture
from srcli.upscaling.stages import Item, UpscaleOptions, noting_errors, prepare, write_item
from srcli.upscaling.tiles import check_size, enlarge_pixels

FRAME = 1 / 0.6
"""The side of the square about a face, in sizes of its box: what the bundled models were trained on."""
BLENDED = 0.15
"""The share of a square's side, at each edge, over which the face passes into the photograph."""
ROWS_AT_ONCE = 64

Window = tuple[slice, slice]
"""Rows and columns of a picture in pixels."""


@dataclass(frozen=True)
class FaceOptions:
    """What is done with the faces of photographs.

    Attributes:
        minimum: The size of the smallest face that is looked for, in pixels.
        on_exist: What is done with a face whose file is there already.
    """

    mode: FacesMode
    minimum: int
    on_exist: OnExist


@dataclass(frozen=True)
class _Pasted:
    """An enlarged face, its place in the photograph, and its weight there, (height, width, 1) in [0, 1]."""

    window: Window
    pixels: Pixels
    weight: NDArray[np.float32]


def upscale_photographs(
    jobs: Sequence[Job],
    options: UpscaleOptions,
    faces: FaceOptions,
    stdin: bytes,
    advance: Callable[[float], None],
) -> Generator[Item]:
    """Finds and enlarges the faces of photographs, and gives what was written or has failed.

    Calls `advance` with the shares of photographs that have just been done.
    """
    for job in jobs:
        item = Item(job)
        with noting_errors(item):
            picture = read_picture(job.source or io.BytesIO(stdin), job.name)
            found = _faces_in(picture, faces.minimum, job.name)
            on_face = partial(advance, 1 / len(found))
            if faces.mode is FacesMode.CROPS:
                for number, face in enumerate(found, 1):
                    yield _write_crop(job, number, face, picture, options, faces.on_exist)
                    on_face()
                continue
            item.faces = tuple(found)
            _write_pasted(item, picture, options, on_face)
        yield item


def _faces_in(picture: Picture, minimum: int, name: str) -> list[Face]:
    colour = picture.colour if picture.colour.dtype == np.uint8 else to_8_bits(picture.colour)
    found = find_faces(np.ascontiguousarray(np.broadcast_to(colour, (*colour.shape[:2], 3))), minimum)
    if not found:
        raise NoFaceError(
            f"{name}: no face of {minimum} pixels or more found",
            "Lower --minimum-face, or leave out --faces to enlarge the whole picture.",
        )
    return found


def _window_about(face: Face, shape: Sequence[int]) -> Window:
    """The square about a face, as far as it lies in the picture."""
    half, x, y = FRAME * face.size / 2, (face.left + face.right) / 2, (face.top + face.bottom) / 2
    rows = slice(max(round(y - half), 0), min(round(y + half), shape[0]))
    return rows, slice(max(round(x - half), 0), min(round(x + half), shape[1]))


def _write_crop(
    job: Job, number: int, face: Face, picture: Picture, options: UpscaleOptions, on_exist: OnExist
) -> Item:
    """Writes one face to a file of its own."""
    assert job.target is not None
    target = job.target.with_stem(f"{job.target.stem}-face{number}")
    item = Item(Job(job.source, target), faces=(face,))
    with noting_errors(item):
        if os.path.lexists(target):
            if on_exist is OnExist.SKIP:
                item.is_skipped = True
                return item
            if on_exist is OnExist.FAIL:
                raise ImageError(f"{target} already exists", "Choose --on-exist skip, overwrite or rename.")
            if on_exist is OnExist.RENAME:
                item.job = Job(job.source, free_name(target, os.path.lexists))
        window = _window_about(face, picture.colour.shape)
        alpha = None if picture.alpha is None else picture.alpha[window]
        crop = prepare(item, replace(picture, colour=picture.colour[window], alpha=alpha), options)
        enlarged = _enlarge(crop.colour, options, item.job.name)
        write_item(item, crop, [finish_rows(crop, enlarged, 0, options.scale, options.compare)], options)
    return item


def _write_pasted(item: Item, picture: Picture, options: UpscaleOptions, on_face: Callable[[], None]) -> None:
    """Writes the photograph, enlarged by a bicubic filter, with its faces enlarged by the network."""
    picture = prepare(item, picture, options)
    pasted = []
    for face in reversed(item.faces):  # of two that overlap, the larger one lies on top
        window = _window_about(face, picture.colour.shape)
        pixels = _enlarge(picture.colour[window], options, item.job.name)
        weight = _weight(window, picture.colour.shape, options.scale)
        pasted.append(_Pasted(window, pixels, weight))
        on_face()
    write_item(item, picture, _pasted_rows(picture, pasted, options), options)


def _enlarge(pixels: Pixels, options: UpscaleOptions, name: str) -> Pixels:
    generator = options.generator
    check_size(pixels.shape[1], pixels.shape[0], generator.description, name)
    return enlarge_pixels(np.ascontiguousarray(pixels), generator, consistent=options.consistent)


def _pasted_rows(picture: Picture, pasted: Sequence[_Pasted], options: UpscaleOptions) -> Iterator[Pixels]:
    """The output's rows, some at a time."""
    scale, height = options.scale, len(picture.colour)
    for start in range(0, height, ROWS_AT_ONCE):
        stop = min(start + ROWS_AT_ONCE, height)
        rows = enlarge_rows(picture.colour, start, stop, scale)
        for face in pasted:
            _paste(rows, start * scale, face, scale)
        yield finish_rows(picture, rows, start, scale, options.compare)


def _paste(rows: Pixels, first: int, face: _Pasted, scale: int) -> None:
    """Blends a face into rows of the output, of which `first` is the first."""
    (top, bottom), (left, right) = ((span.start * scale, span.stop * scale) for span in face.window)
    start, stop = max(top, first), min(bottom, first + len(rows))
    if start >= stop:
        return
    own = slice(start - top, stop - top)
    place = rows[start - first : stop - first, left:right]
    weight = face.weight[own]
    place[:] = to_pixels(weight * face.pixels[own] + (1 - weight) * place, place.dtype)


def _weight(window: Window, shape: Sequence[int], scale: int) -> NDArray[np.float32]:
    """1 within a face's square, falling to 0 at its edges, but for those that are the photograph's."""
    rows, columns = (_ramp(span, length, scale) for span, length in zip(window, shape[:2], strict=True))
    share = np.minimum(rows[:, None], columns[None, :])[..., None]
    smooth: NDArray[np.float32] = (share * share * (3 - 2 * share)).astype(np.float32)
    return smooth


def _ramp(span: slice, length: int, scale: int) -> NDArray[np.float64]:
    positions = np.arange((span.stop - span.start) * scale) + 0.5
    width = BLENDED * (span.stop - span.start) * scale
    from_start = np.ones_like(positions) if span.start == 0 else positions / width
    from_stop = np.ones_like(positions) if span.stop == length else positions[::-1] / width
    return np.clip(np.minimum(from_start, from_stop), 0, 1)
