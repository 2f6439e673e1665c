"""The same training step as a competent engineer would write it from the papers, for comparison."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srcli.data.batches import TrainingBatches
from srcli.data.task import PAPER
from srcli.experiment.schema import Experiment
from srcli.models.kernels.sample_norm import SampleNorm
from srcli.models.kernels.strided import DoublingConv2d, HalvingConv2d
from srcli.objectives import Gan, Wgan, WganGp
from srcli.optimizers import Adam

CPU = torch.device("cpu")
PLAIN = {HalvingConv2d: nn.Conv2d, DoublingConv2d: nn.ConvTranspose2d, SampleNorm: nn.GroupNorm}


class Textbook:
    """Networks of PyTorch's own layers, its default optimisers, and an unoptimised loop."""

    def __init__(self, experiment: Experiment, batches: TrainingBatches) -> None:
        torch.manual_seed(0)
        self.experiment, self.batches = experiment, batches
        self.generator, self.critic = (
            plain(experiment.generator.build(PAPER)),
            plain(experiment.critic.build(PAPER)),
        )
        self.generator_optimizer = self._optimizer(self.generator)
        self.critic_optimizer = self._optimizer(self.critic)
        self.number = 0

    def step(self) -> tuple[float, float]:
        """The critic's updates and the generator's; returns their losses."""
        n_critic, optimizer = self.experiment.objective.n_critic, self.critic_optimizer
        for _ in range(n_critic):
            batch = self.batches.batch(self.number, CPU)
            self.number += 1
            with self._autocast():
                fake = self.generator(batch.low_res).detach()
                critic_loss = self._critic_loss(batch.high_res, fake.float())
            optimizer.zero_grad()
            critic_loss.backward()
            optimizer.step()
            if isinstance(self.experiment.objective, Wgan):
                for parameter in self.critic.parameters():
                    parameter.data.clamp_(-0.01, 0.01)
        with self._autocast():
            fake = self.generator(batch.low_res).float()
            loss = self._generator_loss(fake, batch.low_res)
        self.generator_optimizer.zero_grad()
        loss.backward()
        self.generator_optimizer.step()
        return critic_loss.item(), loss.item()

    def _critic_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        real_scores, fake_scores = self.critic(real).float(), self.critic(fake).float()
        if isinstance(self.experiment.objective, Gan):
            return F.softplus(-real_scores).mean() + F.softplus(fake_scores).mean()
        loss = fake_scores.mean() - real_scores.mean()
        if isinstance(self.experiment.objective, WganGp):
            loss = loss + 10 * self._penalty(real, fake)
        return loss

    def _penalty(self, real: Tensor, fake: Tensor) -> Tensor:
        share = torch.rand(len(real), 1, 1, 1)
        points = (share * real + (1 - share) * fake).requires_grad_(True)
        scores = self.critic(points)
        (gradients,) = torch.autograd.grad(scores, points, torch.ones_like(scores), create_graph=True)
        return ((gradients.float().flatten(1).norm(2, dim=1) - 1) ** 2).mean()

    def _generator_loss(self, fake: Tensor, low_res: Tensor) -> Tensor:
        scores = self.critic(fake).float()
        is_gan = isinstance(self.experiment.objective, Gan)
        adversarial = F.softplus(-scores).mean() if is_gan else -scores.mean()
        gamma = self.experiment.objective.gamma
        return (1 - gamma) * adversarial + gamma * F.l1_loss(F.avg_pool2d(fake, 4), low_res)

    def _autocast(self) -> torch.autocast:
        bf16 = self.experiment.training.precision == "bf16"
        return torch.autocast("cpu", torch.bfloat16, enabled=bf16)

    def _optimizer(self, network: nn.Module) -> torch.optim.Optimizer:
        settings, parameters = self.experiment.optimizer, network.parameters()
        if isinstance(settings, Adam):
            betas = (settings.beta1, settings.beta2)
            return torch.optim.Adam(parameters, settings.learning_rate, betas)
        return torch.optim.RMSprop(parameters, settings.learning_rate, settings.decay)


def plain(network: nn.Module) -> nn.Module:
    """The network with PyTorch's own layers and contiguous weights."""
    for layer in network.modules():
        layer.__class__ = PLAIN.get(type(layer), type(layer))
    return network.to(memory_format=torch.contiguous_format)
