"""srez's networks: their sizes, and the ResNets' initialisation."""

import math
from itertools import pairwise

import pytest
import torch
from torch import nn

from srcli.data.task import PAPER
from srcli.models.resnet import Residual, ResnetGenerator
from srcli.models.shapes import tensors_of
from srcli.models.srez import SrezCritic, SrezGenerator


def parameters(settings: SrezGenerator | SrezCritic) -> int:
    return sum(
        tensor.numel() for name, tensor in tensors_of(settings, PAPER).items() if "running" not in name
    )


def convolution(inputs: int, outputs: int, kernel: int) -> int:
    return inputs * outputs * kernel**2 + outputs


def test_the_generator_has_two_blocks_at_each_of_two_sizes() -> None:
    by_hand = convolution(3, 256, 1) + convolution(256, 128, 1)
    by_hand += sum(5 * convolution(width, width, 3) for width in (256, 128))  # 2 blocks of 2, and 1 after
    by_hand += convolution(128, 96, 3) + convolution(96, 96, 1) + convolution(96, 3, 1)
    assert parameters(SrezGenerator(architecture="srez", normalization="none")) == by_hand


def test_the_critic_has_six_normalised_convolutions_and_a_map_of_scores() -> None:
    widths = [3, 64, 128, 256, 512]
    by_hand = sum(convolution(a, b, 3) for a, b in pairwise(widths))
    by_hand += convolution(512, 512, 3) + convolution(512, 512, 1) + convolution(512, 1, 1)
    by_hand += 64 + 128 + 256 + 512 + 512 + 512  # offsets; there is no scale
    assert parameters(SrezCritic(architecture="srez", normalization="layer")) == by_hand


def test_clipping_finds_no_scale_in_the_critics_normalisation() -> None:
    for normalization in ("batch", "layer"):
        critic = SrezCritic(architecture="srez", width=8, normalization=normalization).build(PAPER)
        norms = [layer for layer in critic if isinstance(layer, nn.BatchNorm2d | nn.GroupNorm)]
        assert len(norms) == 6
        assert not any(list(norm.parameters()) for norm in norms)


def test_the_critics_score_is_the_mean_of_the_map() -> None:
    torch.manual_seed(0)
    critic = SrezCritic(architecture="srez", width=4, normalization="none").build(PAPER)
    images = torch.rand(2, 3, 64, 64) * 2 - 1
    features = images
    for layer in critic:
        features = layer(features)
    assert features.shape == (2, 1, 4, 4)
    torch.testing.assert_close(critic(images), features.mean((1, 2, 3)))


@pytest.mark.parametrize(
    "settings",
    [
        ResnetGenerator(architecture="resnet"),
        ResnetGenerator(architecture="resnet", normalization="none"),
        SrezGenerator(architecture="srez"),
    ],
)
def test_resnets_start_with_small_branches_and_far_from_the_flat_ends_of_their_output(
    settings: ResnetGenerator | SrezGenerator,
) -> None:
    torch.manual_seed(0)
    network = settings.build(PAPER)
    branch = next(layer for layer in network if isinstance(layer, Residual))
    # A normal distribution cut off at 2 deviations keeps .8796 of its deviation.
    expected = 0.8796 * math.sqrt(1e-3 / (256 * 9))
    convolution = next(layer for layer in branch if isinstance(layer, nn.Conv2d))
    assert convolution.weight.std().item() == pytest.approx(expected, rel=0.01)
    outputs = network.train()(torch.rand(8, 3, 16, 16) * 2 - 1)
    assert (outputs.abs() > 0.95).float().mean().item() < 0.02
