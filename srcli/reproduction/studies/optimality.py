"""Critics trained to optimality against a frozen generator, and the gradient they leave it.

Arjovsky & Bottou 2017, figure 2, and Arjovsky, Chintala & Bottou 2017, section 3: data and generator lie on
two surfaces in a space of many dimensions, so that a perfect critic between them exists.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal, Self

import torch
from matplotlib.figure import Figure
from pydantic import Field, model_validator
from torch import Tensor, nn

from srcli.reproduction.intervals import geometric_interval
from srcli.reproduction.studies.figures import optimality_figure
from srcli.reproduction.studies.networks import Random, build_generator, random_source
from srcli.reproduction.studies.settings import Bound, Count, Layers, Method, Methods, Settings, Steps, Width
from srcli.reproduction.studies.study import Result, Row, Study, Table, finding
from srcli.reproduction.studies.training import CriticTraining, new_critic
from srcli.reproduction.verdicts import Finding

GeneratorLoss = Callable[[CriticTraining, Tensor], Tensor]

LOSSES: Mapping[str, str] = {
    "gan, saturating": "GAN, log(1 - D) (eq. 3)",
    "gan": "GAN, -log D (eq. 4)",
    "wgan": "WGAN (eq. 5)",
    "wgan-gp": "WGAN-GP (eq. 6)",
}
"""The generator's losses; the numbers are the equations of Chen & Tong 2017."""


class OptimalityThresholds(Settings):
    """What has to be measured for the claims to hold."""

    vanished: Bound = Field(description="saturating gradient after the last step over its largest")
    alternative: Bound = Field(description="-log D gradient after the last step over its largest")
    lasting: Bound = Field(description="Wasserstein gradient after the last step over its largest")


