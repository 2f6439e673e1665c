"""Shapes, sizes and properties of every network."""

import pytest
import torch
from tiny_experiments import PRESETS
from torch import nn

from srcli.data.task import PAPER
from srcli.experiment.loading import load_experiment
from srcli.models.compact import CompactGenerator
from srcli.models.dcgan import DcganCritic, DcganGenerator
from srcli.models.layers import initialize_he, normalization
from srcli.models.mlp import MlpCritic, MlpGenerator
from srcli.models.residual import Block, ResidualGenerator
from srcli.models.resnet import ResnetGenerator


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def conv(inputs: int, outputs: int, size: int) -> int:
    return inputs * outputs * size * size + outputs


def norm(*channels: int) -> int:
    return 2 * sum(channels)


DCGAN_UP = conv(512, 256, 5) + conv(256, 128, 5) + conv(128, 64, 5) + conv(64, 3, 5) + norm(256, 128, 64)
DCGAN_CRITIC = (
    conv(3, 64, 5)
    + conv(64, 128, 5)
    + conv(128, 256, 5)
    + conv(256, 512, 5)
    + norm(128, 256, 512)
    + 512 * 16
    + 1
)
RESNET_CONVS = (
    conv(3, 256, 1) + 2 * conv(256, 256, 3) + conv(256, 128, 3) + 2 * conv(128, 128, 3) + conv(128, 96, 3)
    + 2 * conv(96, 96, 3) + conv(96, 96, 3) + conv(96, 96, 1) + conv(96, 3, 1)
)  # fmt: skip
RESNET_NORMS = norm(256, 256, 256, 128, 128, 128, 96, 96)
MLP = 768 * 512 + 512 + 2 * (512 * 512 + 512) + 512 * 12288 + 12288 + norm(512, 512, 512)
MLP_CRITIC = 12288 * 512 + 512 + 2 * (512 * 512 + 512) + 512 + 1 + norm(512, 512)


@pytest.mark.parametrize(
    ("preset", "generator", "critic"),
    [
        ("dcgan-wgangp", conv(3, 256, 5) + conv(256, 512, 5) + norm(256, 512) + DCGAN_UP, DCGAN_CRITIC),
        ("noise-dcgan-gan", 128 * 8192 + 8192 + norm(512) + DCGAN_UP, DCGAN_CRITIC),
        ("resnet-wgan", RESNET_CONVS + RESNET_NORMS, DCGAN_CRITIC),
        ("resnet-nobn-gan", RESNET_CONVS, DCGAN_CRITIC - norm(128, 256, 512)),
        ("mlp-wgangp", MLP, MLP_CRITIC),
    ],
)
def test_parameters_of_the_papers_networks_are_those_counted_by_hand(
    preset: str, generator: int, critic: int
) -> None:
    experiment = load_experiment(PRESETS / f"{preset}.yaml")
    assert count(experiment.generator.build(PAPER)) == generator
    assert count(experiment.critic.build(PAPER)) == critic


def test_parameter_totals_are_the_documented_ones() -> None:
    assert conv(3, 256, 5) + conv(256, 512, 5) + norm(256, 512) + DCGAN_UP == 7_605_251
    assert (RESNET_CONVS + RESNET_NORMS, MLP) == (2_143_491, 7_225_856)
    assert (DCGAN_CRITIC, MLP_CRITIC) == (4_316_545, 6_819_841)


def test_dcgan_passes_through_four_by_four_as_the_paper_draws_it() -> None:
    network = DcganGenerator(architecture="dcgan", width=4).build(PAPER)
    shapes = []
    features = torch.zeros(2, 3, 16, 16)
    for layer in network:
        features = layer(features)
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            shapes.append(tuple(features.shape[1:]))
    assert shapes == [(16, 8, 8), (32, 4, 4), (16, 8, 8), (8, 16, 16), (4, 32, 32), (3, 64, 64)]


