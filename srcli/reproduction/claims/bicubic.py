"""Claim 6: the networks' faces are better than bicubic interpolation."""

from collections.abc import Sequence
from itertools import product

from srcli.metrics.table import METRICS, Metric
from srcli.reproduction.cells import Cell
from srcli.reproduction.claims.figures import (
    difference_of,
    faces_by_seed,
    if_complete,
    in_parts,
    missing_findings,
    without_diverged,
)
from srcli.reproduction.intervals import paired_differences
from srcli.reproduction.records import Baselines
from srcli.reproduction.verdicts import NO_THRESHOLD, Claim, Finding, Verdict, all_of, surely_above
from srcli.reproduction.wording import WASSERSTEIN, counted

KEY = "bicubic"
STATEMENT = "The networks enlarge faces better than bicubic interpolation does (figure 1)."

_PILLOW, _TENSORFLOW = "bicubic", "bicubic_tensorflow1"
_RIVALS = {_PILLOW: "Pillow's bicubic", _TENSORFLOW: "TensorFlow 1's bicubic"}
_KEYS = ("psnr", "ssim")


def judge_bicubic(cells: Sequence[Cell], baselines: Baselines) -> Claim:
    """Judges each cell by PSNR against Pillow's bicubic, paired by face.

    The claim is about the Wasserstein cells of the grid: it holds if all of them are surely above, and does
    not if one is surely below. TensorFlow 1's bicubic, which the authors compared with and which is shifted
    by 3/8 of an input pixel, is reported too, as are SSIM and the cells as the authors' code ran.
    """
    own = in_parts(cells, "grid", "srez")
    found = {
        (key, rival): {
            cell.name: _compare(cell, baselines, METRICS[key], rival) for cell in own if cell.finished
        }
        for key, rival in product(_KEYS, _RIVALS)
    }
    grid = [cell.name for cell in in_parts(own, "grid") if cell.objective in WASSERSTEIN]
    pillow, tensorflow = (
        [found["psnr", rival][name] for name in grid if name in found["psnr", rival]] for rival in _RIVALS
    )
    unmeasured = [Verdict.UNDECIDED] * (len(grid) - len(pillow))
    verdict = all_of([*(finding.verdict for finding in pillow), *unmeasured])
    compared = [finding for of_cells in found.values() for finding in of_cells.values()]
    findings = (*missing_findings(KEY, own), *compared)
    return Claim(KEY, STATEMENT, verdict, _sentence(pillow, tensorflow), findings)


def _compare(cell: Cell, baselines: Baselines, metric: Metric, baseline: str) -> Finding:
    name, unit, rival = metric.name, metric.unit, _RIVALS[baseline]
    ours = list(faces_by_seed(cell, metric.key).values())
    difference = difference_of(paired_differences(ours, baselines[baseline][metric.key]))
    side = "above" if difference.estimate.value > 0 else "below"
    return Finding(
        claim=KEY,
        subject=cell.name,
        statistic=f"{name}, difference to {rival}" + (f", {unit}" if unit else ""),
        estimate=difference.estimate,
        interval=difference.interval,
        threshold="above 0" if (metric.key, baseline) == ("psnr", _PILLOW) else NO_THRESHOLD,
        verdict=if_complete(surely_above(difference.estimate, 0), [cell]),
        sentence=f"{name} is {side} that of {rival}: difference {difference.in_words(metric.decimals, unit)}"
        f"{without_diverged([cell])}.",
    )


def _sentence(pillow: Sequence[Finding], tensorflow: Sequence[Finding]) -> str:
    if not pillow:
        return "No Wasserstein run is done."
    return (
        f"Of {counted(len(pillow), 'Wasserstein cell')} with runs, {_counts(pillow, _PILLOW)}, and"
        f" {_counts(tensorflow, _TENSORFLOW)}; the latter, which is misaligned, is the one that the"
        f" authors compared with."
    )


def _counts(findings: Sequence[Finding], rival: str) -> str:
    values = [finding.estimate.value for finding in findings if finding.estimate]
    verdicts = [finding.verdict for finding in findings]
    return (
        f"{verdicts.count(Verdict.HOLDS)} surely beat {_RIVALS[rival]} in PSNR and"
        f" {verdicts.count(Verdict.DOES_NOT_HOLD)} surely fall short of it (by cell {min(values):+.2f} to"
        f" {max(values):+.2f} dB)"
    )
