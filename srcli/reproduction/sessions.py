"""A campaign from its plan to its report."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from srcli.console import say, warn
from srcli.data.several import open_datasets
from srcli.data.task import PAPER
from srcli.drawn_faces.faces import built_in_dataset
from srcli.errors import DataError
from srcli.experiment.presets import example_faces
from srcli.pictures.opening import open_picture
from srcli.pictures.pixels import Pixels
from srcli.processes import read_share
from srcli.reproduction.campaign import check_data_is_given, make_runs, missing_runs, threads_for
from srcli.reproduction.claims import judge
from srcli.reproduction.finals import measure_baselines, test_labels
from srcli.reproduction.plan import Plan, PlannedRun, load_plan, planned_runs
from srcli.reproduction.records import EXAMPLES_FILE, MAX_BYTES, RunRecord, Series, read_records
from srcli.reproduction.report import Reproduction, write_report
from srcli.reproduction.study_runs import make_studies, read_studies
from srcli.reproduction.training_run import Workshop, source_commit
from srcli.runs.status import RunStatus
from srcli.storage.atomic import write_json
from srcli.storage.bounded import read_bounded

BASELINES_FILE = "baselines.json"

Baselines = Mapping[str, Mapping[str, Series]]


def reproduce_plan(
    name: str,
    data: Sequence[Path],
    out: Path | None,
    jobs: int,
    records: Sequence[Path],
    *,
    only_report: bool,
) -> tuple[Path | None, int]:
    """Makes what is missing of a plan, then its report.

    Args:
        name: A plan that comes with srcli, or a `.yaml` file.
        data: Prepared datasets; none for the built-in faces.
        out: The campaign's folder; None for `reproductions/NAME`.
        jobs: How many runs train at a time.
        records: Folders that hold records of the plan, or a folder named like the plan that does.

    Returns:
        The report's page, None for processes that leave it to the first; and how many runs failed.

    Raises:
        UserError: Whatever is wrong with plan, data or folders.
        InterruptedRunError: A stop was asked for; all runs have saved a checkpoint.
    """
    plan = load_plan(name)
    runs = planned_runs(plan)
    check_data_is_given(runs, bool(data))
    folder = out or Path("reproductions") / plan.name
    places = [folder, *(_place_of(place, plan) for place in records)]
    share = read_share()
    failed = 0
    if not only_report:
        make_studies(plan.studies, folder, jobs, share)
        known = {record.name for place in places[1:] for record in _settled(place)}
        todo = share.every_nth([run for run in runs if run.name not in known])
        failed = _make_runs(todo, data, folder, jobs) if todo else 0
    if share.rank > 0:
        say(f"this was the share of process {share.rank}; the first makes the report")
        return None, failed
    return _report(plan, runs, places), failed


def _place_of(place: Path, plan: Plan) -> Path:
    if (place / plan.name).is_dir():
        return place / plan.name
    if place.is_dir():
        return place
    raise DataError(f"{place} is not a folder", "--from takes a folder that holds records of runs.")


def _settled(place: Path) -> list[RunRecord]:
    return [record for record in read_records(place / "records") if record.status != RunStatus.FAILED]


def _make_runs(runs: Sequence[PlannedRun], data: Sequence[Path], folder: Path, jobs: int) -> int:
    """Makes the runs that are missing; returns how many failed."""
    if not data:
        say("no --data given: training on the built-in drawn faces")
    dataset = open_datasets(data) if data else built_in_dataset()
    labels = test_labels(dataset)
    folder.mkdir(parents=True, exist_ok=True)
    _write_baselines(folder, labels)
    workshop = Workshop(folder, data, dataset, labels, read_examples(), threads_for(jobs))
    missing = missing_runs(runs, workshop)
    say(f"{len(runs) - len(missing)} of {len(runs)} runs are done; {folder} has them")
    return sum(record.status == RunStatus.FAILED for record in make_runs(missing, workshop, jobs))


def read_examples() -> Pixels:
    """The example faces, (N, 64, 64, 3)."""
    return np.stack([np.asarray(open_picture(path, path.name)) for path in example_faces()])


def _write_baselines(folder: Path, labels: Pixels) -> None:
    if not (folder / BASELINES_FILE).exists():
        values = {
            method: {name: [float(f"{value:.5g}") for value in column] for name, column in figures.items()}
            for method, figures in measure_baselines(labels).items()
        }
        write_json(folder / BASELINES_FILE, values)


def _read_baselines(places: Sequence[Path]) -> Baselines:
    for path in (place / BASELINES_FILE for place in places):
        if path.exists():
            try:
                values = json.loads(read_bounded(path, MAX_BYTES))
                return {
                    method: {name: np.asarray(column, np.float64) for name, column in figures.items()}
                    for method, figures in values.items()
                }
            except (OSError, ValueError, AttributeError, RecursionError) as error:
                raise DataError(f"{path} is damaged: {error}") from error
    return {}


def _report(plan: Plan, runs: Sequence[PlannedRun], places: Sequence[Path]) -> Path:
    wanted = {run.name for run in runs}
    kept: dict[str, tuple[RunRecord, Path]] = {}
    for place in places:
        for record in read_records(place / "records"):
            if record.name in wanted:
                kept.setdefault(record.name, (record, place / "records" / record.name / EXAMPLES_FILE))
    _warn_of_mixtures([record for record, _ in kept.values()])
    records = [kept[run.name][0] for run in runs if run.name in kept]
    baselines = _read_baselines(places)
    if records and not baselines:
        raise DataError(
            f"{places[-1]} holds records of runs, but no {BASELINES_FILE} to judge them by",
            "Give the folder that they were made in with --from.",
        )
    done = [record for record in records if record.status != RunStatus.FAILED]  # failed ones are tried again
    planned = {run.cell: sum(other.cell == run.cell for other in runs) for run in runs}
    labels = read_examples()
    reproduction = Reproduction(
        plan=plan,
        runs=list(runs),
        records=records,
        claims=judge(done, baselines, plan.claims, planned) if plan.claims else [],
        baselines=baselines,
        examples={name: path.read_bytes() for name, (_, path) in kept.items() if path.is_file()},
        example_inputs=PAPER.low_res_of(labels),
        example_labels=labels,
        studies=read_studies(plan.studies, places),
        commit=source_commit(),
    )
    write_report(reproduction, places[0])
    return places[0] / "report.html"


def _warn_of_mixtures(records: Sequence[RunRecord]) -> None:
    datasets = {str(record.made.get("dataset")) for record in records if record.step}
    if len(datasets) > 1:
        warn("the records are of runs on different data: their figures do not compare")