@pytest.mark.parametrize(
    ("settings", "height", "width"),
    [
        (DcganGenerator(architecture="dcgan", width=4), 20, 12),
        (ResnetGenerator(architecture="resnet", widths=(4, 4, 4)), 7, 5),
        (MlpGenerator(architecture="mlp", width=8), 16, 16),
    ],
)
def test_generators_enlarge_four_times_into_the_open_range_of_tanh(
    settings: DcganGenerator | ResnetGenerator | MlpGenerator, height: int, width: int
) -> None:
    output = settings.build(PAPER)(torch.rand(2, 3, height, width) * 2 - 1)
    assert output.shape == (2, 3, 4 * height, 4 * width)
    assert output.abs().max() <= 1


def test_noise_generator_draws_faces_from_128_numbers() -> None:
    network = DcganGenerator(architecture="dcgan", input="noise", width=4).build(PAPER)
    assert network(torch.randn(3, 128)).shape == (3, 3, 64, 64)


@pytest.mark.parametrize(
    "settings", [DcganCritic(architecture="dcgan", width=4), MlpCritic(architecture="mlp", width=8)]
)
def test_critics_give_one_score_a_sample(settings: DcganCritic | MlpCritic) -> None:
    assert settings.build(PAPER)(torch.zeros(3, 3, 64, 64)).shape == (3,)


@pytest.mark.parametrize(
    "settings",
    [
        DcganGenerator(architecture="dcgan", width=4),
        ResnetGenerator(architecture="resnet", widths=(4, 4, 4)),
        ResidualGenerator(architecture="residual", width=4, blocks=3),
        CompactGenerator(architecture="compact", width=4, blocks=3),
    ],
)
def test_no_pixel_beyond_the_stated_context_has_influence(
    settings: DcganGenerator | ResnetGenerator | ResidualGenerator | CompactGenerator,
) -> None:
    network = settings.build(PAPER).eval()
    initialize_he(network)
    reaches = []
    for pixel in range(30, 30 + settings.sizes(PAPER).size_multiple):
        pixels = torch.randn(1, 3, 64, 64, requires_grad=True)
        network(pixels)[0, :, 4 * pixel : 4 * pixel + 4].sum().backward()
        assert pixels.grad is not None
        touched = pixels.grad.abs().sum((0, 1, 3)).nonzero()
        reaches += [pixel - int(touched.min()), int(touched.max()) - pixel]
    assert settings.sizes(PAPER).context - 4 <= max(reaches) <= settings.sizes(PAPER).context


def test_layer_norm_normalises_each_sample_over_channels_and_pixels() -> None:
    features = torch.randn(4, 6, 5, 5, generator=torch.Generator().manual_seed(0)) * 3 + 2
    network = normalization("layer", 6)
    mean = features.mean((1, 2, 3), keepdim=True)
    variance = features.var((1, 2, 3), unbiased=False, keepdim=True)
    torch.testing.assert_close(network(features), (features - mean) / (variance + 1e-5).sqrt())


def test_a_per_sample_critic_scores_a_sample_alike_in_any_company() -> None:
    critic = DcganCritic(architecture="dcgan", width=4, normalization="layer").build(PAPER)
    images = torch.randn(3, 3, 64, 64)
    torch.testing.assert_close(critic(images)[:1], critic(images[:1]))


def test_tanh_variant_has_no_relu_anywhere() -> None:
    experiment = load_experiment(PRESETS / "dcgan-tanh-gan.yaml")
    layers = [*experiment.generator.build(PAPER).modules(), *experiment.critic.build(PAPER).modules()]
    assert not any(isinstance(layer, nn.ReLU | nn.LeakyReLU) for layer in layers)
    assert sum(isinstance(layer, nn.Tanh) for layer in layers) == 6 + 4


def test_nobn_variant_keeps_its_activations_and_loses_its_normalisation() -> None:
    experiment = load_experiment(PRESETS / "resnet-nobn-gan.yaml")
    layers = [*experiment.generator.build(PAPER).modules(), *experiment.critic.build(PAPER).modules()]
    assert not any(isinstance(layer, nn.BatchNorm2d | nn.GroupNorm) for layer in layers)
    assert sum(isinstance(layer, nn.ReLU | nn.LeakyReLU) for layer in layers) == 10 + 4


