"""The measurements of an evaluation against independent computations; input noise."""

import numpy as np
import pytest
import torch
from tiny_experiments import small_dataset, small_experiment

from srcli.experiment.loading import override_experiment
from srcli.metrics.measures import psnr
from srcli.objectives import input_l1
from srcli.pictures.pixels import to_network
from srcli.training.evaluate import choose_test_faces, enlarge, evaluate
from srcli.training.loop import training_batches
from srcli.training.state import TrainingState, build_state
from srcli.training.step import train_step

CPU = torch.device("cpu")


def trained(objective: str = "wgan", generator: str = "dcgan", *overrides: str) -> TrainingState:
    experiment = override_experiment(small_experiment(objective, generator), overrides)
    state = build_state(experiment, CPU)
    batches = training_batches(state, small_dataset())
    for _ in range(3):
        train_step(state, batches)
    return state


def test_batch_statistics_are_those_of_each_batch_by_itself_and_leave_no_trace() -> None:
    state, faces = trained(), choose_test_faces(small_dataset(), 8)
    before = {name: value.clone() for name, value in state.generator.state_dict().items()}
    ours = enlarge(state, faces.low_res, "batch")  # batches of 4
    assert all(torch.equal(before[name], value) for name, value in state.generator.state_dict().items())
    inputs = torch.from_numpy(to_network(faces.low_res))
    with torch.no_grad():
        parts = [state.generator.train()(inputs[start : start + 4]) for start in (0, 4)]
    pixels = torch.cat(parts).permute(0, 2, 3, 1).add(1).mul(127.5).numpy()
    assert np.abs(ours - pixels).max() <= 0.51
    assert np.abs(ours - enlarge(trained(), faces.low_res, "running").astype(float)).max() > 5


@pytest.mark.parametrize("chosen", ["running", "batch"])
def test_figures_of_both_kinds_of_statistics_are_logged_and_one_is_chosen(chosen: str) -> None:
    state = trained("wgan", "dcgan", f"training.batch_norm_at_test={chosen}")
    faces = choose_test_faces(small_dataset(), 8)
    figures = evaluate(state, faces)
    for kind in ("running", "batch"):
        outputs = enlarge(state, faces.low_res, kind)
        expected = psnr(outputs / 255, faces.labels / 255).mean()
        assert figures[f"psnr_{kind}"] == pytest.approx(expected, rel=1e-6)
    assert figures["psnr"] == figures[f"psnr_{chosen}"]
    assert figures["psnr_running"] != figures["psnr_batch"]


def test_without_batch_norm_there_is_one_kind() -> None:
    figures = evaluate(trained("wgan-gp", "residual"), choose_test_faces(small_dataset(), 8))
    assert "psnr" in figures
    assert "psnr_batch" not in figures


@pytest.mark.parametrize("objective", ["gan", "wgan", "wgan-gp"])
def test_adversary_share_is_the_ratio_of_the_two_gradients_norms(objective: str) -> None:
    state, faces = trained(objective, "residual"), choose_test_faces(small_dataset(), 8)
    share = evaluate(state, faces)["adversary_share"]
    low_res, labels = (torch.from_numpy(to_network(part[:4])) for part in (faces.low_res, faces.labels))
    fake = state.generator(low_res).detach().requires_grad_(True)
    scores = state.critic(fake)
    adversarial = torch.nn.functional.softplus(-scores).mean() if objective == "gan" else -scores.mean()
    (of_adversary,) = torch.autograd.grad(0.1 * adversarial, fake)
    batch = type("Batch", (), {"low_res": low_res, "high_res": labels})
    (of_l1,) = torch.autograd.grad(0.9 * input_l1(fake, batch), fake)
    assert share == pytest.approx((of_adversary.norm() / of_l1.norm()).item(), rel=1e-4)


@pytest.mark.parametrize(
    "overrides", [["objective.gamma=0.0"], ["generator.input=noise", "objective.gamma=0.0"]]
)
def test_without_an_l1_term_there_is_no_share(overrides: list[str]) -> None:
    state = trained("wgan", "dcgan", *overrides)
    assert "adversary_share" not in evaluate(state, choose_test_faces(small_dataset(), 8))


def test_the_estimate_on_held_out_faces_is_the_difference_of_their_scores() -> None:
    figures = evaluate(trained(), choose_test_faces(small_dataset(), 8))
    assert figures["wasserstein_test"] == figures["score_test"] - figures["score_fake"]


def test_input_noise_has_its_deviation_and_spares_the_loss() -> None:
    seen = []
    state = build_state(
        override_experiment(small_experiment("pixel", "residual"), ["augmentation.input_noise=0.1"]), CPU
    )
    batches = training_batches(state, small_dataset())
    state.generator.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
    train_step(state, batches)
    clean = batches.batch(0, CPU).low_res
    noise = (seen[0] - clean).flatten()
    assert noise.std().item() == pytest.approx(2 * 0.1, rel=0.05)  # of [-1, 1]
    assert noise.mean().item() == pytest.approx(0, abs=0.02)
    again = build_state(state.experiment, CPU)
    again.generator.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
    train_step(again, batches)
    assert torch.equal(seen[0], seen[1])
