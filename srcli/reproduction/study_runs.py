"""Running the studies of a plan, a seed at a time, each result kept as soon as it is there."""

import json
import multiprocessing
import signal
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from srcli.console import progress, say
from srcli.errors import DataError, RunError
from srcli.processes import Share
from srcli.reproduction.records import MAX_BYTES
from srcli.reproduction.studies import StudySettings
from srcli.reproduction.studies.study import Study
from srcli.storage.atomic import write_json
from srcli.storage.bounded import read_bounded

Results = dict[str, list[dict[str, Any]]]


def make_studies(studies: Sequence[Study], out: Path, jobs: int, share: Share) -> None:
    """Runs every seed of every study that has no result in `out / "studies"` yet, `jobs` at a time.

    Raises:
        RunError: A result there is that of other settings.
    """
    todo = [(study, seed) for study in studies for seed in study.seeds if _read(study, seed, out) is None]
    mine = share.every_nth(todo)
    if not mine:
        return
    (out / "studies").mkdir(parents=True, exist_ok=True)
    # Forked processes would inherit torch's threads in an unknown state.
    context = multiprocessing.get_context("spawn")
    # Ctrl-C reaches every process of a terminal; the one that waits for the results decides.
    ignoring = signal.signal, (signal.SIGINT, signal.SIG_IGN)
    with progress("seeds") as bar, ProcessPoolExecutor(jobs, context, *ignoring) as pool:
        task = bar.add_task("studies", total=len(mine), rate="-", note="")
        waiting = {pool.submit(_run, study.model_dump_json(), seed): (study, seed) for study, seed in mine}
        try:
            for future in as_completed(waiting):
                study, seed = waiting[future]
                write_json(_file(study, seed, out), {"settings": _settings(study), "result": future.result()})
                say(f"{study.study}: seed {seed} is done")
                bar.advance(task)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def read_studies(studies: Sequence[Study], folders: Sequence[Path]) -> Results:
    """The results that are in the folders' `studies`, by study, in the order of the seeds.

    Raises:
        DataError: One is damaged.
        RunError: One is that of other settings.
    """
    results: Results = {}
    for study in studies:
        found = [_read(study, seed, folder) for seed in study.seeds for folder in folders]
        results[study.study] = [result for result in found if result is not None]
    return results


def _read(study: Study, seed: int, folder: Path) -> dict[str, Any] | None:
    path = _file(study, seed, folder)
    if not path.exists():
        return None
    try:
        kept = json.loads(read_bounded(path, MAX_BYTES))
        settings, result = kept["settings"], kept["result"]
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise DataError(f"{path} is not the result of a study: {error}") from error
    if settings != _settings(study):
        raise RunError(f"{path} was made with other settings", "Give another --out, or remove it.")
    return dict(result)


def _file(study: Study, seed: int, folder: Path) -> Path:
    return folder / "studies" / f"{study.study}-s{seed}.json"


def _settings(study: Study) -> dict[str, Any]:
    """What a seed's result depends on: all settings but the seeds and the thresholds."""
    return study.model_dump(mode="json", exclude={"seeds", "thresholds"})


def _run(settings: str, seed: int) -> dict[str, Any]:
    import torch

    torch.set_num_threads(1)
    study: Study = TypeAdapter(StudySettings).validate_json(settings, strict=False)
    return study.run(seed)
