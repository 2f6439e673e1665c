"""The figure of the distances study."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from srcli.reproduction.studies.drawing import COLOURS, Values, dots_over_seeds, line_over_seeds, save
from srcli.reproduction.studies.study import Result


def draw_distances(thetas: Sequence[float], results: Sequence[Result], path: Path) -> None:
    """Writes estimates and derivatives by theta, each objective's colour, exact values in black."""
    save(path, lambda: _figure(thetas, results))


def _figure(thetas: Sequence[float], results: Sequence[Result]) -> Figure:
    figure = Figure(figsize=(12, 4.0), layout="constrained")
    em, js, gradients = figure.subplots(1, 3)
    sizes = np.abs(thetas)
    em.plot(thetas, sizes, "--", color=COLOURS["exact"], label="exact: |theta|")
    line_over_seeds(em, thetas, [r["wgan-gp"]["estimates"] for r in results], "wgan-gp")
    scaled = [_scaled(r["wgan"]["estimates"], sizes) for r in results]
    line_over_seeds(em, thetas, scaled, "wgan")
    em.set(title="EM distance", xlabel="theta", ylabel="distance (units of the plane)")
    apart = np.array([theta for theta in thetas if theta != 0])
    js.plot(
        apart,
        np.full(len(apart), np.log(2)),
        "_",
        color=COLOURS["exact"],
        markersize=16,
        label="exact: log 2, and 0 at 0",
    )
    if len(apart) < len(thetas):
        js.plot([0], [0], "_", color=COLOURS["exact"], markersize=16)
    dots_over_seeds(js, thetas, [r["gan"]["estimates"] for r in results], "gan")
    js.set(title="JS divergence", xlabel="theta", ylabel="divergence (nats)")
    gradients.plot(
        apart, np.sign(apart), "_", color=COLOURS["exact"], markersize=16, label="exact EM: sign of theta"
    )
    for name in ("wgan-gp", "wgan", "gan"):
        dots_over_seeds(gradients, thetas, [r[name]["gradients"] for r in results], name)
    saturating = [r["gan"]["saturating_gradients"] for r in results]
    dots_over_seeds(gradients, thetas, saturating, "gan, saturating")
    gradients.set(title="Gradient of the generator's loss", xlabel="theta", ylabel="d loss / d theta")
    gradients.set_yscale("symlog", linthresh=1e-3)
    em.legend()
    js.legend(loc="center left")
    gradients.legend(loc="upper left")
    return figure


def _scaled(values: Sequence[float], sizes: Values) -> list[float]:
    """Values times the factor that brings them nearest to the sizes."""
    measured = np.asarray(values)
    return [float(v) for v in measured * (measured @ sizes) / (measured @ measured)]
