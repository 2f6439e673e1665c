"""Presets, overrides, and messages about wrong settings."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from tiny_experiments import PRESETS, parse_experiment

from srcli.errors import ExperimentError
from srcli.experiment.loading import differences, load_experiment, override_experiment

PAPER = [
    "resnet-gan",
    "resnet-wgan",
    "resnet-wgangp",
    "dcgan-gan",
    "dcgan-wgan",
    "dcgan-wgangp",
    "mlp-gan",
    "mlp-wgan",
    "mlp-wgangp",
    "resnet-nobn-gan",
    "resnet-nobn-wgan",
    "resnet-nobn-wgangp",
    "dcgan-tanh-gan",
    "dcgan-tanh-wgan",
    "dcgan-tanh-wgangp",
    "resnet-gan-gamma0",
    "resnet-gan-gamma05",
    "resnet-wgan-gamma0",
    "resnet-wgan-gamma05",
    "noise-dcgan-gan",
    "noise-dcgan-wgangp",
]

ADAM = {"name": "adam", "learning_rate": 2e-4, "schedule": "constant", "half_life": None}
TENSORFLOW_RMSPROP = {
    "name": "rmsprop",
    "learning_rate": 1e-4,
    "schedule": "constant",
    "half_life": None,
    "decay": 0.9,
    "epsilon": 1e-10,
    "epsilon_inside": True,
    "initial_average": 1.0,
}

# What no preset need say, as only unusual experiments have it otherwise.
UNUSUAL = {
    "augmentation.mosaic",
    "name",
    "objective.pixel_weight",
    "objective.value_range",
    "optimizer.schedule",
    "optimizer.half_life",
    "task.scale",
    "task.label_size",
    "task.face_size",
    "augmentation.windows",
    "augmentation.input_noise",
    "augmentation.degradation",
    "training.init_from",
    "training.batch_norm_at_test",
    "training.on_unhealthy",
}

NETWORKS = ("name", "generator", "critic")


def mistakes(path: Path, *overrides: str) -> list[str]:
    with pytest.raises(ExperimentError) as caught:
        load_experiment(path, overrides)
    return str(caught.value).splitlines()


def test_there_is_one_preset_for_every_experiment_of_the_paper() -> None:
    assert {path.stem for path in PRESETS.glob("*.yaml")} >= {*PAPER, "smoke"}
    assert len(PAPER) == 21


@pytest.mark.parametrize("name", PAPER)
def test_presets_hold_the_papers_settings_for_their_objective(name: str) -> None:
    experiment = load_experiment(PRESETS / f"{name}.yaml")
    objective, optimizer = experiment.objective, experiment.optimizer.model_dump()
    match objective.name:
        case "gan":
            assert (objective.n_critic, experiment.critic.normalization) in ((1, "batch"), (1, "none"))
            assert optimizer == {**ADAM, "beta1": 0.5, "beta2": 0.999}
        case "wgan":
            assert (objective.n_critic, objective.clip_value) == (5, 0.01)
            assert optimizer == TENSORFLOW_RMSPROP
        case "wgan-gp":
            assert (objective.n_critic, objective.gradient_penalty_weight) == (5, 10)
            assert optimizer == {**ADAM, "beta1": 0.5, "beta2": 0.9}
    gammas = {"gamma0": 0.0, "gamma05": 0.5}
    expected = 0.0 if name.startswith("noise") else gammas.get(name.rpartition("-")[2], 0.9)
    assert objective.gamma == expected
    assert (experiment.training.batch_size, experiment.training.ema_decay) == (16, 0.0)


@pytest.mark.parametrize("objective", ["gan", "wgan", "wgangp"])
def test_srez_presets_differ_from_the_papers_only_where_srez_did(objective: str) -> None:
    paper, srez = (
        load_experiment(PRESETS / f"{name}{objective}.yaml") for name in ("resnet-", "srez-resnet-")
    )
    changed = {path: new for path, (_, new) in differences(paper, srez).items()}
    changed = {path: value for path, value in changed.items() if path.partition(".")[0] not in NETWORKS}
    expected = {
        "objective.value_range": 1,
        "optimizer.schedule": "halving",
        "optimizer.half_life": 5000,
        "augmentation.input_noise": 0.03,
        "training.batch_norm_at_test": "batch",
    }
    assert changed == expected | ({} if objective == "gan" else {"objective.n_critic": 1})


@pytest.mark.parametrize("name", PAPER)
def test_a_presets_head_comment_prints_the_command_that_runs_it(name: str) -> None:
    lines = (PRESETS / f"{name}.yaml").read_text().splitlines()
    assert "figure" in lines[0]
    assert lines[1] == f"# srcli train --preset {name} --data DIR"


def test_an_experiment_written_as_yaml_reads_back_as_itself() -> None:
    for path in PRESETS.glob("*.yaml"):
        experiment = load_experiment(path)
        assert parse_experiment(experiment.to_yaml(), "text") == experiment
        assert parse_experiment(experiment.model_dump_json(), "text") == experiment


def test_overrides_reach_nested_settings_in_yaml() -> None:
    experiment = load_experiment(
        PRESETS / "mlp-wgangp.yaml", ["training.steps=7", "optimizer.learning_rate=1e-3"]
    )
    assert experiment.training.steps == 7
    assert experiment.optimizer.learning_rate == 1e-3


def test_windows_default_to_the_labels_size() -> None:
    path = PRESETS / "mlp-gan.yaml"
    assert load_experiment(path).augmentation.windows == (64, 64)
    assert load_experiment(path, ["augmentation.windows=[64, 240]"]).augmentation.windows == (64, 240)


@pytest.mark.parametrize(
    ("value", "mistake"),
    [
        ("[240, 64]", "augmentation.windows: should name the smaller end first, not [240, 64]"),
        ("[32, 64]", "augmentation.windows: should be at least task.label_size, 64, not 32"),
        ("[64, 99.5]", "augmentation.windows.1: should be a valid integer, not 99.5"),
        ("240", "augmentation.windows: should be a valid tuple, not 240"),
    ],
)
def test_invalid_windows_are_explained(value: str, mistake: str) -> None:
    override = f"augmentation.windows={value}"
    assert mistakes(PRESETS / "mlp-gan.yaml", override) == [f"--set {override}: {mistake}"]


def test_all_mistakes_are_reported_at_once_with_file_line_and_suggestion(tmp_path: Path) -> None:
    text = (PRESETS / "mlp-wgangp.yaml").read_text()
    text = (
        text.replace("gamma:", "gama:")
        .replace("width: 512", "width: wide", 1)
        .replace("name: adam", "name: adamm")
    )
    path = tmp_path / "mine.yaml"
    path.write_text(text)

    def line_of(part: str) -> int:
        return next(number for number, line in enumerate(text.splitlines(), 1) if part in line)

    assert mistakes(path) == [
        f"{path}, line {line_of('width: wide')}: generator.width: should be a valid integer, not 'wide'",
        f"{path}, line {line_of('gama:')}: objective.gama: no such setting; did you mean gamma?",
        f"{path}, line {line_of('adamm')}: optimizer.name: 'adamm' is not one of 'adam', 'rmsprop';"
        " did you mean adam?",
    ]


def test_mistakes_beside_an_unknown_name_are_reported_too(tmp_path: Path) -> None:
    objective = {"name": "wgan-pg", "gamma": 2, "gradient_penalty_weight": -1}
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({"generator": {"architecture": "resnet"}, "objective": objective}))
    told = [line.partition(": ")[2] for line in mistakes(path)]
    assert sorted(told) == [
        "objective.gamma: should be less than or equal to 1, not 2",
        "objective.gradient_penalty_weight: should be greater than 0, not -1",
        "objective.name: 'wgan-pg' is not one of 'gan', 'wgan', 'wgan-gp', 'pixel'; did you mean wgan-gp?",
    ]
    # A name like none: only what is wrong with all of them.
    told = [line.partition(": ")[2] for line in mistakes(path, "objective.name=nonsense")]
    assert [line.partition(":")[0] for line in sorted(told)] == ["objective.gamma", "objective.name"]


def test_a_setting_without_its_section_gets_its_full_path() -> None:
    assert mistakes(PRESETS / "mlp-gan.yaml", "steps=5", "learning_rate=1", "objective.betta1=0") == [
        "--set steps=5: steps: no such setting; did you mean training.steps?",
        "--set learning_rate=1: learning_rate: no such setting; did you mean optimizer.learning_rate?",
        "--set objective.betta1=0: objective.betta1: no such setting; did you mean optimizer.beta1?",
    ]


@pytest.mark.parametrize(
    ("generator", "objective", "preset"),
    [
        ("resnet", "gan", "resnet-gan"),
        ("resnet", "wgan", "resnet-wgan"),
        ("resnet", "wgan-gp", "resnet-wgangp"),
        ("dcgan", "wgan", "dcgan-wgan"),
        ("mlp", "wgan-gp", "mlp-wgangp"),
    ],
)
def test_two_lines_are_an_experiment_of_the_paper(
    generator: str, objective: str, preset: str, tmp_path: Path
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(f"generator: {{architecture: {generator}}}\nobjective: {{name: {objective}}}\n")
    whole = load_experiment(PRESETS / f"{preset}.yaml")
    assert differences(load_experiment(path), whole) == {"name": ("mine", preset)}


def test_the_documented_experiment_equals_its_preset(tmp_path: Path) -> None:
    page = (PRESETS.parent / "docs" / "experiments.md").read_text()
    path = tmp_path / "mine.yaml"
    path.write_text(page.partition("```yaml\n")[2].partition("```")[0])
    whole = load_experiment(PRESETS / "resnet-wgangp.yaml")
    assert differences(load_experiment(path), whole) == {"name": ("mine", "resnet-wgangp")}


def test_missing_settings_follow_the_given_ones(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("generator: {architecture: residual}\nobjective: {name: wgan-gp}\n")
    critic = load_experiment(path, ["critic.width=8", "optimizer.learning_rate=1e-3"]).critic
    assert critic.model_dump() == {
        "architecture": "dcgan",
        "width": 8,
        "normalization": "layer",
        "activation": "leaky_relu",
    }
    optimizer = load_experiment(path, ["optimizer.learning_rate=1e-3"]).optimizer
    assert optimizer.model_dump() == {**ADAM, "learning_rate": 1e-3, "beta1": 0.5, "beta2": 0.9}
    # With its name an optimiser is what it says.
    assert load_experiment(path, ["optimizer={name: rmsprop, learning_rate: 1}"]).optimizer.epsilon == 1e-8
    # The paper has no training without an adversary.
    (line,) = mistakes(path, "objective.name=pixel")
    assert line.endswith("optimizer: this setting is missing")
    adam = "optimizer={name: adam, learning_rate: 1e-3, beta1: 0.9, beta2: 0.99}"
    without = load_experiment(path, ["objective.name=pixel", adam])
    assert without.critic is None


@pytest.mark.parametrize("path", sorted(PRESETS.glob("*.yaml")), ids=lambda path: path.stem)
def test_presets_are_complete(path: Path) -> None:
    def settings(values: dict[str, Any], parent: str = "") -> set[str]:
        parts = (
            settings(value, f"{parent}{key}.") if isinstance(value, dict) else {f"{parent}{key}"}
            for key, value in values.items()
        )
        return set().union(*parts)

    unsaid = settings(load_experiment(path).model_dump()) - settings(yaml.safe_load(path.read_text()))
    assert unsaid <= UNUSUAL


def test_a_mistake_in_an_override_names_the_override() -> None:
    assert mistakes(PRESETS / "mlp-gan.yaml", "training.stepz=3", "objective.gamma=2") == [
        "--set objective.gamma=2: objective.gamma: should be less than or equal to 1, not 2",
        "--set training.stepz=3: training.stepz: no such setting; did you mean steps?",
    ]


def test_an_override_without_a_value_is_explained() -> None:
    assert mistakes(PRESETS / "mlp-gan.yaml", "training.steps") == [
        "--set training.steps is not of the form a.b=value"
    ]


def test_settings_that_contradict_each_other_are_refused_together() -> None:
    found = mistakes(
        PRESETS / "noise-dcgan-wgangp.yaml",
        "critic.normalization=batch",
        "objective.gamma=0.5",
        "training.batch_size=1",
    )
    assert [line.split(": ")[1] for line in found] == [
        "critic.normalization",
        "objective.gamma",
        "training.batch_size",
    ]


def test_an_objective_without_an_adversary_has_no_critic_and_the_others_have_one() -> None:
    found = mistakes(PRESETS / "resnet-gan.yaml", "critic=null")
    assert "objective gan needs a critic" in found[0]
    found = mistakes(PRESETS / "resnet-gan.yaml", "objective={name: pixel, gamma: 0.5}")
    assert "objective pixel trains no critic; use null" in found[0]


def test_booleans_and_text_are_not_numbers() -> None:
    assert "valid integer, not True" in mistakes(PRESETS / "mlp-gan.yaml", "training.steps=true")[0]
    assert "valid integer, not '7'" in mistakes(PRESETS / "mlp-gan.yaml", "training.steps='7'")[0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: [1", "line 1: not YAML"),
        ("- 1\n- 2\n", "it should be a mapping of settings"),
        ("", "it should be a mapping of settings"),
        ("generator: 1\ngenerator: 2\n", "line 2: generator: this setting is given twice"),
        ("a: &x 1\nb: *x\n", "aliases (*name) are not allowed"),
        ("a: !!python/object/apply:os.system [id]\n", "line 1: not YAML: could not determine a constructor"),
        ("#" * 100_001, "too long for an experiment"),
    ],
)
def test_text_that_is_not_an_experiment_is_refused_in_one_line(text: str, reason: str) -> None:
    with pytest.raises(ExperimentError) as caught:
        parse_experiment(text, "mine.yaml")
    assert reason in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert mistakes(tmp_path / "none.yaml") == [
        f"{tmp_path / 'none.yaml'} cannot be read: No such file or directory"
    ]


def test_differences_are_listed_by_their_dotted_paths() -> None:
    old = load_experiment(PRESETS / "mlp-wgangp.yaml")
    new = override_experiment(old, ["training.steps=9", "objective.gamma=0.5"])
    assert differences(old, new) == {"objective.gamma": (0.9, 0.5), "training.steps": (20000, 9)}
    assert differences(old, old) == {}


def test_an_architecture_that_is_no_text_is_a_mistake(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("generator: {architecture: [a]}\nobjective: {name: wgan}\n")
    assert mistakes(path)[0].startswith(
        f"{path}, line 1: generator.architecture: \"['a']\" is not one of 'dcgan'"
    )
