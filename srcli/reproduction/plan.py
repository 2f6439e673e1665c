"""A campaign's plan: which experiments are run how often, and the thresholds by which claims are judged."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from srcli.data.task import PAPER
from srcli.errors import ExperimentError
from srcli.experiment.loading import as_overrides, load_experiment
from srcli.experiment.mistakes import validate
from srcli.experiment.presets import plan_path, preset_path
from srcli.experiment.schema import Experiment
from srcli.experiment.yaml_text import read_file
from srcli.reproduction.studies import StudySettings
from srcli.reproduction.studies.settings import Settings

_Share = Annotated[float, Field(ge=0, le=1)]
_Text = Annotated[str, Field(max_length=300)]
_Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$")]
_Setting = Annotated[str, Field(pattern=r"^[a-z_0-9]+(\.[a-z_0-9]+)+$")]


class Follows(Settings):
    """Whether the critic's loss follows quality: Spearman's correlation of changes along a run.

    Attributes:
        burn_in: Steps left out at the start.
        weak: The claim does not hold where the correlation is surely below this.
    """

    burn_in: int = Field(ge=0)
    weak: float = Field(gt=0, le=1)


class Stable(Settings):
    """When a run has trained stably.

    Attributes:
        below_nearest: How far the PSNR may lie under that of nearest-neighbour enlargement, in dB.
        least_spread: The least mean distance of two outputs, over that of two labels.
        most_duplicates: The largest share of outputs that have a near copy among the others.
    """

    below_nearest: float
    least_spread: _Share
    most_duplicates: _Share


class Collapse(Settings):
    """When a generator from noise has not collapsed; see `Stable` for duplicates.

    Attributes:
        least_recall: The least share of test faces that the samples cover (Kynkäänniemi et al. 2019).
    """

    most_duplicates: _Share
    least_recall: _Share


class BatchNorm(Settings):
    """When batch normalisation is not needed: `most_loss` is the PSNR that going without may cost, in dB."""

    most_loss: float = Field(ge=0)


class Gamma(Settings):
    """When the adversary takes part in what a generator learns.

    `present` is the least ratio of the adversary's gradient to the L1's.
    """

    present: float = Field(ge=0)


class Claims(Settings):
    """The thresholds of all claims, written before the runs."""

    follows: Follows
    stable: Stable
    collapse: Collapse
    batch_norm: BatchNorm
    gamma: Gamma


class Part(Settings):
    """Presets that are run alike.

    Attributes:
        part: The name under which a report shows the cells.
        figures: The paper's figures that they belong to.
        suffix: Added to the presets' names where another part runs them, too.
        seeds: How many runs a preset gets, with the seeds 0, 1, ...
        settings: `a.b: value` over the presets'.
    """

    part: _Name
    figures: _Text
    presets: tuple[str, ...] = Field(min_length=1, max_length=100, strict=False)
    suffix: _Name | None = None
    seeds: int = Field(ge=1, le=1000)
    steps: int = Field(ge=1, le=10**12)
    settings: Mapping[_Setting, Any]


class Plan(Settings):
    """A whole campaign.

    Attributes:
        scale: Its size in one phrase, for the report.
        settings: `a.b: value` over those of all presets.
        parts: The paper's experiments; none in a plan of studies alone.
        claims: How the parts' runs are judged.
        studies: Small exact experiments on the findings of *Wasserstein GAN*.
    """

    name: _Name
    title: _Text
    scale: _Text = ""
    settings: Mapping[_Setting, Any] = {}
    parts: tuple[Part, ...] = Field(default=(), strict=False)
    claims: Claims | None = None
    studies: tuple[StudySettings, ...] = Field(default=(), strict=False)

    @model_validator(mode="after")
    def _check_parts(self) -> Self:
        if not self.parts and not self.studies:
            raise ValueError("a plan needs parts or studies")
        if bool(self.parts) != (self.claims is not None):
            raise ValueError("parts and claims go together")
        return self


@dataclass(frozen=True)
class PlannedRun:
    """One run of a plan.

    Attributes:
        cell: The preset, with the part's suffix.
        settings: `a.b: value` over the preset's, the seed and the steps among them.
        experiment: What follows from both.
    """

    cell: str
    part: str
    figures: str
    preset: str
    seed: int
    settings: Mapping[str, Any]
    experiment: Experiment

    @property
    def name(self) -> str:
        """The cell and the seed."""
        return f"{self.cell}-s{self.seed}"


def load_plan(name: str) -> Plan:
    """Reads a plan that comes with srcli, or one from a file.

    Raises:
        ExperimentError: There is no such plan, or there are mistakes in it, of which each is told in a line.
    """
    path = Path(name) if name.endswith((".yaml", ".yml")) else plan_path(name)
    document = read_file(path)
    return validate(Plan, document.values, document)


def planned_runs(plan: Plan) -> list[PlannedRun]:
    """All runs, first those of seed 0, so that every cell has a result early; parts of one seed come last.

    Raises:
        ExperimentError: A preset is not known, its settings don't fit, its task isn't the paper's, or two
            cells have one name.
    """
    runs = [run for part in plan.parts for run in _runs_of(plan, part)]
    twice = sorted(name for name, count in Counter(run.name for run in runs).items() if count > 1)
    if twice:
        mistake = f"plan {plan.name}: {twice[0]} is there twice"
        raise ExperimentError(mistake, "Give one of the parts a suffix.")
    most = max((part.seeds for part in plan.parts), default=1)
    single = {part.part for part in plan.parts if part.seeds == 1 < most}
    return sorted(runs, key=lambda run: (run.part in single, run.seed))


def _runs_of(plan: Plan, part: Part) -> Iterator[PlannedRun]:
    for preset in part.presets:
        path = preset_path(preset)
        cell = f"{preset}-{part.suffix}" if part.suffix else preset
        for seed in range(part.seeds):
            own = {"training.steps": part.steps, "training.seed": seed}
            settings = {**plan.settings, **part.settings, **own}
            experiment = load_experiment(path, as_overrides(settings))
            if experiment.task != PAPER:
                raise ExperimentError(f"plan {plan.name}: {preset} is to make {experiment.task}, not {PAPER}")
            yield PlannedRun(cell, part.part, part.figures, preset, seed, settings, experiment)