def test_dcgan_weights_start_with_a_deviation_of_two_hundredths() -> None:
    torch.manual_seed(0)
    layers = [
        layer for layer in DcganGenerator(architecture="dcgan").build(PAPER) if hasattr(layer, "stride")
    ]
    for layer in layers:
        assert layer.weight.std().item() == pytest.approx(0.02, rel=0.05)
        assert not layer.bias.any()


def test_the_mlps_outputs_start_away_from_the_flat_ends_of_tanh() -> None:
    torch.manual_seed(0)
    network = MlpGenerator(architecture="mlp").build(PAPER)
    linear = [layer for layer in network if isinstance(layer, nn.Linear)]
    assert linear[-1].weight.std().item() == pytest.approx((2 / (512 + 12288)) ** 0.5, rel=0.02)
    assert linear[0].weight.std().item() == pytest.approx((2 / 768) ** 0.5, rel=0.02)
    assert network(torch.rand(16, 3, 16, 16) * 2 - 1).abs().mean() < 0.3


def test_a_residual_generator_starts_as_bicubic_enlargement() -> None:
    low_res = torch.rand(2, 3, 9, 7) * 2 - 1
    bicubic = torch.nn.functional.interpolate(low_res, size=(36, 28), mode="bicubic")
    network = ResidualGenerator(architecture="residual", width=8, blocks=2).build(PAPER)
    torch.testing.assert_close(network(low_res), bicubic)


def test_a_compact_generator_starts_as_bicubic_enlargement() -> None:
    low_res = torch.rand(2, 3, 9, 7) * 2 - 1
    bicubic = torch.nn.functional.interpolate(low_res, size=(36, 28), mode="bicubic")
    network = CompactGenerator(architecture="compact", width=8, blocks=2).build(PAPER)
    torch.testing.assert_close(network(low_res), bicubic)


def test_a_compact_generator_places_its_last_channels_as_a_pixel_shuffle_does() -> None:
    network = CompactGenerator(architecture="compact", width=8, blocks=2).build(PAPER)
    low_res = torch.zeros(1, 3, 5, 7)
    with torch.no_grad():
        network.to_pixels.bias.copy_(torch.arange(48.0))
    enlarged = network(low_res)[0]
    for colour, row, column in ((0, 0, 0), (1, 2, 3), (2, 3, 1)):
        expected = torch.full((5, 7), 16.0 * colour + 4 * row + column)
        torch.testing.assert_close(enlarged[colour, row::4, column::4], expected)


def test_a_compact_generator_has_the_parameters_counted_by_hand() -> None:
    width, blocks = 80, 16
    expected = conv(3, width, 3) + (2 * blocks + 1) * conv(width, width, 3) + conv(width, 48, 3)
    settings = CompactGenerator(architecture="compact", width=width, blocks=blocks)
    assert count(settings.build(PAPER)) == expected == 1_940_288


def test_a_residual_generators_branches_start_small() -> None:
    network = ResidualGenerator(architecture="residual", width=64, blocks=1).build(PAPER)
    (block,) = (module for module in network.modules() if isinstance(module, Block))
    he = (2 / (64 * 9)) ** 0.5
    assert block.first.weight.std().item() == pytest.approx(he, rel=0.03)
    assert block.second.weight.std().item() == pytest.approx(0.1 * he, rel=0.03)


def test_a_residual_generator_has_the_parameters_counted_by_hand() -> None:
    width, blocks = 64, 16
    expected = (
        conv(3, width, 3) + (2 * blocks + 1) * conv(width, width, 3)
        + 2 * conv(width, 4 * width, 3) + conv(width, 3, 3)
    )  # fmt: skip
    settings = ResidualGenerator(architecture="residual", width=width, blocks=blocks)
    assert count(settings.build(PAPER)) == expected == 1_517_571
