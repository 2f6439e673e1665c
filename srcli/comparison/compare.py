"""Comparing models: the same faces enlarged by each and measured, and samples of those fed noise."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from srcli.comparison.test_faces import Faces
from srcli.console import progress, say
from srcli.data.task import PAPER, Task
from srcli.errors import CheckpointError, DataError, UserError
from srcli.generators.description import Generator
from srcli.generators.loading import load_generator
from srcli.health.wording import describe_health
from srcli.metrics.identity import Identities, identities_of
from srcli.metrics.measures import PerImage, bootstrap_interval
from srcli.metrics.table import IDENTITY, IMAGE_METRICS, Metric, measure_images, measure_set
from srcli.pictures.pixels import Pixels, from_network, to_network
from srcli.pictures.resize import enlarge_bicubic, enlarge_nearest
from srcli.runs.directory import RunDirectory
from srcli.runs.lock import actual_state
from srcli.runs.names import shortest_names

BATCH = 50
SHOWN_FACES = 10
SHOWN_SAMPLES = 64
MOST_SAMPLES = 1000
"""Diversity looks at all pairs: more samples than this would take gigabytes."""

SAMPLE_SEED = 0
LABEL = "label"

Enlarge = Callable[[Pixels, Pixels], Pixels]
"""From inputs and labels to what is measured against the labels."""


@dataclass(frozen=True)
class Model:
    """A generator under a name that no other model of the comparison has.

    Attributes:
        health: Of the run, in a few words; None where the source is no run.
    """

    name: str
    source: str
    generator: Generator
    health: str | None


@dataclass(frozen=True)
class Estimate:
    """The mean of a metric over faces, and its 95 % bootstrap interval; infinite where a value is."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Row:
    """One way to enlarge the faces, or the labels themselves.

    Attributes:
        estimates: Of every metric of the comparison, by its key.
        shown: The first faces, (n, H, H, 3), n up to 10.
    """

    name: str
    estimates: Mapping[str, Estimate]
    shown: Pixels
    model: Model | None = None


@dataclass(frozen=True)
class SampleSet:
    """Faces drawn from noise, or as many test faces beside them.

    Attributes:
        count: How many faces were measured.
        metrics: Every set metric, by its key.
        shown: The first of them, (n, H, H, 3), n up to 64.
    """

    name: str
    count: int
    metrics: Mapping[str, float]
    shown: Pixels
    model: Model | None = None


@dataclass(frozen=True)
class Comparison:
    """The outcome of a comparison.

    Attributes:
        metrics: Those of the rows.
        rows: Nearest, bicubic, each model that enlarges, labels; empty when no model enlarges.
        sample_sets: Each model that draws from noise, then test faces; empty when no model does.
    """

    faces: Faces
    models: Sequence[Model]
    metrics: Sequence[Metric]
    rows: Sequence[Row]
    sample_sets: Sequence[SampleSet]


def estimate(values: PerImage) -> Estimate:
    """The mean of a metric's values, one or more, with its interval."""
    return Estimate(float(np.mean(values)), *bootstrap_interval(values))


def load_models(sources: Sequence[str], device: str) -> list[Model]:
    """Loads bundled models, runs, checkpoints and weight files, each under its own name.

    A model is named by its experiment and step; models that share both also by their paths.

    Raises:
        CheckpointError: Something cannot be loaded.
        RunError: A run's record is damaged.
        UserError: Something is given twice, or the device cannot be used.
    """
    places = shortest_names([Path(source) for source in sources])
    generators = [load_generator(source, device) for source in sources]
    labels = [generator.description.label for generator in generators]
    models = []
    for source, place, generator, label in zip(sources, places, generators, labels, strict=True):
        run, health = RunDirectory(Path(source)), None
        if run.record_file.exists():
            if state := actual_state(run):
                say(f"{source} {state}; compared at step {generator.description.step}")
            health = describe_health(run.record())
        name = label if labels.count(label) == 1 else f"{label} ({place})"
        models.append(Model(name, source, generator, health))
    return models


def task_of(models: Sequence[Model]) -> Task:
    """The task of all models.

    Raises:
        UserError: They have several.
    """
    tasks = [model.generator.description.task for model in models] or [PAPER]
    for model, task in zip(models, tasks, strict=False):
        if task != tasks[0]:
            what = f"{models[0].name} makes {tasks[0]}, and {model.name} {task}"
            raise UserError(what, "Compare models of one task at a time.")
    return tasks[0]


