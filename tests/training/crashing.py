"""Runs that are started over and over and come to harm: killed, or on a disk that fills up.

`python crashing.py EXPERIMENT DATA FOLDER TALK` trains in FOLDER, which is all of a small disk, and prints as
JSON what it saw. The tests start it where they have mounted one.
"""

import json
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from warm import Process, Srcli

from srcli.runs.directory import RunDirectory
from srcli.runs.log import logged_steps

ENDLESS = "training.steps=1000000"
KILLS, FILLS = 20, 6
PATIENCE = 120.0


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.003)


class Harmed:
    """The run that crashes, and what is observed of it."""

    def __init__(self, srcli: Srcli, experiment: Path, data: Path, folder: Path, talk: Path) -> None:
        self.srcli, self.experiment, self.data, self.folder, self.talk = srcli, experiment, data, folder, talk
        self.run = RunDirectory(folder / "run")

    def start(self, *arguments: str | Path) -> Process:
        """Starts `srcli train ARGUMENTS` with its talk in a file."""
        with self.talk.open("wb") as talk:
            return self.srcli.start("train", *arguments, stdout=talk, stderr=talk)

    def go_on(self, steps: str = ENDLESS) -> Process:
        """Starts the run, or continues it where there is one."""
        if self.run.path.exists():
            return self.start("--resume", self.run.path, "--set", steps)
        return self.train(self.run.path, steps)

    def train(self, path: Path, steps: str) -> Process:
        return self.start(self.experiment, "--data", self.data, "--out", path, "--set", steps)

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
        return [self.go_on(steps).wait(), self.train(self.folder / "whole", steps).wait()]


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
                done = harmed.srcli("train", "--resume", harmed.run.path)
                second = {"code": done.returncode, "talk": done.stderr, "process": process.pid}
        time.sleep(dice.uniform(0, 0.05 if steps else 0.3))
        process.send_signal(signal.SIGKILL)
        seen.append([number, process.wait(), logged_steps(harmed.run.metrics_file), harmed.step()])
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
        code, talk = process.wait(), harmed.talk.read_text()
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
    with Srcli() as srcli:
        print(json.dumps(fill(Harmed(srcli, *map(Path, sys.argv[1:])))))
