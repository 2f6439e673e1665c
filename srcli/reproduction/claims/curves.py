"""The critic's loss and the quality at the evaluations of a run."""

from dataclasses import dataclass

import numpy as np

from srcli.reproduction.records import Columns, RunRecord, Series
from srcli.reproduction.series import block_means
from srcli.reproduction.wording import WASSERSTEIN

STEPS_PER_MEAN = 100
FEWEST_EVALUATIONS = 3


@dataclass(frozen=True)
class Pair:
    """A loss and a quality at the same evaluations (N,), both signed so that more should mean better.

    `better` is what should go with better quality, as in "smaller |W| in training".
    """

    loss_name: str
    quality_name: str
    better: str
    loss: Series
    quality: Series


def pairs_of(run: RunRecord, burn_in: int) -> list[Pair]:
    """The critic's losses with PSNR and consistency at all evaluations after `burn_in` steps.

    The first pair decides: |W| in training, or a GAN's critic loss, with PSNR. |W| is the absolute mean of
    the Wasserstein estimate since the previous evaluation. Quality is measured with batch statistics where
    they were evaluated, as a critic is trained on such outputs. Evaluations that lack one of the two values
    are left out; a run with fewer than three others has no pairs.
    """
    late = run.evaluations.get("step", np.empty(0)) > burn_in
    if late.sum() < FEWEST_EVALUATIONS:
        return []
    pairs = []
    for loss_name, better, loss in _losses(run):
        for quality_name, quality in _qualities(run.evaluations):
            rows = late & np.isfinite(loss) & np.isfinite(quality)
            pairs.append(Pair(loss_name, quality_name, better, loss[rows], quality[rows]))
    return [pair for pair in pairs if len(pair.loss) >= FEWEST_EVALUATIONS]


def course_of_loss(run: RunRecord, burn_in: int) -> Series:
    """100-step means after the burn-in: |W|, or the critic loss of a GAN."""
    late = run.steps["step"] > burn_in
    if run.objective in WASSERSTEIN:
        return np.abs(block_means(run.steps["wasserstein"][late], STEPS_PER_MEAN))
    return block_means(run.steps["critic_loss"][late], STEPS_PER_MEAN)


def means_between(steps: Series, values: Series, ends: Series) -> Series:
    """The mean of the values after the previous end up to each end (ends,); NaN where there is none."""
    starts = np.concatenate([[0.0], ends[:-1]])
    known = np.isfinite(values)
    spans = [known & (steps > start) & (steps <= end) for start, end in zip(starts, ends, strict=True)]
    return np.array([values[span].mean() if span.any() else np.nan for span in spans])


def _losses(run: RunRecord) -> list[tuple[str, str, Series]]:
    """Name, what should be better, and values at all evaluations, signed so that more is better."""
    ends = run.evaluations["step"]
    training = -np.abs(means_between(run.steps["step"], run.steps["wasserstein"], ends))
    losses = [("|W| in training", "smaller |W| in training", training)]
    if "wasserstein_test" in run.evaluations:
        held_out = -np.abs(run.evaluations["wasserstein_test"])
        losses.append(("|W| on held-out faces", "smaller |W| on held-out faces", held_out))
    if run.objective in WASSERSTEIN:
        return losses
    critic_loss = means_between(run.steps["step"], run.steps["critic_loss"], ends)
    return [("the critic loss", "a larger critic loss", critic_loss), *losses]


def _qualities(evaluations: Columns) -> list[tuple[str, Series]]:
    found = [("PSNR", 1, "psnr"), ("consistency with the input", -1, "consistency")]  # the latter is an error
    return [
        (title, sign * evaluations.get(f"{name}_batch", evaluations[name])) for title, sign, name in found
    ]
