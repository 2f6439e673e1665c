"""The program as users run it: real processes, exit codes, one line per mistake."""

import json
import os
import pty
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image
from tiny_experiments import pack_faces, small_experiment
from warm import COMMAND, Srcli

from srcli.runs.log import read_log

HEAVY = {"torch", "torchvision", "numpy", "scipy", "matplotlib", "pydantic"}


@pytest.fixture(scope="module")
def experiment_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("experiment") / "mine.yaml"
    path.write_text(small_experiment(steps=4).to_yaml())
    return path


@pytest.fixture(scope="module")
def data(experiment_file: Path) -> Path:
    """Faces that are packed already: to draw the built-in ones takes longer than to train on them."""
    return pack_faces(experiment_file.parent)


@pytest.fixture(scope="module")
def finished_run(experiment_file: Path, data: Path, srcli: Srcli) -> Path:
    run = experiment_file.parent / "finished"
    done = srcli("train", experiment_file, "--data", data, "--out", run)
    assert (done.returncode, done.stdout) == (0, f"{run}\n")
    return run


def error_lines(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert "Traceback" not in done.stderr
    return [line.removeprefix("error: ") for line in done.stderr.splitlines() if line.startswith("error: ")]


def imported_by(*arguments: str) -> set[str]:
    """The heavy modules that a child process has imported once it has printed the help asked for."""
    script = (
        "import sys\n"
        "from srcli.cli.main import app\n"
        "try:\n    app(sys.argv[1:])\n"
        "except SystemExit as end:\n    assert not end.code\n"
        f"print(*({HEAVY!r} & set(sys.modules)), file=sys.stderr)\n"
    )
    command = [sys.executable, "-c", script, *arguments, "--help"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert "Usage" in done.stdout
    return set(done.stderr.split())


def test_help_imports_nothing_heavy() -> None:
    assert imported_by() == set()


@pytest.mark.parametrize("command", ["prepare-data", "train", "upscale", "compare", "plot-curves", "presets"])
def test_help_of_a_command_imports_nothing_heavy(command: str) -> None:
    # Newer releases of typer import pydantic by themselves to read a command's arguments.
    assert imported_by(command) <= {"pydantic"}


def test_a_run_resumed_with_more_steps_logs_each_step_once(finished_run: Path, srcli: Srcli) -> None:
    done = srcli("train", "--resume", finished_run, "--set", "training.steps=6")
    assert done.returncode == 0
    assert [entry["step"] for entry in read_log(finished_run / "metrics.jsonl")] == [1, 2, 3, 4, 5, 6]
    seconds = [entry["seconds"] for entry in read_log(finished_run / "metrics.jsonl")]
    assert seconds == sorted(seconds)
    again = srcli("train", "--resume", finished_run)
    assert again.returncode == 1
    assert error_lines(again) == [
        f"{finished_run} has already done its 6 steps. To go on, extend it with --set training.steps=N."
    ]


def test_resuming_with_other_settings_is_refused_with_the_differences(
    finished_run: Path, srcli: Srcli
) -> None:
    before = (finished_run / "experiment.yaml").read_text()
    done = srcli(
        "train", "--resume", finished_run, "--set", "objective.gamma=0.5", "--set", "training.seed=3"
    )
    assert done.returncode == 1
    (line,) = error_lines(done)
    assert "objective.gamma: 0.9 -> 0.5; training.seed: 1 -> 3" in line
    assert (finished_run / "experiment.yaml").read_text() == before


def wait_for_steps(run: Path, count: int) -> None:
    deadline, log = time.monotonic() + 60, run / "metrics.jsonl"
    while not (log.exists() and log.read_text().count("\n") >= count):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def check_interrupted(run: Path) -> None:
    """The run says that it was interrupted, and has a checkpoint of its last step."""
    record = json.loads((run / "run.json").read_text())
    assert record["status"] == "interrupted"
    assert (run / "checkpoints" / f"step-{record['step']:06d}").is_dir()
    assert len(read_log(run / "metrics.jsonl")) == record["step"]


def endless(experiment_file: Path, data: Path, run: Path) -> list[str]:
    """The command of an endless training run that saves nothing until it is told to stop."""
    settings = [f"training.{name}=100000" for name in ("steps", "checkpoint_every", "evaluate_every")]
    overrides = [part for setting in settings for part in ("--set", setting)]
    return ["train", str(experiment_file), "--data", str(data), "--out", str(run), *overrides]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_sigterm_and_sighup_save_a_checkpoint_and_exit_130(
    number: signal.Signals, experiment_file: Path, data: Path, tmp_path: Path, srcli: Srcli
) -> None:
    run, output, errors = (tmp_path / name for name in ("run", "output", "errors"))
    with (
        output.open("wb") as stdout,
        errors.open("wb") as stderr,
        srcli.start(*endless(experiment_file, data, run), stdout=stdout, stderr=stderr) as process,
    ):
        wait_for_steps(run, 6)
        process.send_signal(number)
        assert process.wait() == 130
    assert output.read_text() == ""
    assert f"Continue with --resume {run}" in errors.read_text()
    check_interrupted(run)


@pytest.mark.long
def test_a_closed_terminal_leaves_a_checkpoint(experiment_file: Path, data: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    ours, theirs = pty.openpty()
    # The first terminal that the head of a session opens becomes the session's own.
    adopt = "import os, sys; os.open(sys.argv[1], os.O_RDWR); os.execv(sys.argv[2], sys.argv[2:])"
    with subprocess.Popen(
        [sys.executable, "-c", adopt, os.ttyname(theirs), *COMMAND, *endless(experiment_file, data, run)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # these tests may run under nohup
    ) as process:
        try:
            os.close(theirs)
            wait_for_steps(run, 6)
            os.close(ours)
            assert process.wait(timeout=60) == 130
        finally:
            process.kill()
    check_interrupted(run)


@pytest.mark.long
def test_under_nohup_training_outlives_the_terminal(
    experiment_file: Path, data: Path, tmp_path: Path
) -> None:
    run, nowhere = tmp_path / "run", subprocess.DEVNULL
    command = ["nohup", *COMMAND, *endless(experiment_file, data, run)]
    process = subprocess.Popen(command, stdin=nowhere, stdout=nowhere, stderr=nowhere)
    wait_for_steps(run, 6)
    os.kill(process.pid, signal.SIGHUP)
    wait_for_steps(run, len(read_log(run / "metrics.jsonl")) + 6)
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(timeout=60) == 130
    check_interrupted(run)


def test_an_unknown_preset_gets_a_suggestion(tmp_path: Path, srcli: Srcli) -> None:
    done = srcli("train", "--preset", "mlp-wgan-gp", cwd=tmp_path)
    assert done.returncode == 1
    (line,) = error_lines(done)
    assert "mlp-wgan-gp" in line
    assert "mlp-wgangp" in line
    assert list(tmp_path.iterdir()) == []


def test_missing_data_is_one_line_and_leaves_nothing(tmp_path: Path, srcli: Srcli) -> None:
    done = srcli("train", "--preset", "smoke", "--data", "nowhere", cwd=tmp_path)
    assert done.returncode == 1
    assert error_lines(done)[0].startswith("nowhere does not exist")
    assert list(tmp_path.iterdir()) == []


def test_an_occupied_run_directory_is_refused_before_training(finished_run: Path, srcli: Srcli) -> None:
    done = srcli("train", "--preset", "smoke", "--out", finished_run)
    assert done.returncode == 1
    assert "already exists" in error_lines(done)[0]


def test_a_damaged_checkpoint_is_named(finished_run: Path, tmp_path: Path, srcli: Srcli) -> None:
    weights = max((finished_run / "checkpoints").glob("step-*")) / "generator.safetensors"
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(weights.read_bytes()[:5000])
    done = srcli("compare", broken, "--out", tmp_path / "out")
    assert done.returncode == 1
    assert str(broken) in error_lines(done)[0]
    assert not (tmp_path / "out").exists()


def test_two_sources_of_an_experiment_are_a_usage_error(experiment_file: Path, srcli: Srcli) -> None:
    assert srcli("train", experiment_file, "--preset", "smoke").returncode == 2
    assert srcli("train").returncode == 2


def test_a_dry_run_prints_the_experiment_and_its_cost_and_writes_nothing(
    experiment_file: Path, tmp_path: Path, srcli: Srcli, data: Path
) -> None:
    done = srcli("train", experiment_file, "--data", data, "--dry-run", "--precision", "bf16", cwd=tmp_path)
    assert done.returncode == 0
    assert "  precision: bf16\n" in done.stdout
    assert "# generator parameters: 432,416" in done.stdout
    assert "# seconds per step:" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_refuses_a_missing_or_mismatched_init_from(
    experiment_file: Path, finished_run: Path, tmp_path: Path, srcli: Srcli, data: Path
) -> None:
    def rehearse(*settings: str) -> subprocess.CompletedProcess[str]:
        overrides = [part for setting in settings for part in ("--set", setting)]
        return srcli("train", experiment_file, "--data", data, "--dry-run", *overrides, cwd=tmp_path)

    missing = rehearse("training.init_from=nowhere")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert error_lines(missing) == [
        "nowhere does not exist. Give a run, a checkpoint or a .safetensors file."
    ]
    begin = f"training.init_from={finished_run}"
    other = rehearse(begin, "generator.width=16")
    assert other.returncode == 1
    assert error_lines(other) == [f"training.init_from: the generator of {finished_run} has other settings"]
    assert rehearse(begin).returncode == 0


def test_a_missing_device_is_one_line(experiment_file: Path, tmp_path: Path, srcli: Srcli) -> None:
    done = srcli("train", experiment_file, "--device", "nonsense", cwd=tmp_path)
    assert done.returncode == 1
    assert error_lines(done)[0].startswith("--device nonsense cannot be used")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_closed_pipe_and_a_full_device_cause_no_traceback() -> None:
    command = f"{shlex.join(COMMAND)} presets list"
    for redirect in ("| true", "> /dev/full"):
        done = subprocess.run(
            ["bash", "-c", f"{command} {redirect}"], capture_output=True, text=True, timeout=60
        )
        assert "Traceback" not in done.stderr
        assert "Exception ignored" not in done.stderr


def test_a_full_disk_is_one_line_and_leaves_no_partial_checkpoint(
    experiment_file: Path, tmp_path: Path, srcli: Srcli, data: Path
) -> None:
    run = tmp_path / "run"
    # The log fits into 100 KiB, the first weights do not.
    done = srcli("train", experiment_file, "--data", data, "--out", run, file_size=100 * 1024)
    assert done.returncode == 1
    (line,) = error_lines(done)
    assert line.startswith(str(run))
    assert line.endswith(": File too large")
    record = json.loads((run / "run.json").read_text())
    assert (record["status"], "File too large" in record["reason"]) == ("failed", True)
    assert list((run / "checkpoints").iterdir()) == []
    assert srcli("train", "--resume", run).returncode == 0
    assert [entry["step"] for entry in read_log(run / "metrics.jsonl")] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        (("upscale", ""), "an argument"),
        (("upscale", "face.png", "--out", ""), "--out"),
        (("upscale", "face.png", "--model="), "--model"),
        (("train", "--resume", ""), "--resume"),
        (("compare", "run", "", "--out", "report"), "an argument"),
        (("presets", "copy", "smoke", ""), "an argument"),
    ],
)
def test_an_empty_argument_is_an_error(
    arguments: tuple[str, ...], where: str, tmp_path: Path, srcli: Srcli
) -> None:
    Image.new("RGB", (16, 16)).save(tmp_path / "face.png")
    done = srcli(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"Invalid value for {where}: it is empty; is a variable unset?" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["face.png"]


@pytest.mark.parametrize(
    ("arguments", "mistake"),
    [
        ("train mlp-wgangp", "mlp-wgangp is not a file but a preset. Train it with --preset mlp-wgangp."),
        ("train mlp-wgan-gp.yaml", "mlp-wgan-gp.yaml does not exist. Did you mean --preset mlp-wgangp? Give"),
        (
            "train runs/faces-1",
            "runs/faces-1 is a run, not an experiment file. Continue it with --resume runs/fa",
        ),
        ("train --preset notes.txt", "there is no preset called 'notes.txt'. To train the file: srcli train"),
        (
            "train --preset smoke --set steps=5",
            "--set steps=5: steps: no such setting; did you mean training.st",
        ),
        ("train --resume nope", "nope is not a run. Runs here: runs/faces-1."),
        ("train --resume face-1", "face-1 is not a run. Did you mean runs/faces-1?"),
        (
            "prepare-data pictures --out data",
            "more than 1 % of 3 pictures cannot be used: ",
        ),
        ("upscale face.png --model notes.txt", "notes.txt cannot be read as weights: "),
    ],
)
def test_a_mistake_gets_a_remedy(arguments: str, mistake: str, tmp_path: Path, srcli: Srcli) -> None:
    (tmp_path / "runs" / "faces-1").mkdir(parents=True)
    (tmp_path / "runs" / "faces-1" / "run.json").write_text("{}")
    (tmp_path / "notes.txt").write_text("some notes")
    (tmp_path / "pictures").mkdir()
    for name, size in (("0", (178, 218)), ("1", (80, 80)), ("2", (80, 80))):
        Image.new("RGB", size).save(tmp_path / "pictures" / f"{name}.png")
    Image.new("RGB", (16, 16)).save(tmp_path / "face.png")
    done = srcli(*arguments.split(), cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = error_lines(done)
    assert line.startswith(mistake)
    if "prepare-data" in arguments:
        assert line.endswith(
            " --layout faces takes pictures of any size. If that is expected, allow more with --max-skipped."
        )
    if "--model" in arguments:
        assert line.endswith(". Give a run, a checkpoint or a .safetensors file.")


@pytest.mark.parametrize(
    ("arguments", "mistake"),
    [
        ("upscale -dash.png", "No such option: -d. If it is a file, write ./-dash.png"),
        ("upscale --dash.png", "No such option: --dash.png. If it is a file, write ./--dash.png"),
        ("upscale https://example.org/a?b.png", "https://example.org/a?b.png is a URL, but only local"),
        ("train https://example.org/a.yaml", "https://example.org/a.yaml is a URL, but only local files"),
    ],
)
def test_arguments_that_are_not_files_are_explained(
    arguments: str, mistake: str, tmp_path: Path, srcli: Srcli
) -> None:
    done = srcli(*arguments.split(), cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert mistake in " ".join(done.stderr.replace("│", " ").split())


def test_help_and_version_have_all_their_usual_names(srcli: Srcli) -> None:
    assert srcli("-V").stdout == srcli("version").stdout == srcli("--version").stdout
    assert srcli("help", "presets", "copy").stdout == srcli("presets", "copy", "--help").stdout


def test_a_read_only_folder_is_named(experiment_file: Path, data: Path, tmp_path: Path, srcli: Srcli) -> None:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    closed = folder if os.geteuid() else Path("/sys/kernel")  # where even the superuser makes no files
    Image.new("RGB", (16, 16)).save(tmp_path / "face.png")
    trained = srcli("train", experiment_file, "--data", data, "--out", closed / "new" / "run", cwd=tmp_path)
    enlarged = srcli("upscale", "face.png", "--out", closed / "face.png", cwd=tmp_path)
    for done in (trained, enlarged):
        assert (done.returncode, done.stdout) == (1, "")
        (line,) = error_lines(done)
        assert str(closed) in line
        assert ".part" not in line
        assert "nothing can be created in this folder" in line or "is not writable" in line
