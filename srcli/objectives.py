"""The training objectives: the three of the paper and a pixel loss.

Scores are a critic's outputs (B,), higher for more real. All losses are minimised. Every loss is a mean over
samples, so that the mean of the losses of equal parts of a batch is the batch's. `epsilon` (B,) holds one
uniform draw in [0, 1] per sample, for objectives that look between real and fake images.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Protocol, runtime_checkable

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional as F

from srcli.data.batches import Batch, downscale
from srcli.health.rules import StuckPoint

Critic = Callable[[Tensor], Tensor]


@runtime_checkable
class CriticWithGradients(Protocol):
    """A critic that may compute the gradients of its scores without autograd, which costs less."""

    @property
    def knows_gradients(self) -> bool:
        """Whether it can."""

    def scores_and_gradients(self, images: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """Scores (B,) of images (B, ...), and the gradients of the last `count` by their images."""


class Loss(NamedTuple):
    """A loss to minimise, and the named terms to log, unweighted, so that runs with other weights compare."""

    total: Tensor
    terms: Mapping[str, Tensor]


BLIND = "the critic cannot tell real from generated pictures"


class AnyObjective(BaseModel):
    """What all objectives share: the total of equation 7, and how a critic is trained, if there is one.

    Attributes:
        stuck_points: Where a critic of this objective teaches the generator nothing.
        paper_optimizer: The settings of the paper's optimiser for it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    name: str
    gamma: float = Field(default=0.9, ge=0, le=1)

    has_critic: ClassVar[bool] = True
    allows_batch_norm_critic: ClassVar[bool] = True
    stuck_points: ClassVar[Sequence[StuckPoint]] = ()
    paper_optimizer: ClassVar[Mapping[str, Any]] = {}

    @property
    def l1_weight(self) -> float:
        """The weight of the L1 term as it is logged, in [-1, 1]."""
        return self.gamma

    def generator_total(self, loss: Tensor, l1: Tensor) -> Tensor:
        """`(1 - gamma) J_G + gamma E|f_d(G(z)) - z|_1` (equation 7)."""
        return (1 - self.gamma) * loss + self.l1_weight * l1

    def critic_loss(self, critic: Critic, real: Tensor, fake: Tensor, epsilon: Tensor) -> Loss:
        """J_D of real and generated images (B, 3, 64, 64); objectives without a critic have none."""
        raise NotImplementedError

    def after_critic_step(self, critic: nn.Module) -> None:
        """Nothing to do, unless the objective bounds the critic's weights."""

    def critic_figures(self, _critic: nn.Module) -> dict[str, float]:
        """What an evaluation logs of the critic's weights: nothing where they are free."""
        return {}


class Adversarial(AnyObjective):
    """What the objectives with a critic share: the generator's loss, and how often the critic is updated.

    Attributes:
        value_range: The span of pixel values in which L1 and slopes are measured: 2 for [-1, 1], in which all
            images are here, and 1 for [0, 1], as in srez. Logged L1 terms are always those of [-1, 1].
    """

    pixel_weight: float = Field(default=0.0, ge=0)
    n_critic: int = Field(default=5, ge=1, le=10**6)
    value_range: Literal[1, 2] = 2

    @property
    def l1_weight(self) -> float:
        return self.gamma * self.value_range / 2

    def adversarial_loss(self, scores: Tensor) -> Tensor:
        """J_G of the scores (B,) of generated images: `-E[D(G(z))]` (equation 5)."""
        return -scores.mean()

    def generator_loss(self, critic: Critic | None, fake: Tensor, batch: Batch | None) -> Loss:
        """The total of equation 7, and `pixel_weight E|G(z) - x|_1` where that is not 0.

        Args:
            fake: G(z), (B, 3, 64, 64) in [-1, 1].
            batch: The inputs z and their labels x; None for generators from noise, which have no L1 terms.
        """
        assert critic is not None, "the experiment was checked to have a critic"
        adversarial = self.adversarial_loss(critic(fake).float())
        if batch is None:
            return Loss((1 - self.gamma) * adversarial, {"adversarial": adversarial})
        l1 = input_l1(fake, batch)
        total, terms = self.generator_total(adversarial, l1), {"adversarial": adversarial, "l1": l1}
        if self.pixel_weight == 0:
            return Loss(total, terms)
        pixel = label_l1(fake, batch)
        return Loss(total + self.pixel_weight * pixel, {**terms, "pixel_l1": pixel})


