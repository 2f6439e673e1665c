"""Made-up records of runs, and their verdicts."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srcli.experiment.loading import load_experiment
from srcli.experiment.schema import Experiment
from srcli.reproduction.cells import Cell
from srcli.reproduction.claims import Claim
from srcli.reproduction.plan import BatchNorm, Claims, Collapse, Follows, Gamma, Stable
from srcli.reproduction.records import RunRecord
from srcli.reproduction.verdicts import Finding

Values = NDArray[np.float64]
PRESETS = Path(__file__).parents[2] / "presets"

FACES, STEPS, EVERY = 60, 1000, 20
EVALUATIONS = STEPS // EVERY
HARD = np.random.default_rng(5).normal(0, 1.5, FACES)  # what makes a face hard for all
BASELINES = {
    "nearest": {"psnr": 21.5 + HARD, "ssim": 0.6 + 0 * HARD},
    "bicubic": {"psnr": 22.5 + HARD, "ssim": 0.7 + 0 * HARD},
    "bicubic_tensorflow1": {"psnr": 19.0 + HARD, "ssim": 0.5 + 0 * HARD},
}
FOLLOWS = Follows(burn_in=200, weak=0.3)
STABLE = Stable(below_nearest=2.0, least_spread=0.5, most_duplicates=0.1)
COLLAPSE = Collapse(most_duplicates=0.1, least_recall=0.2)
THRESHOLDS = Claims(
    follows=FOLLOWS,
    stable=STABLE,
    collapse=COLLAPSE,
    batch_norm=BatchNorm(most_loss=1.0),
    gamma=Gamma(present=0.1),
)


def made_run(
    cell: str,
    seed: int = 0,
    part: str = "grid",
    *,
    psnr: Mapping[str, float] | None = None,
    spread: float = 0.9,
    duplicates: float = 0.0,
    colour: float = 0.01,
    gamma: float = 0.9,
    diverged: bool = False,
    evaluations: Mapping[str, Values] | None = None,
    steps: Mapping[str, Values] | None = None,
) -> RunRecord:
    """A run of 1,000 steps; its objective is in the name of the cell, `psnr` that of its last outputs."""
    objective = experiment_of(cell).objective.name
    random = np.random.default_rng([seed, *cell.encode()])
    kinds = {} if diverged else (psnr or {"running": 22.0})
    faces = {f"psnr_{kind}": value + HARD + random.normal(0, 0.1, FACES) for kind, value in kinds.items()}
    faces |= {f"ssim_{kind}": np.full(FACES, 0.65) for kind in kinds}
    faces |= {f"colour_{kind}": colour + random.normal(0, 0.0005, FACES) for kind in kinds}
    figures = {name: float(values.mean()) for name, values in faces.items()}
    figures |= {f"spread_{kind}": spread for kind in kinds} | {
        f"duplicates_{kind}": duplicates for kind in kinds
    }
    every = {"step": np.arange(EVERY, STEPS + 1, EVERY, dtype=np.float64)}
    flat = {"psnr": np.full(EVALUATIONS, 22.0), "consistency": np.full(EVALUATIONS, 0.02)}
    noise = {"wasserstein": random.normal(size=STEPS), "critic_loss": random.normal(size=STEPS)}
    return RunRecord(
        cell=cell,
        part=part,
        figures_of_paper="",
        preset=cell,
        seed=seed,
        status="diverged" if diverged else "finished",
        reason="a loss is not finite" if diverged else "",
        step=STEPS,
        seconds=1.0,
        experiment={"objective": {"name": objective, "gamma": gamma}},
        made={},
        critic_updates=STEPS,
        epochs=1.0,
        figures=figures,
        faces=faces,
        steps={"step": np.arange(1.0, STEPS + 1)} | noise | (steps or {}),
        evaluations=every | flat | (evaluations or {}),
    )


@cache
def experiment_of(cell: str, gamma: float = 0.9) -> Experiment:
    """An experiment with the objective that is in the name of a cell."""
    objective = next(word for word in ("wgangp", "wgan", "gan") if word in cell.split("-"))
    return load_experiment(PRESETS / f"mlp-{objective}.yaml", [f"objective.gamma={gamma}"])


def cells_of(records: Sequence[RunRecord], planned: Mapping[str, int] | None = None) -> list[Cell]:
    """The cells of some records, and of the grid as many seeds as are planned."""
    by_cell: dict[str, list[RunRecord]] = {name: [] for name in planned or {}}
    for record in records:
        by_cell.setdefault(record.cell, []).append(record)
    return [
        Cell(
            name,
            own[0].part if own else "grid",
            "",
            experiment_of(name, own[0].experiment["objective"]["gamma"] if own else 0.9),
            tuple(range((planned or {}).get(name, len(own)))),
            tuple(own),
        )
        for name, own in by_cell.items()
    ]


def noise_run(cell: str, seed: int, duplicates: float, recall: float) -> RunRecord:
    run = made_run(cell, seed, "noise")
    figures = {
        "duplicates_running": 0.9,  # worse than with batch statistics, in every run
        "recall_running": 0.0,
        "duplicates_batch": duplicates,
        "recall_batch": recall,
    }
    return RunRecord(**{**run.__dict__, "figures": figures, "faces": {}})


def three(cell: str, **settings: Any) -> list[RunRecord]:
    return [made_run(cell, seed, **settings) for seed in range(3)]


def about(claim: Claim, subject: str, statistic: str = "") -> Finding:
    found = [one for one in claim.findings if one.subject == subject and statistic in one.statistic]
    assert found, f"no finding of {subject} and {statistic}"
    return found[0]
