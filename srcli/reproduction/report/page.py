"""All that a report says, in order, before it is laid out as a page or as Markdown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import srcli
from srcli.reproduction.report.contents import STATES, Cell, Reproduction, cells_of
from srcli.reproduction.report.experiments import ExperimentGroup, experiment_groups, stopped_runs
from srcli.reproduction.report.making import made_rows
from srcli.reproduction.report.own_charts import course_picture, psnr_picture, share_picture
from srcli.reproduction.report.paper_curves import curve_pictures
from srcli.reproduction.report.paper_faces import face_pictures
from srcli.reproduction.report.pictures import Picture
from srcli.reproduction.report.study_sections import StudySection, study_sections
from srcli.reproduction.report.wording import PAPERS_SCALE, counted, listed
from srcli.reproduction.studies import THEORY_NOT_TESTED
from srcli.reproduction.verdicts import Claim

_ORDER = ("figure-1", "figure-1-srez", "figure-2", "figure-2-srez", "figure-3", "figure-4", "figure-5")


@dataclass(frozen=True)
class Page:
    """A report's contents.

    Attributes:
        scale: The campaign's and the paper's, in a sentence; empty without runs.
        progress: How many runs are done, in a sentence.
        claims: Those about face super-resolution.
        of_paper: Its figures, with ours.
        own: Figures that the paper doesn't have.
        stamp: What is true of all rows of the table of experiments.
        stopped: Runs that ended early, and why.
        made: Names and values.
    """

    title: str
    scale: str
    progress: str
    claims: tuple[Claim, ...]
    of_paper: tuple[Picture, ...]
    own: tuple[Picture, ...]
    experiments: tuple[ExperimentGroup, ...]
    stamp: str
    stopped: tuple[tuple[str, str], ...]
    studies: tuple[StudySection, ...]
    theory: tuple[str, ...]
    command: str
    made: tuple[tuple[str, str], ...]

    @property
    def study_claims(self) -> list[Claim]:
        """The claims that studies test."""
        return [claim for study in self.studies for claim in study.claims]

    @property
    def pictures(self) -> list[Picture]:
        """All figures."""
        studies = [study.picture for study in self.studies if study.picture is not None]
        return [*self.of_paper, *self.own, *studies]


def page_of(reproduction: Reproduction) -> Page:
    """What there is to say of a campaign, whole or under way."""
    plan, cells = reproduction.plan, cells_of(reproduction)
    sections = study_sections(reproduction)
    keys = {claim.key for section in sections for claim in section.claims}
    of_paper, own = _pictures(reproduction, cells) if cells else ((), ())
    return Page(
        title=plan.title,
        scale=f"{plan.scale}; {PAPERS_SCALE}" if plan.scale and cells else plan.scale,
        progress=_progress(cells, sections),
        claims=tuple(claim for claim in reproduction.claims if claim.key not in keys),
        of_paper=of_paper,
        own=own,
        experiments=tuple(experiment_groups(cells, reproduction.baselines)) if cells else (),
        stamp=_stamp(reproduction),
        stopped=tuple(stopped_runs(cells)),
        studies=tuple(sections),
        theory=tuple(THEORY_NOT_TESTED) if sections else (),
        command=f"srcli reproduce {plan.name} --data DIR" if cells else f"srcli reproduce {plan.name}",
        made=tuple(_made(reproduction)),
    )


def _pictures(
    reproduction: Reproduction, cells: Mapping[str, Cell]
) -> tuple[tuple[Picture, ...], tuple[Picture, ...]]:
    """The paper's figures, and our own; the authors' variants only where the plan has them."""
    of_paper = face_pictures(reproduction, cells) | curve_pictures(cells)
    claims = reproduction.plan.claims
    own = (
        psnr_picture(cells, reproduction.baselines),
        course_picture(cells),
        share_picture(cells, None if claims is None else claims.gamma.present),
    )
    has_srez = any(name.startswith("srez-") for name in cells)
    keys = [key for key in _ORDER if has_srez or not key.endswith("-srez")]
    return tuple(of_paper[key] for key in keys), own


def _progress(cells: Mapping[str, Cell], sections: Sequence[StudySection]) -> str:
    sentences = []
    if cells:
        states = [cell.seeds_by_state() for cell in cells.values()]
        total = sum(len(cell.seeds) for cell in cells.values())
        counts = [f"{sum(len(state.get(name, ())) for state in states):,} {name}" for name in STATES]
        planned = "is planned" if total == 1 else "are planned"
        sentences.append(f"{counted(total, 'run')} {planned}: {listed(counts)}.")
    if sections:
        done = [f"{section.title} ({section.seeds})" for section in sections]
        sentences.append(f"Studies: {'; '.join(done)}.")
    return " ".join(sentences)


def _stamp(reproduction: Reproduction) -> str:
    faces = {len(values["psnr"]) for values in reproduction.baselines.values() if "psnr" in values}
    measured = f"Measured on {counted(max(faces), 'test face')}. " if faces else ""
    scale = f"Scale: {reproduction.plan.scale}. " if reproduction.plan.scale else ""
    commit = f" Commit {reproduction.commit}." if reproduction.commit else ""
    return (
        f"{scale}{measured}Values are means over the finished seeds; ± is half of the 95 % Student"
        f" interval over seeds, which a single seed doesn't have.{commit}"
    )


def _made(reproduction: Reproduction) -> list[tuple[str, str]]:
    rows = [("report by", f"srcli {srcli.__version__}")]
    if reproduction.commit:
        rows.append(("commit", reproduction.commit))
    return rows + made_rows(reproduction.records)