class Gan(Adversarial):
    """The non-saturating GAN objective (Goodfellow et al. 2014; the paper's equations 2 and 4)."""

    name: Literal["gan"]
    n_critic: int = Field(default=1, ge=1, le=10**6)

    stuck_points = (
        # In logits: the probabilities of real and generated differ by at most 5 in 100.
        StuckPoint("wasserstein", 0.0, 0.2, BLIND),
        StuckPoint("critic_loss", 0.0, 0.01, "the critic is sure of every picture"),
    )
    paper_optimizer = {"name": "adam", "learning_rate": 2e-4, "beta1": 0.5, "beta2": 0.999}

    def critic_loss(self, critic: Critic, real: Tensor, fake: Tensor, _epsilon: Tensor) -> Loss:
        """`-E[log s(D(x))] - E[log(1 - s(D(G(z))))]` (equation 2) of images (B, 3, H, H), on logits."""
        real_scores, fake_scores = critic(real).float(), critic(fake).float()
        real_loss, fake_loss = F.softplus(-real_scores).mean(), F.softplus(fake_scores).mean()
        wasserstein = wasserstein_estimate(real_scores, fake_scores)
        terms = {"critic_real": real_loss, "critic_fake": fake_loss, "wasserstein": wasserstein}
        return Loss(real_loss + fake_loss, terms)

    def adversarial_loss(self, scores: Tensor) -> Tensor:
        """`-E[log s(D(G(z)))]` (equation 4) of the scores (B,) of generated images, on logits."""
        return F.softplus(-scores).mean()


class Wgan(Adversarial):
    """The Wasserstein objective with weight clipping (Arjovsky et al. 2017; the paper's equation 5)."""

    name: Literal["wgan"]
    clip_value: float = Field(default=0.01, gt=0)

    stuck_points = (StuckPoint("wasserstein", 0.0, 5e-4, BLIND),)
    # As TensorFlow has it, with which the paper's networks were trained.
    paper_optimizer = {
        "name": "rmsprop",
        "learning_rate": 1e-4,
        "decay": 0.9,
        "epsilon": 1e-10,
        "epsilon_inside": True,
        "initial_average": 1.0,
    }

    def critic_loss(self, critic: Critic, real: Tensor, fake: Tensor, _epsilon: Tensor) -> Loss:
        """`E[D(G(z))] - E[D(x)]` (equation 5) of images (B, 3, H, H)."""
        wasserstein = wasserstein_estimate(critic(real), critic(fake))
        return Loss(-wasserstein, {"wasserstein": wasserstein})

    def after_critic_step(self, critic: nn.Module) -> None:
        """Clips every weight of the critic to [-clip_value, clip_value]."""
        clip_weights(critic, self.clip_value)

    def critic_figures(self, critic: nn.Module) -> dict[str, float]:
        """`clipped_share`, the share of the critic's weights that lie at +-clip_value."""
        return {"clipped_share": clipped_share(critic, self.clip_value)}


class WganGp(Adversarial):
    """The Wasserstein objective with a gradient penalty (Gulrajani et al. 2017; the paper's equation 6)."""

    name: Literal["wgan-gp"]
    gradient_penalty_weight: float = Field(default=10.0, gt=0)

    allows_batch_norm_critic = False
    # Scores of slope 1 are distances between pictures: 0.1 is one grey level in each of 160 values.
    stuck_points = (StuckPoint("wasserstein", 0.0, 0.1, BLIND),)
    paper_optimizer = {"name": "adam", "learning_rate": 2e-4, "beta1": 0.5, "beta2": 0.9}

    def critic_loss(self, critic: Critic, real: Tensor, fake: Tensor, epsilon: Tensor) -> Loss:
        """`E[D(G(z))] - E[D(x)] + lambda E[(||grad D(x_hat)||_2 - 1)^2]` (equation 6)."""
        points = interpolate(real, fake, epsilon)
        if isinstance(critic, CriticWithGradients) and critic.knows_gradients and real.device.type == "cpu":
            # Critics of this objective keep samples apart, so that one pass may hold all three kinds.
            scores, gradients = critic.scores_and_gradients(torch.cat([real, fake, points]), len(points))
            real_scores, fake_scores, _ = scores.chunk(3)
        else:
            real_scores, fake_scores = critic(real), critic(fake)
            gradients = slopes_at(critic, points)
        # A slope over [0, 1] is twice that over [-1, 1].
        penalty = squared_slope_error(gradients if self.value_range == 2 else 2 * gradients)
        wasserstein = wasserstein_estimate(real_scores, fake_scores)
        terms = {"wasserstein": wasserstein, "gradient_penalty": penalty}
        return Loss(self.gradient_penalty_weight * penalty - wasserstein, terms)


