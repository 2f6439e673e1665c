"""The test faces' inputs degraded in one known way, for `compare --degrade`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from srcli.data.degradation import Blur, Compression, Degradation, Kernel, Noise, Reduction, degrade
from srcli.errors import UserError
from srcli.pictures.pixels import Pixels

_NOISE_SEED = 0

_RANGES: Mapping[str, tuple[float, float, str]] = {
    "jpeg": (1, 100, "quality"),
    "noise": (0, 255, "sigma of 255"),
    "blur": (0.05, 4, "sigma in pixels of the input"),
}
_KERNELS: Sequence[Kernel] = ("bicubic", "bilinear", "lanczos")
_CHOICES = "Give {}, or kernel:{}.".format(
    ", ".join(f"{name}:{least:g}..{most:g} ({unit})" for name, (least, most, unit) in _RANGES.items()),
    "|".join(_KERNELS),
)


@dataclass(frozen=True)
class InputDegradation:
    """One way to degrade inputs.

    Attributes:
        name: As a person gives it, `jpeg:75`.
        meaning: What it does, for a report.
        degradation: Its blur is in pixels of the input.
    """

    name: str
    meaning: str
    degradation: Degradation

    def apply(self, labels: Pixels, scale: int) -> Pixels:
        """The inputs (N, H / scale, H / scale, 3) of labels; face `i` gets the same noise in any set."""
        blur = self.degradation.blur and Blur(scale * self.degradation.blur.sigma)
        degradation = replace(self.degradation, blur=blur)
        randoms = [np.random.default_rng((_NOISE_SEED, face)) for face in range(len(labels))]
        pairs, side = zip(labels, randoms, strict=True), labels.shape[1] // scale
        return np.stack([degrade(label, side, degradation, random) for label, random in pairs])


def parse_degradation(text: str) -> InputDegradation:
    """What `KIND:VALUE` says.

    Raises:
        UserError: There is no such kind, or its value is none.
    """
    name, _, value = text.partition(":")
    for kernel in _KERNELS:
        if text == f"kernel:{kernel}":
            meaning = f"the label reduced by Pillow's {kernel} resize instead of the area average"
            return InputDegradation(text, meaning, Degradation(reduction=Reduction(kernel)))
    least, most, _unit = _RANGES.get(name, (1, 0, ""))
    try:
        number = float(value)
    except ValueError:
        number = float("nan")  # lies in no range
    if not least <= number <= most or (name == "jpeg" and number % 1):
        raise UserError(f"--degrade {text} is no degradation", _CHOICES)
    shown = f"{number:g}"
    match name:
        case "jpeg":
            details = "colours at half the resolution (4:2:0), blocks beginning at the corner"
            meaning = f"JPEG of quality {shown}, {details}"
            degradation = Degradation(compression=Compression(int(number)))
        case "noise":
            meaning = f"Gaussian noise of sigma {shown} of 255 levels, each colour apart"
            degradation = Degradation(noise=Noise(number))
        case _:
            sigma = f"{shown} pixels of the input"
            meaning = f"the label blurred by a Gaussian of sigma {sigma} before it was reduced"
            degradation = Degradation(blur=Blur(number))
    return InputDegradation(f"{name}:{shown}", meaning, degradation)
