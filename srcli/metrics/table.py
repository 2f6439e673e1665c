"""The table of metrics: what each is called, how it is printed, where good values lie, how it is measured."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from srcli.metrics import measures
from srcli.metrics.measures import Floats, PerImage


@dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes:
        key: Its name in logs, records and JSON.
        name: Its name for people.
        decimals: How many are worth printing.
        better: Where good values lie; None where no value is the best.
        definition: A phrase for the legend of a table.
        remark: Whole sentences on how to read it; may be empty.
        unit: Empty where it has none.
    """

    key: str
    name: str
    decimals: int
    better: Literal["higher", "lower"] | None
    definition: str
    remark: str = ""
    unit: str = ""

    @property
    def title(self) -> str:
        """The name with the unit, for the head of a column: `PSNR (dB)`."""
        return f"{self.name} ({self.unit})" if self.unit else self.name

    def number(self, value: float) -> str:
        """A value as it is printed, without its unit."""
        return f"{value:.{self.decimals}f}" if math.isfinite(value) else "∞"

    def phrase(self, value: float) -> str:
        """A value in a line of text: `PSNR 22.50 dB`."""
        return f"{self.name} {self.number(value)} {self.unit}".rstrip()


IMAGE_METRICS: Sequence[Metric] = (
    Metric(
        "psnr",
        "PSNR",
        2,
        "higher",
        "peak signal-to-noise ratio: how small the squared error is against the label",
        "3 dB more is half the error. It rewards the average of all faces that would fit the input, so blurry"
        " pictures do well.",
        "dB",
    ),
    Metric(
        "ssim",
        "SSIM",
        3,
        "higher",
        "structural similarity to the label; 1 is equal",
        "It compares brightness, contrast and pattern in small windows (Wang et al., 2004). Closer to what"
        " people see than PSNR, but it too prefers blur to wrong detail.",
    ),
    Metric("l1_high", "L1", 4, "lower", "mean absolute difference from the label, where black to white is 1"),
    Metric(
        "consistency",
        "consistency",
        4,
        "lower",
        "mean absolute difference, in [0, 1], of the output shrunk to the input's size from the input;"
        " 0 is best",
        "It says how closely the face keeps to what the input shows. The label's is not quite 0, because"
        " inputs are rounded to 8 bits.",
    ),
    Metric(
        "sharpness",
        "sharpness",
        2,
        None,
        "mean step between neighbouring pixels, over the label's",
        "Below 1 is softer than the label, above 1 is sharper or noisier. It has no best value: noise can be"
        " as sharp as a face.",
    ),
    Metric(
        "colour",
        "colour",
        4,
        "lower",
        "mean absolute difference of the mean red, green and blue from the label's, in [0, 1]",
    ),
)

IDENTITY = Metric(
    "identity",
    "identity",
    3,
    "lower",
    "euclidean distance of the output's face from the label's, as dlib's recognition network describes them;"
    " 0 is best",
    "dlib takes two pictures of faces less than 0.6 apart for one person's.",
)
"""Measured where it is asked for, by `metrics.identity`, which needs the extra of that name."""

SET_METRICS: Sequence[Metric] = (
    Metric(
        "diversity",
        "diversity",
        4,
        None,
        "root mean square difference of two faces, averaged over all pairs",
        "A good model's is about that of the test faces; a collapsed one's is small.",
    ),
    Metric(
        "duplicates",
        "duplicates",
        3,
        "lower",
        "share of outputs that have a near copy among the others",
        "A near copy differs by less than a quarter of the faces' contrast, or by too little to be seen.",
    ),
)

SPREAD = Metric("spread", "spread", 2, None, "mean distance of two outputs, over that of two test faces")
RECALL = Metric("recall", "recall", 2, "higher", "share of test faces that 1,000 samples from noise cover")

METRICS = {metric.key: metric for metric in (*IMAGE_METRICS, *SET_METRICS, SPREAD, RECALL)}
"""All metrics by key. Recall needs a space of features; `reproduction.coverage` measures it."""


def measure_images(enlarged: Floats, labels: Floats, low_res: Floats) -> dict[str, PerImage]:
    """All metrics of enlarged images in [0, 1] by key, one value an image."""
    return {
        "psnr": measures.psnr(enlarged, labels),
        "ssim": measures.ssim(enlarged, labels),
        "l1_high": measures.l1(enlarged, labels),
        "consistency": measures.consistency(enlarged, low_res),
        "sharpness": measures.sharpness(enlarged, labels),
        "colour": measures.colour_shift(enlarged, labels),
    }


def measure_set(images: Floats, labels: Floats | None = None) -> dict[str, float]:
    """All metrics of two or more images in [0, 1] by key; with two or more labels also the spread."""
    diversity = measures.diversity(images)
    values = {"diversity": diversity.mean_pairwise_distance, "duplicates": diversity.nearest_duplicate_rate}
    if labels is not None:
        of_labels = measures.diversity(labels).mean_pairwise_distance
        values[SPREAD.key] = diversity.mean_pairwise_distance / max(of_labels, 1 / 255)
    return values