class Pixel(AnyObjective):
    """No critic: the L1 distance to the label takes the place of J_G in equation 7."""

    name: Literal["pixel"]

    has_critic = False
    n_critic: ClassVar[int] = 0
    pixel_weight: ClassVar[float] = 1.0

    def generator_loss(self, _critic: Critic | None, fake: Tensor, batch: Batch | None) -> Loss:
        """`(1 - gamma) E|G(z) - x|_1 + gamma E|f_d(G(z)) - z|_1`."""
        assert batch is not None, "the experiment was checked to have a generator of pictures"
        pixel, l1 = label_l1(fake, batch), input_l1(fake, batch)
        return Loss(self.generator_total(pixel, l1), {"pixel_l1": pixel, "l1": l1})


Objective = Annotated[Gan | Wgan | WganGp | Pixel, Field(discriminator="name")]


def wasserstein_estimate(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """`E[D(x)] - E[D(G(z))]`, the distance that the critic sees, from scores (B,)."""
    return real_scores.float().mean() - fake_scores.float().mean()


def interpolate(real: Tensor, fake: Tensor, epsilon: Tensor) -> Tensor:
    """Points x_hat between real and fake images (B, ...): `(1 - epsilon) x + epsilon G(z)`, epsilon (B,)."""
    return torch.lerp(real, fake, epsilon.to(real).view(-1, *(1,) * (real.dim() - 1)))


def slopes_at(critic: Critic, images: Tensor) -> Tensor:
    """`grad_x D(x)` at the given images (B, ...), of their shape, differentiable once more."""
    points = images.detach().requires_grad_(True)
    # One score does not depend on another sample's pixels, so the sum's gradient holds each sample's own.
    (gradients,) = torch.autograd.grad(critic(points).float().sum(), points, create_graph=True)
    return gradients


def squared_slope_error(gradients: Tensor) -> Tensor:
    """`E[(||g||_2 - 1)^2]` of the gradients g (B, ...)."""
    norms = gradients.float().flatten(1).norm(dim=1)
    penalty: Tensor = (norms - 1).square().mean()
    return penalty


def input_l1(fake: Tensor, batch: Batch) -> Tensor:
    """`E|f_d(G(z)) - z|_1`, how far area averages of outputs are from the undegraded inputs."""
    scale = fake.shape[-1] // batch.low_res.shape[-1]
    return (downscale(fake.float(), scale) - batch.low_res).abs().mean()


def label_l1(fake: Tensor, batch: Batch) -> Tensor:
    """`E|G(z) - x|_1`, the distance of the outputs to their labels."""
    return (fake.float() - batch.high_res).abs().mean()


@torch.no_grad()
def clip_weights(critic: nn.Module, clip_value: float) -> None:
    """Clips every parameter to [-clip_value, clip_value], in place."""
    for parameter in critic.parameters():
        parameter.clamp_(-clip_value, clip_value)


@torch.no_grad()
def clipped_share(critic: nn.Module, clip_value: float) -> float:
    """The share of all parameters that lie at -clip_value or clip_value, in [0, 1]."""
    weights = list(critic.parameters())
    clipped = sum(int((weight.abs() >= weight.new_tensor(clip_value)).sum()) for weight in weights)
    return clipped / sum(weight.numel() for weight in weights)
