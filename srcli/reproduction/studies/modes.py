"""Whether generators cover all modes of what they imitate, under the three objectives.

Arjovsky, Chintala & Bottou 2017, section 4.3: no mode collapse was seen under the Wasserstein objective. The
distributions and the measures are the customary ones: see `shapes`.
"""

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import Annotated, Any, ClassVar, Literal

from matplotlib.figure import Figure
from pydantic import Field

from srcli.reproduction.intervals import student_interval
from srcli.reproduction.studies.figures import modes_figure
from srcli.reproduction.studies.networks import random_source
from srcli.reproduction.studies.settings import Bound, Count, Methods, Settings
from srcli.reproduction.studies.shapes import SHAPES, Shape, ShapeName
from srcli.reproduction.studies.study import Result, Row, Table, finding
from srcli.reproduction.studies.training import PairStudy
from srcli.reproduction.studies.transport import exact_em
from srcli.reproduction.verdicts import Finding
from srcli.reproduction.wording import WASSERSTEIN

SHOWN = 400
"""Samples per case that are kept for the figure."""


class ModesThresholds(Settings):
    """What has to be measured for the claims to hold; shares are of a shape's modes or parts."""

    covered: Bound = Field(description="share of modes that a Wasserstein generator covers")
    gan_covered: Bound = Field(description="share of modes that a GAN generator covers")
    quality: Bound = Field(description="share of good samples, Wasserstein minus GAN, of the same seed")


class ModesStudy(PairStudy):
    """One generator per shape and objective, with equal networks and updates."""

    study: Literal["modes"]
    shapes: Annotated[tuple[ShapeName, ...], Field(min_length=1, strict=False)]
    methods: Methods
    transport_points: Count = Field(description="samples of generator and data between which EM is taken")
    thresholds: ModesThresholds

    title = "Mode coverage"
    claims: ClassVar[Mapping[str, str]] = {
        "wgan.modes.no-collapse": "Generators trained with the Wasserstein objective do not lose modes of the"
        " data (section 4.3).",
        "wgan.modes.gan-collapse": "Generators of the same kind trained as a GAN lose modes (section 4.3,"
        " figure 7).",
        "wgan.modes.quality": "Samples of Wasserstein generators are as good as those of GANs (section 4.3).",
    }
    caption = (
        "Samples of generators trained with each objective (colour) over samples of the data (grey), first"
        " seed. Above each: how many modes, or pieces of the roll, are covered, and the share of samples"
        " within three deviations."
    )

    def run(self, seed: int) -> dict[str, Any]:
        """Coverage, quality and exact EM to the data, by shape and objective."""
        cases: dict[str, Any] = {}
        for number, name in enumerate(self.shapes):
            shape = SHAPES[name]()
            cases[name] = {"data_em": self._data_em(shape, seed, number)}
            for place, (objective, method) in enumerate(self.methods.by_name().items()):
                random = random_source(seed, number, place)
                _, samples, coverage = self.train_pair(method, shape, random)
                data = shape.sample(self.transport_points, random)
                cases[name][objective] = {
                    **coverage,
                    "em": exact_em(samples[: self.transport_points], data),
                    "samples": [[round(v, 3) for v in point] for point in samples[:SHOWN].tolist()],
                }
        return {"seed": seed, "shapes": cases}

    def _data_em(self, shape: Shape, seed: int, number: int) -> float:
        """Exact EM between two samples of the data, which a perfect generator would have."""
        random = random_source(seed, number, 99)
        return exact_em(*(shape.sample(self.transport_points, random) for _ in range(2)))

    def summarize(self, results: Sequence[Result]) -> Iterator[Finding]:
        """Whether modes are lost, by shape and objective, and how samples compare with the GAN's."""
        for name in self.shapes:
            for objective in WASSERSTEIN:
                yield self._covered(results, name, "wgan.modes.no-collapse", objective)
            yield self._covered(results, name, "wgan.modes.gan-collapse", "gan")
            for objective in WASSERSTEIN:
                yield self._quality(results, name, objective)

    def _covered(self, results: Sequence[Result], name: ShapeName, claim: str, objective: str) -> Finding:
        shape = SHAPES[name]()
        counts = [r["shapes"][name][objective]["covered"] for r in results]
        whole = sum(count == shape.parts for count in counts)
        return finding(
            claim,
            f"{shape.title}, {objective}",
            f"share of the {shape.parts} modes or parts with at least {self.enough} of {self.samples:,}"
            f" samples within {self.within:g} deviations",
            student_interval([count / shape.parts for count in counts]),
            self.thresholds.gan_covered if objective == "gan" else self.thresholds.covered,
            f"{objective} covers {sum(counts) / len(counts):.1f} of {shape.parts} on average, and all of them"
            f" in {whole} of {len(counts)} seeds.",
        )

    def _quality(self, results: Sequence[Result], name: ShapeName, objective: str) -> Finding:
        shares = [[r["shapes"][name][key]["good_share"] for r in results] for key in (objective, "gan")]
        more = student_interval([own - other for own, other in zip(*shares, strict=True)])
        own, other = (sum(share) / len(share) for share in shares)
        title = SHAPES[name]().title
        return finding(
            "wgan.modes.quality",
            f"{title}, {objective}",
            f"share of samples within {self.within:g} deviations, minus the GAN's of the same seed",
            more,
            self.thresholds.quality,
            f"{own:.0%} of the {objective} generator's samples lie on the {title}, and {other:.0%} of the"
            " GAN's.",
        )

    def table(self, results: Sequence[Result]) -> Table:
        """One row a shape and objective: means over seeds."""
        rows: list[Row] = []
        for name in self.shapes:
            shape = SHAPES[name]()
            for objective in self.methods.by_name():
                cases = [r["shapes"][name][objective] for r in results]
                rows.append(
                    {
                        "data": shape.title,
                        "objective": objective,
                        "modes or parts covered (mean)": fmean([case["covered"] for case in cases]),
                        "of": shape.parts,
                        "seeds that cover all": sum(case["covered"] == shape.parts for case in cases),
                        "share of good samples (mean)": fmean([case["good_share"] for case in cases]),
                        "exact EM to the data (mean)": fmean([case["em"] for case in cases]),
                        "exact EM between two samples of the data (mean)": fmean(
                            [r["shapes"][name]["data_em"] for r in results]
                        ),
                    }
                )
        return Table(f"Mode coverage after {self.steps:,} generator updates", rows)

    def figure(self, results: Sequence[Result]) -> Figure:
        """The figure that the caption describes."""
        return modes_figure(self.shapes, list(self.methods.by_name()), results[0])
