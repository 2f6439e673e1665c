"""Real training of small networks: golden losses, resuming, divergence, run directories."""

import hashlib
import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from float64 import exact_batches, exact_experiment, in_float64
from tiny_experiments import PRESETS, logged_without_clock, small_dataset, small_experiment

from srcli.data.task import Sizes
from srcli.errors import CheckpointError, DataError, DivergedError, InterruptedRunError
from srcli.experiment.loading import load_experiment
from srcli.experiment.schema import Experiment
from srcli.generators.description import Description
from srcli.generators.on_torch import load_torch_generator
from srcli.runs.checkpoints import read_weights
from srcli.runs.directory import RunDirectory, create_run
from srcli.runs.log import read_log
from srcli.training import step
from srcli.training.loop import StopRequest, train, training_batches
from srcli.training.sessions import recording_failure
from srcli.training.state import build_state, restore_state, start_from
from srcli.training.step import Terms, train_step

CPU = torch.device("cpu")
EVERY_OBJECTIVE = pytest.mark.parametrize("objective", ["gan", "wgan", "wgan-gp"])

# The critic's and the generator's loss: of each of the first six steps in double precision, where they were
# found by plain layers and autograd, before there were kernels of our own; of the first in single precision.
GOLDEN = json.loads(Path(__file__).with_name("golden_losses.json").read_text())


def run_in(path: Path, experiment: Experiment) -> RunDirectory:
    return create_run(path, experiment.to_yaml(), {"status": "running", "step": 0})


def train_run(run: RunDirectory, experiment: Experiment, stop_after: int | None = None) -> list[Terms]:
    """Trains a run from its newest checkpoint and returns what was reported."""
    state = restore_state(run, experiment, CPU)
    reported: list[Terms] = []
    stop = StopRequest()

    def report(entry: Terms) -> None:
        reported.append(entry)
        stop.requested = state.step == stop_after

    train(run, state, small_dataset(), report, stop)
    return reported


@pytest.mark.parametrize("case", GOLDEN["double"])
def test_losses_of_the_first_six_steps_are_the_golden_ones(case: str) -> None:
    # Where an output equals its label, rounding alone decides on which side of the L1's kink it lies.
    tolerance = 1e-3 if case == "pixel residual" else 1e-6
    with in_float64():
        state = build_state(exact_experiment(case), CPU)
        batches = exact_batches(state)
        for number, expected in enumerate(GOLDEN["double"][case]):
            assert losses(train_step(state, batches)) == pytest.approx(
                expected, rel=tolerance, abs=1e-4 * tolerance
            ), f"step {number + 1}"


@pytest.mark.parametrize("case", GOLDEN["single"])
def test_losses_of_the_first_step_in_single_precision_are_near_the_golden_ones(case: str) -> None:
    state = build_state(small_experiment(*case.split()), CPU)
    terms = train_step(state, training_batches(state, small_dataset()))
    # A rounding that moves a value across a ReLU's kink moves a gradient penalty by up to 4 in 1,000.
    tolerance = 0.01 if case.startswith("wgan-gp") else 1e-4
    assert losses(terms) == pytest.approx(GOLDEN["single"][case], rel=tolerance, abs=1e-4 * tolerance)