class OptimalityStudy(Study):
    """One critic per objective, measured at checkpoints; the generator never moves."""

    study: Literal["optimality"]
    dimensions: Count
    surface_width: Width = Field(description="of the random networks that fold the plane into the surfaces")
    surface_layers: Layers
    methods: Methods
    critic_width: Width
    critic_layers: Layers
    evaluation_points: Count
    checkpoints: Annotated[tuple[Steps, ...], Field(min_length=2, strict=False)]
    thresholds: OptimalityThresholds

    title = "Critics trained to optimality"
    claims: ClassVar[Mapping[str, str]] = {
        "wgan.optimality.vanishing": "The better the discriminator of a GAN, the smaller the gradient that"
        " log(1 - D) gives the generator (section 3, figure 2).",
        "wgan.optimality.alternative": "-log D gives a gradient where log(1 - D) gives none (Goodfellow et"
        " al. 2014, section 3).",
        "wgan.optimality.lasting": "A Wasserstein critic can be trained to optimality, and still gives the"
        " generator a gradient (section 3, figure 2).",
    }
    caption = (
        "A frozen generator on a surface in many dimensions, data on another: the norm of the gradient of the"
        " generator's loss by its weights, against how long the critic has trained. Left as measured; right"
        " over each loss's largest value. Lines are means over seeds, bands reach from the lowest to the"
        " highest seed; both axes are logarithmic, step 0 is drawn at 1."
    )

    @model_validator(mode="after")
    def _check_checkpoints(self) -> Self:
        if any(later <= earlier for earlier, later in pairwise(self.checkpoints)):
            raise ValueError("checkpoints should grow")
        return self

    def run(self, seed: int) -> dict[str, Any]:
        """The norms of the generator's gradient by loss, one per checkpoint, and the critics' losses."""
        real, generator = self._network(seed, 0), self._network(seed, 1)
        norms: dict[str, list[float]] = {}
        critic_losses: dict[str, list[float]] = {}
        for number, (method, losses) in enumerate(self._cases()):
            random = random_source(seed, 2, number)
            training = new_critic(method, self.dimensions, self.critic_width, self.critic_layers, random)
            norms |= {name: [] for name in losses}
            critic_losses[method.objective.name] = []
            data, fakes = (torch.no_grad()(partial(points_of, network)) for network in (real, generator))
            for before, checkpoint in pairwise((0, *self.checkpoints)):
                training.run(data, fakes, checkpoint - before, self.batch_size)
                for name, loss in losses.items():
                    fake = points_of(generator, self.evaluation_points, random)
                    norms[name].append(gradient_norm(loss(training, fake), generator))
                critic_loss = training.critic_loss(data, fakes, self.evaluation_points).total
                critic_losses[method.objective.name].append(float(critic_loss.detach()))
        return {"seed": seed, "checkpoints": list(self.checkpoints), "norms": norms, "losses": critic_losses}

    def _cases(self) -> list[tuple[Method, Mapping[str, GeneratorLoss]]]:
        """The critics to train, and the generator's losses to take the gradient of under each."""
        own = CriticTraining.generator_loss
        return [
            (self.methods.gan, {"gan, saturating": CriticTraining.saturating_loss, "gan": own}),
            (self.methods.wgan, {"wgan": own}),
            (self.methods.wgan_gp, {"wgan-gp": own}),
        ]

    def _network(self, seed: int, number: int) -> nn.Sequential:
        """A random map from the plane; its third input is 1, so that no two surfaces share the origin."""
        random = random_source(seed, number)
        return build_generator(3, self.dimensions, self.surface_width, self.surface_layers, random)

    def summarize(self, results: Sequence[Result]) -> Iterator[Finding]:
        """Whether gradients vanish or last, by what is left of each after the last step."""
        limits, last = self.thresholds, self.checkpoints[-1]
        cases = (
            ("wgan.optimality.vanishing", "gan, saturating", limits.vanished),
            ("wgan.optimality.alternative", "gan", limits.alternative),
            ("wgan.optimality.lasting", "wgan", limits.lasting),
            ("wgan.optimality.lasting", "wgan-gp", limits.lasting),
        )
        for claim, loss, bound in cases:
            norms = [r["norms"][loss] for r in results]
            left = geometric_interval([of_seed[-1] / max(of_seed) for of_seed in norms])
            yield finding(
                claim,
                f"frozen generator, {loss}",
                f"norm of the generator's gradient after {last:,} critic steps over its largest"
                " (geometric mean)",
                left,
                bound,
                f"After {last:,} steps of the critic, {_percent(left.value)} of the largest gradient of"
                f" {LOSSES[loss]} is left.",
            )

    def table(self, results: Sequence[Result]) -> Table:
        """One row a checkpoint: the geometric means over seeds of the gradient's norms."""
        rows: list[Row] = []
        for i, steps in enumerate(self.checkpoints):
            norms = {name: geometric_interval([r["norms"][name][i] for r in results]) for name in LOSSES}
            means = {f"norm, {title}": norms[name].value for name, title in LOSSES.items()}
            rows.append({"critic steps": steps, **means})
        return Table("Norm of a frozen generator's gradient as the critic trains", rows)

    def figure(self, results: Sequence[Result]) -> Figure:
        """The figure that the caption describes."""
        return optimality_figure(self.checkpoints, LOSSES, results)


def points_of(network: nn.Module, count: int, random: Random) -> Tensor:
    """Points (count, D) that a network makes of (a, b, 1) with a and b uniform in [-1, 1]."""
    plane = 2 * torch.rand(count, 2, generator=random) - 1
    points: Tensor = network(torch.cat((plane, torch.ones(count, 1)), dim=1))
    return points


def gradient_norm(loss: Tensor, network: nn.Module) -> float:
    """The norm of a loss's gradient by all weights of a network."""
    gradients = torch.autograd.grad(loss, list(network.parameters()))
    return float(torch.stack([gradient.norm() for gradient in gradients]).norm())


def _percent(share: float) -> str:
    if share < 1e-4:
        return "less than 0.01%"
    return f"{share:.0%}" if share >= 0.1 else f"{share:.2%}"
