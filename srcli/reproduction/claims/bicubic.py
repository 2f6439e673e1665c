"""Claim 6: the networks' faces are better than bicubic interpolation."""

from collections.abc import Sequence
from typing import NamedTuple

from srcli.metrics.table import METRICS, Metric
from srcli.reproduction.claims.cells import (
    WASSERSTEIN,
    Baselines,
    Cell,
    faces_by_seed,
    in_parts,
    missing_findings,
)
from srcli.reproduction.claims.claim import NO_THRESHOLD, all_of, surely_above
from srcli.reproduction.claims.paired import difference_of, left_out, settled
from srcli.reproduction.claims.wording import counted
from srcli.reproduction.intervals import paired_differences
from srcli.reproduction.verdicts import Claim, Finding, Verdict

KEY = "bicubic"
STATEMENT = "The networks enlarge faces better than bicubic interpolation does (figure 1)."


class _Comparison(NamedTuple):
    """What is compared with what.

    Attributes:
        baseline: Its name among the baselines.
        rival: In words.
        decides: Whether the claim is judged by it.
    """

    metric: Metric
    baseline: str
    rival: str
    decides: bool


_PILLOW = _Comparison(METRICS["psnr"], "bicubic", "Pillow's bicubic", True)
_TENSORFLOW = _Comparison(METRICS["psnr"], "bicubic_tensorflow1", "TensorFlow 1's bicubic", False)
_COMPARISONS = (
    _PILLOW,
    _TENSORFLOW,
    _Comparison(METRICS["ssim"], "bicubic", "Pillow's bicubic", False),
    _Comparison(METRICS["ssim"], "bicubic_tensorflow1", "TensorFlow 1's bicubic", False),
)


def judge_bicubic(cells: Sequence[Cell], baselines: Baselines) -> Claim:
    """Judges each cell by PSNR against Pillow's bicubic, paired by face.

    The claim is about the Wasserstein cells of the grid: it holds where all of them are surely above, and
    does not where one is surely below. TensorFlow 1's bicubic, which the authors compared with, is shifted by
    3/8 of an input pixel and told beside, as is SSIM; so are the cells as the authors' code ran.
    """
    own = in_parts(cells, ("grid", "srez"))
    found = {
        comparison: {cell.name: _compare(cell, baselines, comparison) for cell in own if cell.finished}
        for comparison in _COMPARISONS
    }
    grid = [cell for cell in in_parts(own, ("grid",)) if cell.objective in WASSERSTEIN]
    verdict = all_of(
        found[_PILLOW][cell.name].verdict if cell.name in found[_PILLOW] else Verdict.UNDECIDED
        for cell in grid
    )
    findings = [
        *missing_findings(KEY, own),
        *(one for of_cells in found.values() for one in of_cells.values()),
    ]
    pillow, tensorflow = (
        [found[comparison][cell.name] for cell in grid if cell.finished]
        for comparison in (_PILLOW, _TENSORFLOW)
    )
    return Claim(KEY, STATEMENT, verdict, _sentence(pillow, tensorflow), tuple(findings))


def _compare(cell: Cell, baselines: Baselines, comparison: _Comparison) -> Finding:
    metric = comparison.metric
    ours = list(faces_by_seed(cell, metric.key).values())
    difference = difference_of(paired_differences(ours, baselines[comparison.baseline][metric.key]))
    assert difference is not None  # the cell has a finished run
    verdict = settled(surely_above(difference.estimate, 0), [cell])
    mean = difference.estimate.value
    return Finding(
        KEY,
        cell.name,
        f"{metric.name}, difference to {comparison.rival}" + (f", {metric.unit}" * bool(metric.unit)),
        difference.estimate,
        difference.interval,
        "above 0" if comparison.decides else NO_THRESHOLD,
        verdict,
        f"{metric.name} is {'above' if mean > 0 else 'below'} that of {comparison.rival}: difference"
        f" {difference.told(metric.decimals, metric.unit)}{left_out([cell])}.",
    )


def _sentence(pillow: Sequence[Finding], tensorflow: Sequence[Finding]) -> str:
    if not pillow:
        return "No Wasserstein run is done."
    return (
        f"Of {counted(len(pillow), 'Wasserstein cell')} with runs, {_counts(pillow, _PILLOW)}, and"
        f" {_counts(tensorflow, _TENSORFLOW)}; the latter, which is misaligned, is the one that the"
        f" authors compared with."
    )


def _counts(findings: Sequence[Finding], comparison: _Comparison) -> str:
    values = [finding.estimate.value for finding in findings if finding.estimate]
    verdicts = [finding.verdict for finding in findings]
    return (
        f"{verdicts.count(Verdict.HOLDS)} surely beat {comparison.rival} in PSNR and"
        f" {verdicts.count(Verdict.DOES_NOT_HOLD)} surely fall short of it (by cell {min(values):+.2f} to"
        f" {max(values):+.2f} dB)"
    )
