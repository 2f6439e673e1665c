"""The Python interface, as `import srcli` offers it, over the functions that the commands call."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from srcli.comparison import compare as comparing
from srcli.comparison.compare import Comparison
from srcli.comparison.degrading import parse_degradation
from srcli.comparison.test_faces import faces_of_datasets, faces_of_folder
from srcli.errors import UserError
from srcli.experiment import loading, presets
from srcli.experiment.schema import Experiment
from srcli.generators import loading as generators
from srcli.generators.bundled import DEFAULT
from srcli.generators.description import Description, Generator
from srcli.pictures.pixels import from_network
from srcli.runs.directory import RunDirectory, next_run_path
from srcli.runs.log import read_log
from srcli.storage.bounded import JsonObject, is_number
from srcli.upscaling.pictures import finish_rows, show_visible
from srcli.upscaling.reading import picture_of, read_picture
from srcli.upscaling.tiles import check_size, enlarge_pixels

Place = str | Path
Picture = Image.Image | Place
"""A picture, or the path of its file."""


@dataclass(frozen=True)
class PictureGenerator:
    """A trained generator that takes and gives pictures."""

    generator: Generator

    @property
    def description(self) -> Description:
        """What it is and takes: name, step, scale, experiment, SHA-256 and sizes."""
        return self.generator.description

    @overload
    def upscale(  # type: ignore[overload-overlap]  # a path is a sequence of texts, too
        self, image: Picture, *, consistent: bool = False
    ) -> Image.Image: ...
    @overload
    def upscale(self, image: Sequence[Picture], *, consistent: bool = False) -> list[Image.Image]: ...
    def upscale(
        self, image: Picture | Sequence[Picture], *, consistent: bool = False
    ) -> Image.Image | list[Image.Image]:
        """Enlarges a picture, or each of several, as `srcli upscale` does.

        Args:
            consistent: Whether the output's area average is made equal to the input.

        Raises:
            ImageError: A picture cannot be read, or the network does not take its size.
            UserError: The generator draws faces from noise.
        """
        if not isinstance(image, Image.Image | str | Path):
            return [self.upscale(one, consistent=consistent) for one in image]
        if self.description.takes_noise:
            raise UserError(f"{self.description.label} draws faces from noise and cannot enlarge pictures")
        name = "the picture" if isinstance(image, Image.Image) else str(image)
        if isinstance(image, Image.Image):
            picture = show_visible(picture_of(image.copy(), name))
        else:
            picture = show_visible(read_picture(Path(image), name))
        height, width = picture.colour.shape[:2]
        check_size(width, height, self.description, name)
        enlarged = enlarge_pixels(picture.colour, self.generator, consistent=consistent)
        rows = finish_rows(picture, enlarged, 0, self.description.scale, compare=False)
        result = Image.fromarray(rows[..., 0] if rows.shape[2] == 1 else rows)
        if picture.icc_profile:
            result.info["icc_profile"] = picture.icc_profile
        return result

    def sample(self, count: int, seed: int = 0) -> list[Image.Image]:
        """Draws faces from noise.

        Raises:
            UserError: The generator enlarges pictures.
        """
        if not self.description.takes_noise:
            raise UserError(f"{self.description.label} enlarges pictures and draws none from noise")
        return [Image.fromarray(face) for face in from_network(self.generator.sample(count, seed))]


@dataclass(frozen=True)
class Run:
    """A training run on disk, as it is by now.

    Attributes:
        path: Its folder.
        experiment: All of its settings.
        record: What `run.json` holds: command, versions, device, data, status, health.
    """

    path: Path
    experiment: Experiment
    record: JsonObject

    @cached_property
    def metrics(self) -> dict[str, NDArray[np.float64]]:
        """Every logged number as a column with one value a step, NaN where it was not logged.

        `pandas.DataFrame(run.metrics)` is a table of them.
        """
        entries = read_log(RunDirectory(self.path).metrics_file)
        names = dict.fromkeys(name for entry in entries for name, value in entry.items() if is_number(value))
        return {name: np.array([_number(entry, name) for entry in entries]) for name in names}

    def generator(self, device: str = "cpu") -> PictureGenerator:
        """The generator of its newest whole checkpoint.

        Raises:
            CheckpointError: There is none.
        """
        return load_generator(self.path, device)


def _number(entry: JsonObject, name: str) -> float:
    return float(entry[name]) if is_number(entry.get(name)) else float("nan")


@overload
def upscale(  # type: ignore[overload-overlap]
    image: Picture, model: Place = DEFAULT, *, consistent: bool = False, device: str = "auto"
) -> Image.Image: ...
@overload
def upscale(
    image: Sequence[Picture], model: Place = DEFAULT, *, consistent: bool = False, device: str = "auto"
) -> list[Image.Image]: ...
def upscale(
    image: Picture | Sequence[Picture],
    model: Place = DEFAULT,
    *,
    consistent: bool = False,
    device: str = "auto",
) -> Image.Image | list[Image.Image]:
    """Enlarges a picture, or each of several, with the model's scale (four with the bundled ones).

    Args:
        image: Pictures, or paths of their files.
        model: As for `load_generator`, which is better called once for many pictures.
        consistent: Whether the output's area average is made equal to the input.
        device: `auto`, `cpu`, `cuda`, ...

    Raises:
        UserError: Whatever is wrong with picture, model or device.
    """
    generator = load_generator(model, device)
    return generator.upscale(image, consistent=consistent)


def load_generator(model: Place = DEFAULT, device: str = "cpu") -> PictureGenerator:
    """Loads a trained generator.

    Args:
        model: The name of a bundled model, or the path of a run, a checkpoint, a .safetensors or .onnx file.
        device: `auto`, `cpu`, `cuda`, ...

    Raises:
        CheckpointError: There is no such model, or it is damaged.
        UserError: The device cannot be used.
    """
    return PictureGenerator(generators.load_generator(str(model), device))


def load_experiment(source: Place, settings: Mapping[str, Any] | Sequence[str] = ()) -> Experiment:
    """Reads a preset or an experiment file.

    Args:
        source: A preset's name or a path.
        settings: What to change, `{"training.steps": 200}` or `["training.steps=200"]`.

    Raises:
        ExperimentError: With every mistake, a line each.
    """
    is_preset = str(source) in presets.preset_names()
    path = presets.preset_path(str(source)) if is_preset else presets.experiment_path(Path(source))
    overrides = loading.as_overrides(settings) if isinstance(settings, Mapping) else settings
    return loading.load_experiment(path, overrides)


def train(
    experiment: Experiment | Place,
    data: Place | Sequence[Place] = (),
    out: Place | None = None,
    *,
    settings: Mapping[str, Any] | Sequence[str] = (),
    device: str = "auto",
) -> Run:
    """Trains an experiment to its end, in a new run directory.

    Args:
        experiment: An experiment, a preset's name or a path.
        data: Prepared datasets, taken as one; none for the built-in drawn faces.
        out: The run directory; by default the next free `runs/NAME-N`.
        settings: As for `load_experiment`; not with an experiment that is loaded already.
        device: `auto`, `cpu`, `cuda`, ...

    Raises:
        UserError: Whatever is wrong with the settings, the data or the path, before anything is made.
        DivergedError: A term of the loss stopped being finite; the run is kept.
        InterruptedRunError: Ctrl-C; a checkpoint is saved.
    """
    from srcli.devices import choose_device
    from srcli.training.sessions import start_run

    if not isinstance(experiment, Experiment):
        experiment = load_experiment(experiment, settings)
    elif settings:
        raise UserError("settings go with a name or a path", "Use load_experiment(name, settings).")
    path = next_run_path(Path("runs"), experiment.name) if out is None else Path(out)
    start_run(experiment, _paths(data), path, choose_device(device), ["srcli.train"])
    return read_run(path)


def read_run(path: Place) -> Run:
    """Reads a run, also one that is still training.

    Raises:
        RunError: It is not a run, or its record is damaged.
        ExperimentError: Its experiment is damaged.
    """
    directory = RunDirectory(Path(path))
    record = directory.record()
    return Run(directory.path, loading.load_experiment(directory.experiment_file), record)


def compare(
    models: Place | Sequence[Place],
    data: Place | Sequence[Place] = (),
    *,
    images: Place | None = None,
    limit: int | None = None,
    degrade: str | None = None,
    identity: bool = False,
    device: str = "auto",
) -> Comparison:
    """Measures models on the same test faces, beside nearest and bicubic enlargement.

    Args:
        models: As for `load_generator`, all of one task.
        data: Prepared datasets, whose test faces are used; without them and `images`, drawn faces.
        images: A folder of pictures instead.
        limit: At most this many faces.
        degrade: What the inputs suffer, for example `jpeg:75`, `noise:5`, `blur:1`, `kernel:bicubic`.
        identity: Whether to measure how far faces move from their labels as dlib's face recognition sees
            them; needs the extra `identity`.
        device: `auto`, `cpu`, `cuda`, ...

    Raises:
        UserError: Whatever is wrong with models, faces or device.
    """
    degradation = None if degrade is None else parse_degradation(degrade)
    loaded = comparing.load_models([str(model) for model in _several(models)], device)
    task = comparing.task_of(loaded)
    if images is not None:
        faces = faces_of_folder(Path(images), limit, task)
    else:
        faces = faces_of_datasets(_paths(data), limit, task)
    return comparing.compare(loaded, replace(faces, degradation=degradation), identity=identity)


def _several(places: Place | Sequence[Place]) -> Sequence[Place]:
    return [places] if isinstance(places, str | Path) else places


def _paths(places: Place | Sequence[Place]) -> list[Path]:
    return [Path(place) for place in _several(places)]