def compare(models: Sequence[Model], faces: Faces, *, identity: bool = False) -> Comparison:
    """Enlarges the same faces with every model and measures them; draws samples from the others.

    Args:
        identity: Whether faces are also measured by `metrics.identity`.

    Raises:
        CheckpointError: A model's output is not finite.
        DataError: There are too few faces to compare samples with.
        UserError: The faces' inputs are degraded or their identity is asked for, and no model takes inputs;
            or the extra `identity` is not installed.
    """
    enlarging = [model for model in models if not model.generator.description.takes_noise]
    drawing = [model for model in models if model.generator.description.takes_noise]
    if faces.degradation is not None and not enlarging:
        raise UserError(f"--degrade {faces.degradation.name} changes inputs, and these models take none")
    if identity and not enlarging:
        raise UserError("--identity compares outputs with their labels, and these models draw from noise")
    identities = identities_of(faces.labels) if identity else None
    metrics = (*IMAGE_METRICS, IDENTITY) if identity else IMAGE_METRICS
    rows = _compare_enlarging(enlarging, faces, identities) if enlarging else []
    return Comparison(faces, models, metrics, rows, _compare_drawing(drawing, faces) if drawing else [])


def _compare_enlarging(models: Sequence[Model], faces: Faces, identities: Identities | None) -> list[Row]:
    scale = faces.task.scale
    ways: list[tuple[str, Enlarge, Model | None]] = [
        ("nearest", lambda low_res, _: enlarge_nearest(low_res, scale), None),
        ("bicubic", lambda low_res, _: enlarge_bicubic(low_res, scale), None),
        *((model.name, _enlarger(model), model) for model in models),
        (LABEL, lambda _, labels: labels, None),
    ]
    with progress("faces") as bar:
        task = bar.add_task("comparing", total=len(ways) * len(faces.labels), rate="-", note="")

        def count(enlarged: int) -> None:
            speed = bar.tasks[0].speed
            bar.update(task, advance=enlarged, rate=f"{speed:.0f}" if speed else "-")

        return [
            _measured_row(name, enlarge, model, faces, identities, count) for name, enlarge, model in ways
        ]


def _measured_row(
    name: str,
    enlarge: Enlarge,
    model: Model | None,
    faces: Faces,
    identities: Identities | None,
    count: Callable[[int], None],
) -> Row:
    """Enlarges and measures all faces, in batches to bound the memory."""
    shown, parts = [], []
    for start in range(0, len(faces.labels), BATCH):
        batch = slice(start, start + BATCH)
        labels = faces.labels[batch]
        enlarged = enlarge(faces.inputs[batch], labels)
        measured = measure_images(enlarged / 255, labels / 255, faces.low_res[batch] / 255)
        if identities is not None:
            measured[IDENTITY.key] = identities.distances(enlarged, start)
        parts.append(measured)
        shown.append(enlarged[: max(SHOWN_FACES - start, 0)])
        count(len(labels))
    estimates = {}
    for key in parts[0]:
        estimates[key] = estimate(np.concatenate([part[key] for part in parts]))
    return Row(name, estimates, np.concatenate(shown), model)


def _compare_drawing(models: Sequence[Model], faces: Faces) -> list[SampleSet]:
    labels = faces.labels[:MOST_SAMPLES]
    if len(labels) < 2:
        raise DataError(
            f"{faces.source} has one test face", "Samples from noise are compared with 2 or more."
        )
    sets = []
    for model in models:
        samples = _to_pixels(model, model.generator.sample(len(labels), SAMPLE_SEED))
        sets.append(_sample_set(model.name, samples, model))
    return [*sets, _sample_set("test faces", labels)]


def _sample_set(name: str, samples: Pixels, model: Model | None = None) -> SampleSet:
    return SampleSet(name, len(samples), measure_set(samples / 255), samples[:SHOWN_SAMPLES], model)


def _enlarger(model: Model) -> Enlarge:
    return lambda low_res, _: _to_pixels(model, model.generator.enlarge(to_network(low_res)))


def _to_pixels(model: Model, outputs: NDArray[np.float32]) -> Pixels:
    """The 8-bit pictures that a person would get."""
    if not np.isfinite(outputs).all():
        raise CheckpointError(
            f"{model.source}: its output holds values that are no numbers",
            "The training diverged; give an earlier checkpoint of the run.",
        )
    return from_network(outputs)
