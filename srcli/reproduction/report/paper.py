"""What the paper shows, and in which figures."""

from collections.abc import Mapping

OBJECTIVES: Mapping[str, str] = {"gan": "GAN", "wgan": "WGAN", "wgangp": "WGAN-GP"}
"""Titles by what presets call them."""

FAMILIES: Mapping[str, tuple[str, str]] = {
    "dcgan": ("bcd", "DCGAN"),
    "mlp": ("efg", "MLP"),
    "resnet-nobn": ("hij", "ResNet without batch norm"),
    "dcgan-tanh": ("klm", "DCGAN with tanh"),
}
"""The architectures of figure 3: one panel per objective, and a title."""

PAPERS_EXPERIMENTS: Mapping[str, str] = {
    "resnet-gan": "1, 2, 4",
    "resnet-wgan": "1, 2, 4",
    "resnet-wgangp": "1, 2",
    **{
        f"{family}-{objective}": f"3 {panel}"
        for family, (panels, _) in FAMILIES.items()
        for objective, panel in zip(OBJECTIVES, panels, strict=True)
    },
    **{
        f"resnet-{objective}-{gamma}": "4" for objective in ("gan", "wgan") for gamma in ("gamma0", "gamma05")
    },
    "noise-dcgan-gan": "5",
    "noise-dcgan-wgangp": "5",
}
"""The paper's 21 experiments, and the figures they are in."""

PAPERS_SCALE = "the paper: full width, 202,599 faces, length not stated"
AUTHORS_LOG = (
    "For comparison, the authors' own log (their repository srez, summary/1: the ResNet with the clipped"
    " WGAN and no L1 term, 14,560 steps): there the size of the critic's loss, averaged over tenths of the"
    " run, rises from 0.23 to 1.03 in the ninth and 0.95 in the last."
)
