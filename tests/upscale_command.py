"""`srcli upscale` inside the tests' process, and the pictures for it."""

from pathlib import Path

import numpy as np
from PIL import Image
from pixels import soft
from typer.testing import CliRunner

from srcli.cli.main import app


def upscale(*arguments: str | Path, stdin: bytes | None = None) -> tuple[int, str, list[str]]:
    """The exit code, standard output, and the lines on standard error."""
    done = CliRunner().invoke(app, ["upscale", *map(str, arguments)], input=stdin)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr.splitlines()


def draw(*names: str, size: tuple[int, int] = (16, 16)) -> None:
    """Draws pictures of soft spots, of a height and width, none like another."""
    for number, name in enumerate(names):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.roll(soft(*size), number, axis=0)).save(name)


def opened(path: str) -> Image.Image:
    with Image.open(path) as image:
        image.load()
        return image


def names_in(folder: str) -> list[str]:
    return sorted(path.name for path in Path(folder).iterdir())
