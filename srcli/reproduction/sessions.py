"""A campaign from its plan to its report."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from srcli.console import say, warn
from srcli.data.several import open_datasets
from srcli.drawn_faces.faces import built_in_dataset
from srcli.errors import DataError, RunError
from srcli.experiment.presets import example_faces
from srcli.pictures.opening import open_picture
from srcli.pictures.pixels import Pixels
from srcli.processes import Share, read_share
from srcli.reproduction.campaign import make_runs
from srcli.reproduction.cells import cells_of
from srcli.reproduction.claims import judge
from srcli.reproduction.finals import measure_baselines, test_labels
from srcli.reproduction.plan import Plan, PlannedRun, load_plan, planned_runs
from srcli.reproduction.records import EXAMPLES_FILE, MAX_BYTES, Baselines, RunRecord, read_records
from srcli.reproduction.report import Reproduction, write_report
from srcli.reproduction.study_runs import make_studies, read_studies
from srcli.reproduction.training_run import Workshop, source_commit
from srcli.reproduction.wording import counted
from srcli.runs.status import RunStatus
from srcli.storage.atomic import write_json
from srcli.storage.bounded import read_bounded

BASELINES_FILE = "baselines.json"


def reproduce_plan(
    name: str,
    data: Sequence[Path],
    out: Path | None,
    jobs: int,
    records: Sequence[Path],
    *,
    only_report: bool,
) -> tuple[Path | None, int]:
    """Makes the missing runs of a plan, then its report.

    Args:
        name: A plan that comes with srcli, or a `.yaml` file.
        data: Prepared datasets; none for the built-in faces.
        out: The campaign's folder; None for `reproductions/NAME`.
        jobs: How many runs train at a time.
        records: Folders that hold records of the plan, themselves or in a folder named like the plan.

    Returns:
        The report's page (None in processes that leave it to the first), and how many runs failed.

    Raises:
        UserError: Plan, data or folders are wrong.
        InterruptedRunError: The campaign was stopped; all runs have saved a checkpoint.
    """
    plan = load_plan(name)
    runs = planned_runs(plan)
    if data and not runs:
        raise RunError("this plan trains on no faces", "Leave out --data.")
    folder = out or Path("reproductions") / plan.name
    places = [folder, *(_place_of(place, plan) for place in records)]
    share = read_share()
    failed = 0
    if not only_report:
        make_studies(plan.studies, folder, jobs, share)
        failed = _make_runs(runs, places, data, jobs, share)
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


def _make_runs(
    runs: Sequence[PlannedRun], places: Sequence[Path], data: Sequence[Path], jobs: int, share: Share
) -> int:
    """Makes this process's share of the runs that are missing; returns how many failed."""
    folder, *others = places
    given = {name for place in others for name in _settled(place)}
    # The campaign's own folder changes while processes share it, so that it can't decide their shares.
    mine = share.every_nth([run for run in runs if run.name not in given])
    if not mine:
        return 0
    if not data:
        say("no --data given: training on the built-in drawn faces")
    dataset = open_datasets(data) if data else built_in_dataset()
    labels = test_labels(dataset)
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / BASELINES_FILE).exists():
        values = {
            method: {name: [float(f"{value:.5g}") for value in column] for name, column in figures.items()}
            for method, figures in measure_baselines(labels).items()
        }
        write_json(folder / BASELINES_FILE, values)
    done = given | set(_settled(folder))
    say(f"{sum(run.name in done for run in runs)} of {counted(len(runs), 'run')} are done")
    threads = max(1, (os.cpu_count() or 1) // jobs)
    workshop = Workshop(folder, data, dataset, labels, read_examples(), threads)
    made = make_runs([run for run in mine if run.name not in done], workshop, jobs)
    return sum(record.status == RunStatus.FAILED for record in made)


def _settled(place: Path) -> list[str]:
    """The names of the runs with a result; failed ones are tried again."""
    return [record.name for record in read_records(place / "records") if record.status != RunStatus.FAILED]


def read_examples() -> Pixels:
    """The example faces, (N, 64, 64, 3)."""
    return np.stack([np.asarray(open_picture(path, path.name)) for path in example_faces()])


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
    planned = {run.name for run in runs}
    records: dict[str, RunRecord] = {}
    examples: dict[str, bytes] = {}
    for place in places:
        for record in read_records(place / "records"):
            if record.name in planned and record.name not in records:
                records[record.name] = record
                path = place / "records" / record.name / EXAMPLES_FILE
                if path.is_file():
                    examples[record.name] = path.read_bytes()
    if len({str(record.made.get("dataset")) for record in records.values() if record.step}) > 1:
        warn("the records are of runs on different data: their figures do not compare")
    baselines = _read_baselines(places)
    if records and not baselines:
        raise DataError(
            f"{places[-1]} holds records of runs, but no {BASELINES_FILE} to judge them by",
            "Give the folder that they were made in with --from.",
        )
    cells = cells_of(runs, list(records.values()))
    reproduction = Reproduction(
        plan=plan,
        cells=cells,
        claims=judge(cells, baselines, plan.claims) if plan.claims else [],
        baselines=baselines,
        examples=examples,
        faces=read_examples(),
        studies=read_studies(plan.studies, places),
        commit=source_commit(),
    )
    write_report(reproduction, places[0])
    return places[0] / "report.html"
