"""The studies of Wasserstein GAN as sections of a report, and what their findings come to."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from srcli.reproduction.report.contents import Reproduction
from srcli.reproduction.report.pictures import Picture, Tile
from srcli.reproduction.report.wording import counted, listed, number
from srcli.reproduction.studies.study import Result, Study
from srcli.reproduction.verdicts import Claim, Finding, Verdict

_FEWEST_SEEDS = 2


@dataclass(frozen=True)
class StudySection:
    """A study in a report.

    Attributes:
        seeds: How many are done, of how many.
        picture: None before two seeds are done, as are the tables.
        columns: Titles of the table of results.
        rows: Its cells, as they are shown.
    """

    name: str
    title: str
    seeds: str
    claims: tuple[Claim, ...]
    picture: Picture | None
    table_title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def study_sections(reproduction: Reproduction) -> list[StudySection]:
    """A section for each study of the plan."""
    given = {claim.key: claim for claim in reproduction.claims}
    return [
        _section(study, reproduction.studies.get(study.study, ()), given)
        for study in reproduction.plan.studies
    ]


def _section(study: Study, results: Sequence[Result], given: dict[str, Claim]) -> StudySection:
    seeds = f"{len(results)} of {counted(len(study.seeds), 'seed')}"
    ready = len(results) >= _FEWEST_SEEDS
    findings = study.summarize(results) if ready else []
    claims = tuple(
        given.get(key) or _claim(key, statement, [f for f in findings if f.claim == key])
        for key, statement in study.claims.items()
    )
    if not ready:
        return StudySection(study.study, study.title, seeds, claims, None, "", (), ())
    table = study.table(results)
    rows = tuple(tuple(_shown(row.get(key, "")) for key in table.columns) for row in table.rows)
    columns = tuple(table.columns.values())
    picture = _picture(study, results)
    return StudySection(study.study, study.title, seeds, claims, picture, table.title, columns, rows)


def _claim(key: str, statement: str, findings: Sequence[Finding]) -> Claim:
    """A claim holds where all its findings do, and does not where one does not."""
    verdicts = [finding.verdict for finding in findings]
    verdict = Verdict.UNDECIDED
    if Verdict.DOES_NOT_HOLD in verdicts:
        verdict = Verdict.DOES_NOT_HOLD
    elif verdicts and all(one is Verdict.HOLDS for one in verdicts):
        verdict = Verdict.HOLDS
    return Claim(key, statement, verdict, _sentence(verdict, findings), tuple(findings))


def _sentence(verdict: Verdict, findings: Sequence[Finding]) -> str:
    """How many findings say what, and in words the first of those that decide."""
    if not findings:
        return "Not run yet."
    deciding = next(finding for finding in findings if finding.verdict is verdict)
    if len(findings) == 1:
        return deciding.sentence
    counts = {verdict: sum(finding.verdict is verdict for finding in findings) for verdict in Verdict}
    parts = [f"{count} {_verb(verdict, count)}" for verdict, count in counts.items() if count]
    counted_parts = f"Of {len(findings)} measurements {listed(parts)}."
    if len(parts) == 1:
        counted_parts = f"All {len(findings)} measurements {parts[0].partition(' ')[2]}."
    return f"{counted_parts} {deciding.sentence}"


def _verb(verdict: Verdict, count: int) -> str:
    verbs = {
        Verdict.HOLDS: ("holds", "hold"),
        Verdict.DOES_NOT_HOLD: ("does not hold", "do not hold"),
        Verdict.UNDECIDED: ("is undecided", "are undecided"),
    }
    return verbs[verdict][count != 1]


def _picture(study: Study, results: Sequence[Result]) -> Picture:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "figure.png"
        study.draw(results, path)
        tile = Tile(f"study-{study.study.replace('_', '-')}", study.title, path.read_bytes())
    return Picture(f"study-{study.study}", study.title, study.caption, (tile,), "wide")


def _shown(value: str | int | float) -> str:
    if isinstance(value, str):
        return value
    return f"{value:,}" if isinstance(value, int) else number(value)
