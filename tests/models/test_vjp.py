"""The critics' own input gradients and the penalty's derivatives, against autograd in double precision."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srcli.data.task import PAPER
from srcli.models.dcgan import DcganCritic
from srcli.models.kernels.sample_norm import Normalize, NormalizeGradient
from srcli.models.layers import Scores
from srcli.models.mlp import MlpCritic
from srcli.objectives import WganGp, slopes_at, squared_slope_error

PENALISED: list[dict[str, Any]] = [
    {"architecture": "dcgan", "width": 2, "normalization": "layer"},
    {"architecture": "dcgan", "width": 2, "normalization": "layer", "activation": "tanh"},
    {"architecture": "dcgan", "width": 2, "normalization": "none", "activation": "relu"},
    {"architecture": "mlp", "width": 6, "normalization": "layer"},
    {"architecture": "mlp", "width": 6, "normalization": "none", "activation": "tanh"},
]
CRITICS = pytest.mark.parametrize("settings", PENALISED, ids=lambda s: "-".join(map(str, s.values())))


def build(settings: dict[str, Any]) -> Scores:
    """A double-precision critic with large random weights, biases and scales."""
    kind = DcganCritic if settings["architecture"] == "dcgan" else MlpCritic
    critic = kind.model_validate(settings).build(PAPER).double()
    random = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in critic.parameters():
            parameter.normal_(0, 0.3, generator=random)
    assert isinstance(critic, Scores)
    return critic


def pictures(count: int) -> Tensor:
    return (
        torch.rand(count, 3, 64, 64, dtype=torch.double, generator=torch.Generator().manual_seed(2)) * 2 - 1
    )


@CRITICS
def test_input_gradients_are_autograds_and_belong_to_the_last_images(settings: dict[str, Any]) -> None:
    critic, images = build(settings), pictures(5)
    scores, gradients = critic.scores_and_gradients(images, 2)
    points = images[-2:].clone().requires_grad_(True)
    (expected,) = torch.autograd.grad(critic.eval()(points).sum(), points)
    assert torch.allclose(scores, critic(images), rtol=1e-10)
    assert torch.allclose(gradients, expected, rtol=1e-10, atol=1e-14)


@CRITICS
def test_the_critic_loss_and_its_derivatives_are_autograds(settings: dict[str, Any]) -> None:
    critic, objective = build(settings), WganGp(name="wgan-gp", gamma=0.9)
    real, fake = pictures(4).split(2)
    epsilon = torch.rand(len(real), generator=torch.Generator().manual_seed(3))
    by_hand = objective.critic_loss(critic, real, fake, epsilon).total
    critic_of_pytorch = critic.eval()  # in evaluation, all layers are PyTorch's own
    by_autograd = objective.critic_loss(lambda images: critic_of_pytorch(images), real, fake, epsilon).total
    assert by_hand.item() == pytest.approx(by_autograd.item(), rel=1e-10)
    parameters = list(critic.parameters())
    ours = torch.autograd.grad(by_hand, parameters, allow_unused=True)
    theirs = torch.autograd.grad(by_autograd, parameters, allow_unused=True)
    for gradient, expected in zip(ours, theirs, strict=True):
        assert gradient is not None
        assert expected is not None
        assert torch.allclose(gradient, expected, rtol=1e-9, atol=1e-12)


def test_the_penalty_by_autograd_also_runs_through_the_layers_kernels() -> None:
    critic, points = build(PENALISED[0]), pictures(2)
    parameters = [parameter for parameter in critic.parameters() if parameter.dim() > 1]
    ours = torch.autograd.grad(squared_slope_error(slopes_at(critic, points)), parameters)
    theirs = torch.autograd.grad(squared_slope_error(slopes_at(critic.eval(), points)), parameters)
    for gradient, expected in zip(ours, theirs, strict=True):
        assert torch.allclose(gradient, expected, rtol=1e-9, atol=1e-12)


class DoublingLinear(nn.Linear):
    """A subclass of a known layer that computes something else."""

    def forward(self, features: Tensor) -> Tensor:
        return 2 * super().forward(features)


@pytest.mark.parametrize("layer", [nn.ELU(), DoublingLinear(6, 6)], ids=["ELU", "DoublingLinear"])
def test_a_critic_with_a_layer_whose_gradient_is_not_written_down_takes_autograd(layer: nn.Module) -> None:
    torch.manual_seed(6)
    first, last = nn.Linear(12, 6), nn.Linear(6, 1)
    critic = Scores(nn.Flatten(), first, layer, last).double()
    assert not critic.knows_gradients
    real, fake = torch.randn(2, 3, 3, 2, 2, dtype=torch.double)
    epsilon = torch.rand(3, dtype=torch.double)
    loss = WganGp(name="wgan-gp", gamma=0.9).critic_loss(critic, real, fake, epsilon)

    def score(image: Tensor) -> Tensor:
        return F.linear(layer(F.linear(image.flatten(), first.weight, first.bias)), last.weight, last.bias)[0]

    points = [torch.lerp(a, b, place) for a, b, place in zip(real, fake, epsilon, strict=True)]
    norms = torch.stack([torch.func.grad(score)(point).norm() for point in points])
    scores = [torch.stack([score(image) for image in images]).mean() for images in (real, fake)]
    expected = scores[1] - scores[0] + 10 * (norms - 1).square().mean()
    assert loss.total.item() == pytest.approx(expected.item(), rel=1e-6)
    (gradient,) = torch.autograd.grad(loss.total, [first.weight])
    assert torch.allclose(gradient, torch.autograd.grad(expected, [first.weight])[0], rtol=1e-5, atol=1e-8)


@CRITICS
def test_the_gradients_of_the_papers_critics_are_written_down(settings: dict[str, Any]) -> None:
    assert build(settings).knows_gradients


@pytest.mark.parametrize("shape", [(3, 5), (2, 4, 3, 3)])
def test_the_gradient_of_sample_norm_is_autograds_and_has_the_right_derivative(
    shape: tuple[int, ...],
) -> None:
    random = torch.Generator().manual_seed(4)
    u, x = (torch.randn(shape, dtype=torch.double, generator=random, requires_grad=True) for _ in range(2))
    w = torch.randn(shape[1], dtype=torch.double, generator=random, requires_grad=True)
    (expected,) = torch.autograd.grad((F.group_norm(x, 1, w) * u).sum(), x)

    def vjp(u: Tensor, x: Tensor, w: Tensor) -> Tensor:
        mean, rstd = torch.native_group_norm(x, w, w, len(x), x.shape[1], x[0, 0].numel(), 1, 1e-5)[1:]
        return NormalizeGradient.apply(u, x, w, mean, rstd)

    assert torch.allclose(vjp(u, x, w), expected, rtol=1e-12)
    assert torch.autograd.gradcheck(vjp, (u, x, w))


@pytest.mark.parametrize("shape", [(3, 5), (3, 4, 3, 3)])
def test_sample_norm_hands_on_its_last_samples_and_takes_their_gradient(shape: tuple[int, ...]) -> None:
    random = torch.Generator().manual_seed(5)
    x = torch.randn(shape, dtype=torch.double, generator=random, requires_grad=True)
    w, b = torch.randn(2, shape[1], dtype=torch.double, generator=random).requires_grad_(True)
    outputs, last, _, _ = Normalize.apply(x, w, b, 1e-5, 2)
    assert torch.allclose(outputs, F.group_norm(x, 1, w, b), rtol=1e-12)
    assert torch.equal(last, x[1:])
    assert torch.autograd.gradcheck(lambda *tensors: Normalize.apply(*tensors, 1e-5, 2)[:2], (x, w, b))