@pytest.mark.parametrize("case", ["wgan dcgan", "wgan mlp", "wgan resnet", "wgan-gp noise"])
def test_batches_enlarged_together_are_those_enlarged_one_by_one(
    case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = exact_experiment(case)
    objective = experiment.objective.model_copy(update={"n_critic": 5})
    found = []
    for together in (1, 3, 8):
        monkeypatch.setattr(step, "BATCHES_PER_PASS", together)
        with in_float64():
            state = build_state(experiment.model_copy(update={"objective": objective}), CPU)
            batches = exact_batches(state)
            terms = [train_step(state, batches) for _ in range(2)]
        buffers = [buffer.double().sum().item() for buffer in state.generator.buffers()]
        found.append([*(value for entry in terms for value in entry.values()), *buffers])
    assert found[0] == pytest.approx(found[1], rel=1e-7, abs=1e-10)
    assert found[0] == pytest.approx(found[2], rel=1e-7, abs=1e-10)


def losses(terms: Terms) -> tuple[float, float]:
    """The critic's, 0 where there is none, and the generator's."""
    return terms.get("critic_loss", 0.0), terms["generator_loss"]


def test_without_a_critic_a_run_logs_the_distance_to_the_label(tmp_path: Path) -> None:
    experiment = small_experiment("pixel", "residual")
    first, *_, last = train_run(run_in(tmp_path / "run", experiment), experiment)
    assert first["generator_loss"] == pytest.approx(0.1 * first["pixel_l1"] + 0.9 * first["l1"], rel=1e-5)
    assert last["pixel_l1"] < first["pixel_l1"]
    assert not {"critic_loss", "wasserstein", "adversarial"} & set(first)


def test_a_cosine_schedule_falls_from_the_whole_rate_to_none() -> None:
    state = build_state(small_experiment("pixel", "residual", steps=4), CPU)
    batches = training_batches(state, small_dataset())
    rates = []
    for _ in range(4):
        train_step(state, batches)
        rates.append(state.generator_optimizer.param_groups[0]["lr"])
    cosines = [(1 + math.cos(math.pi * step / 4)) / 2 for step in range(4)]
    assert rates == pytest.approx([1e-3 * cosine for cosine in cosines])


def test_a_warm_start_takes_the_other_runs_generator_and_keeps_it(tmp_path: Path) -> None:
    first = small_experiment("pixel", "residual", steps=3)
    run = run_in(tmp_path / "first", first)
    train_run(run, first)
    second = small_experiment("wgan-gp", "residual", steps=3, ema_decay=0.5)
    state = build_state(second, CPU)
    start_from(state, run.path)
    weights = load_torch_generator(run.path).network.state_dict()
    assert state.average is not None
    for network in (state.generator, state.average):
        assert all(torch.equal(network.state_dict()[name], value) for name, value in weights.items())
    with pytest.raises(CheckpointError, match="has other settings"):
        start_from(build_state(small_experiment("wgan-gp", "mlp"), CPU), run.path)


@pytest.mark.parametrize(
    ("objective", "generator", "changes"),
    [
        ("gan", "dcgan", {}),
        ("wgan", "dcgan", {}),
        ("wgan", "mlp", {"optimizer": load_experiment(PRESETS / "mlp-wgan.yaml").optimizer}),
        ("wgan-gp", "dcgan", {}),
        ("wgan-gp", "resnet", {}),
        ("wgan-gp", "mlp", {}),
        ("wgan-gp", "noise", {}),
        ("pixel", "residual", {}),
    ],
)
def test_an_interrupted_run_leaves_what_a_whole_one_leaves(
    objective: str, generator: str, changes: dict[str, Any], tmp_path: Path
) -> None:
    experiment = small_experiment(objective, generator, ema_decay=0.9, evaluate_every=2)
    experiment = experiment.model_copy(update=changes)
    whole, halves = run_in(tmp_path / "whole", experiment), run_in(tmp_path / "halves", experiment)
    train_run(whole, experiment)
    with pytest.raises(InterruptedRunError):
        train_run(halves, experiment, stop_after=3)
    train_run(halves, experiment)
    files = [
        {path.name: path.read_bytes() for path in run.checkpoint(6).iterdir()} for run in (whole, halves)
    ]
    critic = set() if objective == "pixel" else {"critic.safetensors"}
    assert files[0].keys() == critic | {
        "generator.safetensors",
        "generator_ema.safetensors",
        "resume.safetensors",
        "SHA256SUMS",
    }
    assert files[0] == files[1]
    log = logged_without_clock(whole)
    assert log == logged_without_clock(halves)
    assert [entry["step"] for entry in log if "health" in entry] == [2, 4, 6]
    assert whole.record()["health"] == halves.record()["health"] == {"judged_at": 6, "findings": {}}


def test_checkpoints_are_written_by_time_as_well_and_change_nothing(tmp_path: Path) -> None:
    rarely = {"steps": 5, "checkpoint_every": 1000, "keep_checkpoints": 9}
    weights = []
    for minutes, steps in ((10.0, [5]), (1e-9, [1, 2, 3, 4, 5])):
        experiment = small_experiment("wgan-gp", "mlp", checkpoint_minutes=minutes, **rarely)
        run = run_in(tmp_path / f"every-{minutes}", experiment)
        train_run(run, experiment)
        assert run.checkpoint_steps() == steps
        weights.append(read_weights(run.checkpoint(5) / "generator.safetensors")[0])
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


@EVERY_OBJECTIVE
def test_a_run_can_be_measured_on_a_single_face(objective: str, tmp_path: Path) -> None:
    run = run_in(tmp_path / "run", small_experiment(objective, "mlp", steps=3, evaluate_faces=1))
    train_run(run, small_experiment(objective, "mlp", steps=3, evaluate_faces=1))
    last = read_log(run.metrics_file)[-1]
    assert "psnr" in last
    assert not {"spread", "copies", "score_train", "score_test", "score_fake"} & set(last)
    assert ("clipped_share" in last) == (objective == "wgan")


def test_a_run_leaves_its_log_samples_checkpoints_and_status(tmp_path: Path) -> None:
    experiment = small_experiment("wgan-gp", "mlp", steps=7)
    run = run_in(tmp_path / "run", experiment)
    train_run(run, experiment)
    log = read_log(run.metrics_file)
    assert [entry["step"] for entry in log] == [1, 2, 3, 4, 5, 6, 7]
    assert {"critic_loss", "generator_loss", "adversarial", "l1", "wasserstein", "gradient_penalty"} <= set(
        log[0]
    )
    assert [entry["step"] for entry in log if "psnr" in entry] == [3, 6, 7]
    assert {"psnr", "ssim", "l1_high", "consistency"} <= set(log[2])
    assert sorted(path.name for path in run.samples.iterdir()) == [
        "step-000003.png",
        "step-000006.png",
        "step-000007.png",
    ]
    assert run.checkpoint_steps() == [6, 7]
    assert run.record()["status"] == "finished"
    assert all(math.isfinite(entry["images_per_second"]) for entry in log)


def test_a_noise_run_measures_diversity_in_place_of_fidelity(tmp_path: Path) -> None:
    experiment = small_experiment("gan", "noise", steps=3)
    run = run_in(tmp_path / "run", experiment)
    train_run(run, experiment)
    last = read_log(run.metrics_file)[-1]
    assert {"diversity", "duplicates"} <= set(last)
    assert not {"psnr", "l1"} & set(last)


def test_logged_terms_add_up_to_the_losses(tmp_path: Path) -> None:
    experiment = small_experiment("wgan-gp", "mlp", steps=2)
    run = run_in(tmp_path / "run", experiment)
    for entry in train_run(run, experiment):
        assert entry["critic_loss"] == pytest.approx(
            10 * entry["gradient_penalty"] - entry["wasserstein"], rel=1e-5
        )
        assert entry["generator_loss"] == pytest.approx(
            0.1 * entry["adversarial"] + 0.9 * entry["l1"], rel=1e-5
        )


def test_the_average_follows_the_generator_by_its_decay() -> None:
    experiment = small_experiment("wgan", "mlp", ema_decay=0.75)
    state = build_state(experiment, CPU)
    assert state.average is not None
    before = next(state.generator.parameters()).clone()
    train_step(state, training_batches(state, small_dataset()))
    after = next(state.generator.parameters())
    torch.testing.assert_close(next(state.average.parameters()), 0.75 * before + 0.25 * after)


def test_a_term_that_is_not_finite_stops_before_the_update_and_is_named(tmp_path: Path) -> None:
    experiment = small_experiment("wgan-gp", "mlp")
    run = run_in(tmp_path / "run", experiment)
    state = build_state(experiment, CPU)

    def break_critic(entry: Terms) -> None:
        if entry["step"] == 4:
            next(state.critic.parameters()).data[0, 0] = math.nan

    diverged = pytest.raises(DivergedError, match=r"diverged at step 5: wasserstein is nan")
    with diverged as caught, recording_failure(run, state):
        train(run, state, small_dataset(), break_critic, StopRequest())
    assert caught.value.exit_code == 3
    assert run.record()["status"] == "diverged"
    assert run.checkpoint_steps() == [3]
    assert all(torch.isfinite(value).all() for value in state.generator.parameters())


def test_bf16_changes_rounding_and_not_the_course() -> None:
    losses = {}
    for precision in ("fp32", "bf16"):
        state = build_state(small_experiment("wgan-gp", "dcgan", precision=precision), CPU)
        batches = training_batches(state, small_dataset())
        losses[precision] = [train_step(state, batches)["l1"] for _ in range(3)]
        assert all(
            value.dtype == torch.float32
            for value in state.generator.state_dict().values()
            if value.is_floating_point()
        )
    assert losses["bf16"] == pytest.approx(losses["fp32"], rel=0.02)
    assert losses["bf16"] != losses["fp32"]


def test_training_leaves_the_global_random_state_alone() -> None:
    torch.manual_seed(123)
    before = torch.random.get_rng_state()
    state = build_state(small_experiment("wgan-gp", "mlp"), CPU)
    train_step(state, training_batches(state, small_dataset()))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_too_few_training_faces_for_a_batch_are_refused() -> None:
    state = build_state(small_experiment(batch_size=31), CPU)
    with pytest.raises(DataError, match="30 training faces, fewer than one batch of 31"):
        training_batches(state, small_dataset())


def test_a_weight_file_alone_gives_a_ready_generator(tmp_path: Path) -> None:
    experiment = small_experiment("wgan", "dcgan", steps=3, ema_decay=0.5)
    run = run_in(tmp_path / "run", experiment)
    train_run(run, experiment)
    moved = tmp_path / "alone.safetensors"
    (run.checkpoint(3) / "generator.safetensors").rename(moved)
    generator = load_torch_generator(moved)
    assert generator.description == Description(
        **dict(experiment.sizes),
        name="small-dcgan-wgan",
        step=3,
        experiment=experiment.model_dump(mode="json"),
        sha256=hashlib.sha256(moved.read_bytes()).hexdigest(),
    )
    assert experiment.sizes == Sizes(size_multiple=4, context=16)
    assert generator.enlarge(torch.zeros(1, 3, 8, 12).numpy()).shape == (1, 3, 32, 48)


def test_a_run_gives_its_moving_average_where_there_is_one(tmp_path: Path) -> None:
    experiment = small_experiment("wgan", "mlp", steps=3, ema_decay=0.5)
    run = run_in(tmp_path / "run", experiment)
    train_run(run, experiment)
    average, _ = read_weights(run.checkpoint(3) / "generator_ema.safetensors")
    loaded = load_torch_generator(run.path).network.state_dict()
    assert all(torch.equal(loaded[name], value) for name, value in average.items())


def test_weight_files_that_are_none_of_ours_are_refused_by_name(tmp_path: Path) -> None:
    experiment = small_experiment("wgan", "mlp", steps=1)
    run = run_in(tmp_path / "run", experiment)
    train_run(run, experiment)
    weights = run.checkpoint(1) / "generator.safetensors"
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(weights.read_bytes()[:1000])
    text = tmp_path / "text.safetensors"
    text.write_text("hello")
    for path, reason in [
        (broken, "cannot be read as weights"),
        (text, "cannot be read as weights"),
        (tmp_path / "none", "does not exist"),
        (tmp_path, "neither a run nor a checkpoint"),
        (run.checkpoint(1) / "critic.safetensors", "holds a critic"),
    ]:
        with pytest.raises(CheckpointError, match=reason) as caught:
            load_torch_generator(path)
        assert str(path) in str(caught.value)


def test_a_damaged_resume_file_is_refused_by_name(tmp_path: Path) -> None:
    experiment = small_experiment("wgan", "mlp", steps=3)
    run = run_in(tmp_path / "run", experiment)
    train_run(run, experiment)
    file = run.checkpoint(3) / "resume.safetensors"
    file.write_bytes(file.read_bytes()[:-200])
    with pytest.raises(CheckpointError, match="is damaged"):
        restore_state(run, experiment, CPU)


def test_run_records_are_plain_json(tmp_path: Path) -> None:
    run = run_in(tmp_path / "run", small_experiment())
    run.update_record(status="interrupted")
    assert json.loads(run.record_file.read_text()) == {"status": "interrupted", "step": 0}
