"""How faces lie in their pictures: all that is known of a layout is its record in `LAYOUTS`."""

from collections.abc import Iterable
from dataclasses import dataclass

Box = tuple[int, int, int, int]

AUTO = "auto"
"""The name that leaves the choice to `recognise`."""


@dataclass(frozen=True)
class Layout:
    """Which part of a picture is stored as a face, and how it is reduced.

    Attributes:
        name: As `--layout` and `dataset.json` call it.
        help: The part that is stored, for people to read.
        picture_size: Width and height of all its pictures, by which they are recognised; None for any.
        window: Left, top, right and bottom of the part; None for the largest centred square.
        factor: The window is reduced by exact means of so many by so many pixels; None to reduce it to the
            size that is asked for, by Pillow's box filter.
        test_numbers: Pictures that are named by these numbers always go to the test split.
    """

    name: str
    help: str
    picture_size: tuple[int, int] | None = None
    window: Box | None = None
    factor: int | None = None
    test_numbers: frozenset[int] = frozenset()

    @property
    def stored_size(self) -> int | None:
        """The one side that its stored faces have; None for any."""
        return (self.window[2] - self.window[0]) // self.factor if self.window and self.factor else None

    def box(self, width: int, height: int) -> Box:
        """The window in a picture of this size."""
        if self.window is not None:
            return self.window
        side = min(width, height)
        left, top = (width - side) // 2, (height - side) // 2
        return left, top, left + side, top + side


CELEBA = Layout(
    "celeba",
    "the paper's window of 178x218 pictures",
    picture_size=(178, 218),
    window=(17, 52, 161, 196),  # the paper's box (25, 60, 153, 188) with its jitter of 8 on every side
    factor=2,
    # CelebA's numbers of the paper's test images (`pick_test_images.py` of its authors' code).
    test_numbers=frozenset((
        73883, 110251, 132301, 57264, 152931, 93861, 124938, 79512,
        106152, 127384, 134028, 67874, 10613, 36510, 198694, 100990,
    )),
)  # fmt: skip

FACES = Layout("faces", "the largest centred square")

LAYOUTS = {layout.name: layout for layout in (CELEBA, FACES)}
"""The layouts by name; `FACES` takes the pictures that are none of the others'."""


def recognise(sizes: Iterable[tuple[int, int]]) -> Layout:
    """The layout whose pictures have the first of these sizes; `FACES` where there is none."""
    size = next(iter(sizes), None)
    return next((layout for layout in LAYOUTS.values() if size and layout.picture_size == size), FACES)


def describe_layouts() -> str:
    """The layouts on one line, for --help."""
    return "; ".join(f"{layout.name}: {layout.help}" for layout in LAYOUTS.values()) + "."


def describe_sizes() -> str:
    """The layouts that have one size alone, for --help."""
    fixed = (layout for layout in LAYOUTS.values() if layout.stored_size)
    return "; ".join(f"the {layout.name} layout has {layout.stored_size} alone" for layout in fixed) + "."
