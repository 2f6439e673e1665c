"""The contents of a report, before they are laid out as HTML or Markdown."""

from collections.abc import Sequence
from typing import Any

from srcli.reproduction.cells import STATES, Cell
from srcli.reproduction.report.contents import Reproduction
from srcli.reproduction.report.experiments import experiment_groups, stopped_runs
from srcli.reproduction.report.making import made_rows
from srcli.reproduction.report.own_charts import course_picture, psnr_picture, share_picture
from srcli.reproduction.report.paper import PAPERS_SCALE
from srcli.reproduction.report.paper_curves import curve_picture
from srcli.reproduction.report.paper_faces import (
    families_picture,
    gammas_picture,
    noise_picture,
    objectives_picture,
)
from srcli.reproduction.report.pictures import Picture
from srcli.reproduction.report.study_sections import StudySection, study_sections
from srcli.reproduction.studies import THEORY_NOT_TESTED
from srcli.reproduction.wording import counted, listed
from srcli.version import __version__


def contents_of(reproduction: Reproduction) -> dict[str, Any]:
    """All that the templates show of a campaign, finished or under way, by name."""
    plan, cells = reproduction.plan, reproduction.cells
    sections = study_sections(reproduction)
    of_paper = _of_paper(reproduction) if cells else []
    own = _own(reproduction) if cells else []
    of_studies = [section.picture for section in sections if section.picture]
    return {
        "title": plan.title,
        "scale": f"{plan.scale}; {PAPERS_SCALE}" if plan.scale and cells else plan.scale,
        "progress": _progress(cells, sections),
        "claims": list(reproduction.claims),
        "study_claims": [claim for section in sections for claim in section.claims],
        "of_paper": of_paper,
        "own": own,
        "pictures": [*of_paper, *own, *of_studies],
        "experiments": experiment_groups(reproduction.by_name, reproduction.baselines) if cells else [],
        "stamp": _stamp(reproduction),
        "stopped": stopped_runs(cells),
        "studies": sections,
        "theory": THEORY_NOT_TESTED if sections else (),
        "command": f"srcli reproduce {plan.name} --data DIR" if cells else f"srcli reproduce {plan.name}",
        "made": _made(reproduction),
    }


def _of_paper(reproduction: Reproduction) -> list[Picture]:
    """The paper's figures; as the authors' code ran them only if the plan has such cells."""
    cells = reproduction.by_name
    variants = [("", "resnet", "")]
    if any(name.startswith("srez-") for name in cells):
        variants.append(("-srez", "srez-resnet", " as the authors' code ran (srez)"))
    titles = {"1": ": the ResNet with three objectives", "2": ": the ResNet's losses"}
    return [
        *(
            objectives_picture(reproduction, f"1{suffix}", family, f"Figure 1{title or titles['1']}")
            for suffix, family, title in variants
        ),
        *(
            curve_picture(f"2{suffix}", family, f"Figure 2{title or titles['2']}", cells)
            for suffix, family, title in variants
        ),
        families_picture(reproduction),
        gammas_picture(reproduction),
        noise_picture(reproduction),
    ]


def _own(reproduction: Reproduction) -> list[Picture]:
    """Figures that the paper doesn't have."""
    claims, cells = reproduction.plan.claims, reproduction.cells
    return [
        psnr_picture(cells, reproduction.baselines),
        course_picture(cells),
        share_picture(cells, claims.gamma.present if claims else None),
    ]


def _progress(cells: Sequence[Cell], sections: Sequence[StudySection]) -> str:
    sentences = []
    if cells:
        states = [cell.seeds_by_state() for cell in cells]
        total = sum(len(cell.seeds) for cell in cells)
        counts = [f"{sum(len(state.get(name, ())) for state in states):,} {name}" for name in STATES]
        planned = "is planned" if total == 1 else "are planned"
        sentences.append(f"{counted(total, 'run')} {planned}: {listed(counts)}.")
    if sections:
        done = [f"{section.study.title} ({section.seeds})" for section in sections]
        sentences.append(f"Studies: {'; '.join(done)}.")
    return " ".join(sentences)


def _stamp(reproduction: Reproduction) -> str:
    """What is true of all rows of the table of experiments."""
    faces = {len(values["psnr"]) for values in reproduction.baselines.values() if "psnr" in values}
    measured = f"Measured on {counted(max(faces), 'test face')}. " if faces else ""
    scale = f"Scale: {reproduction.plan.scale}. " if reproduction.plan.scale else ""
    commit = f" Commit {reproduction.commit}." if reproduction.commit else ""
    return (
        f"{scale}{measured}Values are means over the finished seeds; ± is half of the 95 % Student"
        f" interval over seeds, which a single seed doesn't have.{commit}"
    )


def _made(reproduction: Reproduction) -> list[tuple[str, str]]:
    commit = [("commit", reproduction.commit)] if reproduction.commit else []
    records = [record for cell in reproduction.cells for record in cell.records]
    return [("report by", f"srcli {__version__}"), *commit, *made_rows(records)]
