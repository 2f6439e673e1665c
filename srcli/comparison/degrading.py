"""The test faces' inputs degraded in one known way, for `compare --degrade`."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from srcli.data.degradation import Blur, Compression, Degradation, Noise, Reduction, degrade
from srcli.errors import UserError
from srcli.pictures.pixels import Pixels

_NOISE_SEED = 0


@dataclass(frozen=True)
class InputDegradation:
    """One way to degrade inputs.

    Attributes:
        name: As a person gives it, `jpeg:75`.
        meaning: What it does, for a report.
        of_scale: What is done to labels that are so many times larger than inputs.
    """

    name: str
    meaning: str
    of_scale: Callable[[int], Degradation]

    def apply(self, labels: Pixels, scale: int) -> Pixels:
        """The inputs (N, H / scale, H / scale, 3) of labels; face `i` gets the same noise in any set."""
        side, degradation = labels.shape[1] // scale, self.of_scale(scale)
        small = [
            degrade(label, side, degradation, np.random.default_rng((_NOISE_SEED, face)))
            for face, label in enumerate(labels)
        ]
        return np.stack(small)


@dataclass(frozen=True)
class _Kind:
    """A kind whose value is a number within `least` and `most`."""

    unit: str
    least: float
    most: float
    is_whole: bool
    meaning: str
    make: Callable[[float, int], Degradation]


_KINDS = {
    "jpeg": _Kind(
        "quality",
        1,
        100,
        True,
        "JPEG of quality {}, colours at half the resolution (4:2:0), blocks beginning at the corner",
        lambda quality, _: Degradation(compression=Compression(int(quality))),
    ),
    "noise": _Kind(
        "sigma of 255",
        0,
        255,
        False,
        "Gaussian noise of sigma {} of 255 levels, each colour apart",
        lambda sigma, _: Degradation(noise=Noise(sigma)),
    ),
    "blur": _Kind(
        "sigma in pixels of the input",
        0.05,
        4,
        False,
        "the label blurred by a Gaussian of sigma {} pixels of the input before it was reduced",
        lambda sigma, scale: Degradation(blur=Blur(scale * sigma)),
    ),
}
_KERNELS = {
    "bicubic": Degradation(reduction=Reduction("bicubic")),
    "bilinear": Degradation(reduction=Reduction("bilinear")),
    "lanczos": Degradation(reduction=Reduction("lanczos")),
}
_CHOICES = "Give {}, or kernel:{}.".format(
    ", ".join(f"{name}:{kind.least:g}..{kind.most:g} ({kind.unit})" for name, kind in _KINDS.items()),
    "|".join(_KERNELS),
)


def parse_degradation(text: str) -> InputDegradation:
    """What `KIND:VALUE` says.

    Raises:
        UserError: There is no such kind, or its value is none.
    """
    name, _, value = text.partition(":")
    if name == "kernel" and value in _KERNELS:
        meaning = f"the label reduced by Pillow's {value} resize instead of the area average"
        return InputDegradation(text, meaning, lambda _: _KERNELS[value])
    kind = _KINDS.get(name)
    number = _number(value)
    if kind is None or not kind.least <= number <= kind.most or (kind.is_whole and number % 1):
        raise UserError(f"--degrade {text} is no degradation", _CHOICES)
    shown = f"{number:g}"
    return InputDegradation(f"{name}:{shown}", kind.meaning.format(shown), partial(kind.make, number))


def _number(text: str) -> float:
    """The number, or NaN, which lies in no range."""
    try:
        return float(text)
    except ValueError:
        return float("nan")
