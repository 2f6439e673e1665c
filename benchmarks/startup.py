"""Startup time: the help of srcli and of each command, and enlarging one small picture.

python benchmarks/startup.py
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from reporting import arguments, seconds_of, show, time_in_turn

COMMANDS = ("prepare-data", "train", "upscale", "export", "compare", "plot-curves", "presets")


def main() -> None:
    """Runs the benchmark."""
    options = arguments(__doc__).parse_args()
    with tempfile.TemporaryDirectory() as name:
        picture = Path(name, "small.png")
        Image.fromarray(np.full((16, 16, 3), 128, np.uint8)).save(picture)
        typed = {
            "python alone": ["-c", "pass"],
            "srcli --help": ["-m", "srcli", "--help"],
            **{f"srcli {command} --help": ["-m", "srcli", command, "--help"] for command in COMMANDS},
        }
        typed["srcli upscale"] = ["-m", "srcli", "upscale", "-"]
        actions = {
            what: lambda words=words: seconds_of(lambda: run(words, picture)) for what, words in typed.items()
        }
        seconds = time_in_turn(actions, options.rounds)
    show({what: sorted(values)[len(values) // 2] for what, values in seconds.items()}, options.json)


def run(words: list[str], picture: Path) -> None:
    """Runs Python with these arguments and the picture on standard input."""
    with picture.open("rb") as file:
        subprocess.run([sys.executable, *words], stdin=file, capture_output=True, check=True)


if __name__ == "__main__":
    main()
