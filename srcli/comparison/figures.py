"""The figures that enlarged faces are compared by: what each is, and its mean over many faces."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from srcli.metrics import measures
from srcli.metrics.measures import Figures, Floats


@dataclass(frozen=True)
class Figure:
    """One figure per face.

    Attributes:
        key: Its name in files.
        title: Its name for people, with its unit.
        decimals: How many are worth printing.
        better: Where good values lie; None where they lie nowhere, so that none is the best.
        meaning: Two or three sentences for a report.
        measure: From enlarged faces, labels (N, 64, 64, 3) and inputs (N, 16, 16, 3) in [0, 1] to (N,).
    """

    key: str
    title: str
    decimals: int
    better: Literal["higher", "lower"] | None
    meaning: str
    measure: Callable[[Floats, Floats, Floats], Figures]


@dataclass(frozen=True)
class Estimate:
    """The mean of a figure over faces, and the 95 % bootstrap interval of that mean."""

    mean: float
    low: float
    high: float


FIGURES: Sequence[Figure] = (
    Figure(
        "psnr",
        "PSNR (dB)",
        2,
        "higher",
        "Peak signal-to-noise ratio: how small the squared error is against the label; 3 dB more is half of"
        " it. It rewards the average of all faces that would fit the input, so blurry pictures do well.",
        lambda enlarged, labels, _: measures.psnr(enlarged, labels),
    ),
    Figure(
        "ssim",
        "SSIM",
        3,
        "higher",
        "Structural similarity (Wang et al., 2004): how alike brightness, contrast and pattern are in small"
        " windows; 1 is equal. Nearer to what people see than PSNR, but it too prefers blur to wrong detail.",
        lambda enlarged, labels, _: measures.ssim(enlarged, labels),
    ),
    Figure(
        "l1",
        "L1",
        4,
        "lower",
        "Mean absolute difference from the label, where black to white is 1.",
        lambda enlarged, labels, _: measures.l1(enlarged, labels),
    ),
    Figure(
        "consistency",
        "consistency",
        4,
        "lower",
        "Mean absolute difference between the input and the enlarged face shrunk to its size: how far the"
        " face keeps to what the input shows. The label's is not quite 0: inputs are rounded to 8 bits.",
        lambda enlarged, _, low_res: measures.consistency(enlarged, low_res),
    ),
    Figure(
        "sharpness",
        "sharpness",
        3,
        None,
        "Mean step between neighbouring pixels, over the label's, whose own is 1: below 1 is softer than the"
        " label, above 1 is sharper or noisier. It has no best value: noise can be as sharp as a face.",
        lambda enlarged, labels, _: measures.sharpness(enlarged, labels),
    ),
)


def measure(enlarged: Floats, labels: Floats, low_res: Floats) -> dict[str, Figures]:
    """All figures of faces in [0, 1], by key, one value a face."""
    return {figure.key: figure.measure(enlarged, labels, low_res) for figure in FIGURES}


def estimate(values: Figures) -> Estimate:
    """The mean of one value a face, with its interval; infinite where a value is."""
    return Estimate(float(np.mean(values)), *measures.bootstrap_interval(values))
