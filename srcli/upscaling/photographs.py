"""Enlarging the faces in photographs: each to a file of its own, or within the photograph."""

import io
import os
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from srcli.detection.mtcnn import Face, find_faces
from srcli.errors import ImageError, NoFaceError
from srcli.pictures.pixels import to_8_bits, to_pixels
from srcli.upscaling.bicubic import enlarge_rows
from srcli.upscaling.names import free_name
from srcli.upscaling.pictures import Picture, finish_rows, fit_format, output_size, show_visible
from srcli.upscaling.pixels import Pixels
from srcli.upscaling.plan import FacesMode, Job, OnExist
from srcli.upscaling.reading import read_picture
from srcli.upscaling.stages import Item, UpscaleOptions, no_memory, write_item
from srcli.upscaling.tiles import check_size, enlarge_pixels

FRAME = 1 / 0.6
"""The side of the square about a face, in sizes of its box: what the bundled models were trained on."""
BLENDED = 0.15
"""The share of a square's side, at each edge, over which the face passes into the photograph."""
ROWS_AT_ONCE = 64

Number = TypeVar("Number", bound=np.generic)


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
class _Window:
    """A part of a picture: rows and columns in pixels."""

    top: int
    bottom: int
    left: int
    right: int

    def of(self, pixels: NDArray[Number]) -> NDArray[Number]:
        """Its pixels (h, w, ...), a view."""
        return pixels[self.top : self.bottom, self.left : self.right]


@dataclass(frozen=True)
class _Pasted:
    """An enlarged face, its place in the photograph, and its weight there, (height, width, 1) in [0, 1]."""

    window: _Window
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

    Args:
        advance: Called with the shares of photographs that have just been done.
    """
    for job in jobs:
        item = Item(job, time.perf_counter())
        try:
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
        except ImageError as error:
            item.error = error
        except MemoryError:
            item.error = no_memory(job)
        item.seconds = time.perf_counter() - item.started
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


def _window_about(face: Face, shape: Sequence[int]) -> _Window:
    """The square about a face, as far as it lies in the picture."""
    side = FRAME * face.size
    x, y = (face.left + face.right) / 2, (face.top + face.bottom) / 2
    return _Window(
        max(round(y - side / 2), 0),
        min(round(y + side / 2), shape[0]),
        max(round(x - side / 2), 0),
        min(round(x + side / 2), shape[1]),
    )


def _write_crop(
    job: Job, number: int, face: Face, picture: Picture, options: UpscaleOptions, on_exist: OnExist
) -> Item:
    """Writes one face to a file of its own."""
    assert job.target is not None
    target = job.target.with_stem(f"{job.target.stem}-face{number}")
    item = Item(Job(job.source, target), time.perf_counter(), faces=(face,))
    try:
        if os.path.lexists(target):
            if on_exist is OnExist.SKIP:
                item.is_skipped = True
                return item
            if on_exist is OnExist.FAIL:
                raise ImageError(f"{target} already exists", "Choose --on-exist skip, overwrite or rename.")
            if on_exist is OnExist.RENAME:
                item.job = Job(job.source, free_name(target, os.path.lexists))
        window = _window_about(face, picture.colour.shape)
        alpha = None if picture.alpha is None else window.of(picture.alpha)
        _enlarge_whole(item, replace(picture, colour=window.of(picture.colour), alpha=alpha), options)
    except ImageError as error:
        item.error = error
    item.seconds = time.perf_counter() - item.started
    return item


def _enlarge_whole(item: Item, picture: Picture, options: UpscaleOptions) -> None:
    """Enlarges a small picture at once and writes it."""
    picture = _prepare(item, picture, options)
    enlarged = _enlarge(picture.colour, options, item.job.name)
    write_item(item, picture, [finish_rows(picture, enlarged, 0, options.scale, options.compare)], options)


def _write_pasted(item: Item, picture: Picture, options: UpscaleOptions, on_face: Callable[[], None]) -> None:
    """Writes the photograph, enlarged by a bicubic filter, with its faces enlarged by the network."""
    picture = _prepare(item, picture, options)
    pasted = []
    for face in reversed(item.faces):  # of two that overlap, the larger one lies on top
        window = _window_about(face, picture.colour.shape)
        pixels = _enlarge(window.of(picture.colour), options, item.job.name)
        weight = _weight(window, picture.colour.shape, options.scale)
        pasted.append(_Pasted(window, pixels, weight))
        on_face()
    write_item(item, picture, _pasted_rows(picture, pasted, options), options)


def _prepare(item: Item, picture: Picture, options: UpscaleOptions) -> Picture:
    height, width = picture.colour.shape[:2]
    item.in_size = width, height
    item.out_size = output_size(picture, options.scale, options.compare)
    item.remarks = picture.remarks
    return show_visible(fit_format(picture, item.job.format, item.out_size, item.job.name))


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
    window = face.window
    top, bottom = max(window.top * scale, first), min(window.bottom * scale, first + len(rows))
    if top >= bottom:
        return
    own = slice(top - window.top * scale, bottom - window.top * scale)
    place = rows[top - first : bottom - first, window.left * scale : window.right * scale]
    weight = face.weight[own]
    place[:] = to_pixels(weight * face.pixels[own] + (1 - weight) * place, place.dtype)


def _weight(window: _Window, shape: Sequence[int], scale: int) -> NDArray[np.float32]:
    """1 within a face's square, falling to 0 at its edges, but for those that are the photograph's."""
    rows = _ramp(window.top, window.bottom, shape[0], scale)
    columns = _ramp(window.left, window.right, shape[1], scale)
    share = np.minimum(rows[:, None], columns[None, :])[..., None]
    smooth: NDArray[np.float32] = (share * share * (3 - 2 * share)).astype(np.float32)
    return smooth


def _ramp(start: int, stop: int, length: int, scale: int) -> NDArray[np.float64]:
    positions = np.arange((stop - start) * scale) + 0.5
    width = BLENDED * (stop - start) * scale
    from_start = np.ones_like(positions) if start == 0 else positions / width
    from_stop = np.ones_like(positions) if stop == length else positions[::-1] / width
    return np.clip(np.minimum(from_start, from_stop), 0, 1)
