"""Plans: the shipped ones, mistakes in files, the order and settings of runs."""

from pathlib import Path

import pytest

from srcli.errors import ExperimentError
from srcli.experiment.loading import as_overrides, load_experiment
from srcli.reproduction.plan import load_plan, planned_runs

PLANS = Path(__file__).parents[2] / "plans"
PRESETS = PLANS.parent / "presets"
PAPER = [path.stem for path in PRESETS.glob("*.yaml") if "figure" in path.read_text().splitlines()[0]]


@pytest.mark.parametrize("name", ["small", "paper"])
def test_a_plan_runs_every_experiment_of_the_paper_three_times(name: str) -> None:
    runs = planned_runs(load_plan(name))
    seeds = {preset: {run.seed for run in runs if run.cell == preset} for preset in PAPER}
    assert len(PAPER) == 24  # the 21 experiments, and 3 as the authors' code ran
    assert all(seeds[preset] == {0, 1, 2} for preset in PAPER)


def test_every_shipped_plan_can_be_read() -> None:
    for path in PLANS.glob("*.yaml"):
        plan = load_plan(path.stem)
        assert plan.name == path.stem
        assert planned_runs(plan) or plan.studies


def test_all_seeds_0_come_first_and_parts_of_one_seed_last() -> None:
    runs = planned_runs(load_plan("small"))
    single = [run.part in ("anchors", "equalised") for run in runs]
    assert single == sorted(single)
    seeds = [run.seed for run in runs if run.part not in ("anchors", "equalised")]
    assert seeds == sorted(seeds)


def test_a_run_has_the_presets_settings_but_for_the_plans() -> None:
    run = next(run for run in planned_runs(load_plan("small")) if run.name == "dcgan-wgangp-s2")
    expected = load_experiment(
        PRESETS / "dcgan-wgangp.yaml",
        [
            "generator.width=32",
            "critic.width=32",
            "training.steps=1000",
            "training.seed=2",
            "training.evaluate_every=20",
            "training.evaluate_faces=64",
            "training.sample_every=250",
            "training.checkpoint_every=100",
            "training.keep_checkpoints=1",
        ],
    )
    assert run.experiment == expected


def test_settings_are_written_as_set_takes_them() -> None:
    settings = {"generator.widths": [1, 2, 3], "augmentation.horizontal_flip": False, "training.seed": 4}
    assert as_overrides(settings) == [
        "generator.widths=[1, 2, 3]",
        "augmentation.horizontal_flip=false",
        "training.seed=4",
    ]


def test_every_mistake_in_a_plan_is_told_with_its_line(tmp_path: Path) -> None:
    text = (PLANS / "smoke.yaml").read_text()
    text = text.replace("title: A campaign of a minute", "titel: A campaign of a minute")
    text = text.replace("most_loss: 1.0", "most_loss: -1.0")
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(ExperimentError) as caught:
        load_plan(str(tmp_path / "mine.yaml"))
    lines = str(caught.value).splitlines()
    assert any("titel: no such setting; did you mean title?" in line and "line 5" in line for line in lines)
    assert any("claims.batch_norm.most_loss" in line for line in lines)


def test_an_unknown_plan_and_an_unknown_preset_are_named(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=r"no plan called .smal.\. Did you mean small"):
        load_plan("smal")
    text = (PLANS / "smoke.yaml").read_text().replace("resnet-nobn-wgangp", "resnet-nobn-wgangb")
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(ExperimentError, match="resnet-nobn-wgangb"):
        planned_runs(load_plan(str(tmp_path / "mine.yaml")))


def test_two_cells_of_one_name_are_refused(tmp_path: Path) -> None:
    text = (PLANS / "smoke.yaml").read_text().replace("presets: [resnet-wgangp, ", "presets: [mlp-gan, ")
    text = text.replace("settings: {generator.widths: [8, 8, 8], critic.width: 8}", "settings: {}")
    text = text.replace("resnet-nobn-wgangp", "mlp-wgan")
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(ExperimentError, match="is there twice"):
        planned_runs(load_plan(str(tmp_path / "mine.yaml")))
