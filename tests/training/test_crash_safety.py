"""Real training processes that crash, and runs that end as if uninterrupted."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import crashing
import pytest
import warm
from crashing import Harmed, kill
from tiny_experiments import logged_without_clock, pack_faces, small_experiment
from warm import Srcli

from srcli.runs.directory import RunDirectory


@pytest.fixture(scope="module")
def materials(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """An experiment file and a packed dataset."""
    folder = tmp_path_factory.mktemp("materials")
    experiment = small_experiment("wgan-gp", "residual", ema_decay=0.9, checkpoint_every=4, sample_every=2)
    (folder / "mine.yaml").write_text(experiment.to_yaml())
    return folder / "mine.yaml", pack_faces(folder)


def assert_as_if_unharmed(folder: Path) -> None:
    """Compares `folder/run` with `folder/whole`: same bytes, same log, no leftovers."""
    run, whole = RunDirectory(folder / "run"), RunDirectory(folder / "whole")
    steps = whole.record()["step"]
    assert (run.record()["status"], run.record()["step"]) == ("finished", steps)
    log = logged_without_clock(run)
    assert [entry["step"] for entry in log] == list(range(1, steps + 1))
    assert log == logged_without_clock(whole)
    for file in whole.checkpoint(steps).iterdir():
        assert file.read_bytes() == (run.checkpoint(steps) / file.name).read_bytes(), file.name
    for file in whole.samples.iterdir():
        assert file.read_bytes() == (run.samples / file.name).read_bytes(), file.name
    assert len(run.checkpoint_steps()) == 2
    assert list(run.path.rglob("*.part")) == []


@pytest.mark.long
def test_a_run_killed_at_20_random_moments_ends_like_an_unbroken_one(
    materials: tuple[Path, Path], tmp_path: Path, srcli: Srcli
) -> None:
    seen = kill(Harmed(srcli, *materials, tmp_path, tmp_path / "talk"))
    assert [code for _, code, _, _ in seen["kills"]] == [-9] * 20
    assert seen["codes"] == [0, 0]
    assert_as_if_unharmed(tmp_path)
    second = seen["second"]
    assert second["code"] == 1
    (line,) = second["talk"].splitlines()
    assert line.startswith(f"error: {tmp_path / 'run'} is being trained by process {second['process']} on ")


@pytest.mark.long
def test_a_run_on_a_disk_that_keeps_filling_up_ends_like_an_unbroken_one(
    materials: tuple[Path, Path], tmp_path: Path
) -> None:
    disk, kept = tmp_path / "disk", tmp_path / "kept"
    disk.mkdir()
    mount = 'mount -t tmpfs -o size=8m tmpfs "$0"'
    space = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*space, mount, disk], capture_output=True).returncode
    ):
        pytest.skip("needs the right to mount a tmpfs in a namespace of its own")
    script = f'{mount} && "$@" && cp -r "$0" "{kept}"'
    tests = Path(warm.__file__).parent
    paths = os.pathsep.join((str(tests), os.environ.get("PYTHONPATH", "")))
    command = [sys.executable, crashing.__file__, *materials, disk, tmp_path / "talk"]
    done = subprocess.run(
        [*space, script, disk, *command],
        capture_output=True,
        text=True,
        timeout=500,
        env={**os.environ, "PYTHONPATH": paths},
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    for fill in seen["fills"]:
        assert fill["code"] == 1
        assert fill["talk"].splitlines()[-1].startswith(f"error: {disk / 'run'}")
        assert fill["talk"].endswith(": the disk is full\n")
        assert fill["status"] in ("failed", "running")
    assert seen["codes"] == [0, 0]
    assert_as_if_unharmed(kept)
