"""A program that runs srcli repeatedly in forks of one warm process and makes it crash.

`python crashing.py kill|fill EXPERIMENT DATA FOLDER` leaves FOLDER/run, which crashed on its way, and
FOLDER/whole, which did not, with equal numbers of steps; it prints its observations as JSON.
"""

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from srcli.cli.main import main
from srcli.experiment.loading import load_experiment
from srcli.runs.directory import RunDirectory
from srcli.runs.log import logged_steps
from srcli.training.sessions import start_run  # noqa: F401  imported before the forks
from srcli.training.state import build_state

ENDLESS = "training.steps=1000000"
KILLS, FILLS = 20, 6
PATIENCE = 120.0


def start(*arguments: str | Path, talk: Path) -> int:
    """Starts `srcli ARGUMENTS` with its messages in a file, and returns the process."""
    sys.stdout.flush()
    process = os.fork()
    if process == 0:
        file = os.open(talk, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, 1)
        os.dup2(file, 2)
        sys.argv = ["srcli", *map(str, arguments)]
        code = 99
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        finally:
            sys.stderr.flush()
            os._exit(code)
    return process


def wait(process: int) -> int:
    """The exit code of a process; negative: the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.003)


class Harmed:
    """The run that crashes, and what is observed of it."""

    def __init__(self, experiment: Path, data: Path, folder: Path, talk: Path) -> None:
        self.experiment, self.data, self.folder, self.talk = experiment, data, folder, talk
        self.run = RunDirectory(folder / "run")

    def go_on(self, steps: str = ENDLESS) -> int:
        """Starts the run, or resumes it if it exists."""
        if self.run.path.exists():
            return start("train", "--resume", self.run.path, "--set", steps, talk=self.talk)
        return self.train(self.run.path, steps)

    def train(self, path: Path, steps: str) -> int:
        settings = ("--data", self.data, "--out", path, "--set", steps)
        return start("train", self.experiment, *settings, talk=self.talk)

    def step(self) -> int:
        return max(self.run.checkpoint_steps(), default=0)

    def has_logged(self, step: int, old_log: int) -> bool:
        """Whether a process that replaced the log has reached a step."""
        return self.log_identity() not in (0, old_log) and logged_steps(self.run.metrics_file) >= step

    def log_identity(self) -> int:
        return self.run.metrics_file.stat().st_ino if self.run.metrics_file.exists() else 0

    def finish(self) -> list[int]:
        """Ends the run, and trains another one to the same step undisturbed."""
        steps = f"training.steps={logged_steps(self.run.metrics_file) + 3}"
        return [wait(self.go_on(steps)), wait(self.train(self.folder / "whole", steps))]


def kill(harmed: Harmed) -> dict[str, Any]:
    """Kills the run at random moments: during startup, or some steps and milliseconds later."""
    dice, seen = random.Random(20), []
    second = {}
    for number in range(KILLS):
        log, step, steps = harmed.log_identity(), harmed.step(), dice.choice([0, 0, 1, 2, 3, 5, 8])
        process = harmed.go_on()
        if steps:
            wait_until(lambda step=step, steps=steps, log=log: harmed.has_logged(step + steps, log))
            if not second:
                talk = harmed.talk.with_suffix(".second")
                code = wait(start("train", "--resume", harmed.run.path, talk=talk))
                second = {"code": code, "talk": talk.read_text(), "process": process}
        time.sleep(dice.uniform(0, 0.05 if steps else 0.3))
        os.kill(process, signal.SIGKILL)
        seen.append([number, wait(process), logged_steps(harmed.run.metrics_file), harmed.step()])
    return {"kills": seen, "second": second, "codes": harmed.finish()}


def fill(harmed: Harmed) -> dict[str, Any]:
    """Fills the disk while the run trains, leaving a random amount too small for a checkpoint."""
    dice, seen = random.Random(6), []
    ballast = harmed.folder / "ballast"
    for _ in range(FILLS):
        log, step = harmed.log_identity(), harmed.step()
        process = harmed.go_on()
        wait_until(lambda log=log, step=step: harmed.has_logged(step + 5, log) and harmed.step() > step)
        leave_free(ballast, dice.choice([0, 0, 4096, 32768, 131072]))
        code, talk = wait(process), harmed.talk.read_text()
        seen.append({"code": code, "talk": talk, "status": harmed.run.record()["status"]})
        ballast.unlink()
    return {"fills": seen, "codes": harmed.finish()}


def leave_free(ballast: Path, rest: int) -> None:
    """Fills the disk up to a number of bytes."""
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            file.truncate(max(file.tell() - rest, 0))


if __name__ == "__main__":
    torch.set_num_threads(1)  # a fork has only one thread
    scenario, experiment, data, folder = sys.argv[1], *map(Path, sys.argv[2:5])
    harmed = Harmed(experiment, data, folder, Path(sys.argv[5]))
    build_state(load_experiment(experiment), torch.device("cpu"))  # torch imports half of itself only here
    print(json.dumps({"kill": kill, "fill": fill}[scenario](harmed)))
