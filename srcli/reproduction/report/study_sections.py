"""The studies of Wasserstein GAN as sections of a report, and the verdicts on their claims."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from srcli.reproduction.report.contents import Reproduction
from srcli.reproduction.report.pictures import Picture, Tile
from srcli.reproduction.studies.drawing import as_png
from srcli.reproduction.studies.study import Result, Study, Table
from srcli.reproduction.verdicts import Claim, Finding, Verdict, all_of
from srcli.reproduction.wording import counted, listed

_FEWEST_SEEDS = 2
_VERBS = {
    Verdict.HOLDS: ("holds", "hold"),
    Verdict.DOES_NOT_HOLD: ("does not hold", "do not hold"),
    Verdict.UNDECIDED: ("is undecided", "are undecided"),
}


@dataclass(frozen=True)
class StudySection:
    """A study in a report.

    Attributes:
        seeds: How many are done, of how many.
        picture: None before two seeds are done, as is the table.
    """

    study: Study
    seeds: str
    claims: tuple[Claim, ...]
    picture: Picture | None = None
    table: Table | None = None


def study_sections(reproduction: Reproduction) -> list[StudySection]:
    """A section for each study of the plan."""
    return [_section(study, reproduction.studies.get(study.study, ())) for study in reproduction.plan.studies]


def _section(study: Study, results: Sequence[Result]) -> StudySection:
    seeds = f"{len(results)} of {counted(len(study.seeds), 'seed')}"
    ready = len(results) >= _FEWEST_SEEDS
    findings = list(study.summarize(results)) if ready else []
    claims = tuple(
        _claim(key, statement, [finding for finding in findings if finding.claim == key])
        for key, statement in study.claims.items()
    )
    if not ready:
        return StudySection(study, seeds, claims)
    name, png = f"study-{study.study.replace('_', '-')}", as_png(partial(study.figure, results))
    picture = Picture(name, study.title, study.caption, (Tile(name, study.title, png),), "wide")
    return StudySection(study, seeds, claims, picture, study.table(results))


def _claim(key: str, statement: str, findings: Sequence[Finding]) -> Claim:
    """A claim that holds if all its findings do, and does not if one does not."""
    verdict = all_of(finding.verdict for finding in findings)
    return Claim(key, statement, verdict, _sentence(verdict, findings), tuple(findings))


def _sentence(verdict: Verdict, findings: Sequence[Finding]) -> str:
    """The number of findings by verdict, and the first of those that decide."""
    if not findings:
        return "Not run yet."
    deciding = next(finding for finding in findings if finding.verdict is verdict)
    if len(findings) == 1:
        return deciding.sentence
    counts = {verdict: sum(finding.verdict is verdict for finding in findings) for verdict in Verdict}
    parts = [f"{count} {_VERBS[verdict][count != 1]}" for verdict, count in counts.items() if count]
    counted_parts = f"Of {len(findings)} measurements {listed(parts)}."
    if len(parts) == 1:
        counted_parts = f"All {len(findings)} measurements {parts[0].partition(' ')[2]}."
    return f"{counted_parts} {deciding.sentence}"
