"""Every command of README.md, run by a shell in the page's order, shortened only where `CHANGED` says."""

import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image
from warm import Srcli

from srcli.drawn_faces.faces import draw_faces

ROOT = Path(__file__).parents[1]
SHORT = " --set training.steps=2 --set training.evaluate_faces=4"
NARROW = " --set generator.width=8 --set critic.width=8"
MLP = (
    'run=$(srcli train --preset mlp-wgangp --data celeba) && srcli compare "$run" --data celeba --out report'
)
CHANGED = {
    # The environment that runs the tests is an installed one; .ci/run gives the test command as it stands.
    "pip install . && srcli upscale examples/face.png": "srcli upscale examples/face.png",
    'pip install -e ".[dev]" && pytest -n 2': "",
    # Hours on CelebA become seconds on a few drawn faces.
    "srcli train --preset smoke": "srcli train --preset smoke" + SHORT,
    "srcli train --preset dcgan-wgangp --data celeba": (
        "srcli train --preset dcgan-wgangp --data celeba" + SHORT + NARROW
    ),
    "srcli train --resume runs/dcgan-wgangp-1": (
        "srcli train --resume runs/dcgan-wgangp-1 --set training.steps=3"
    ),
    MLP: (
        f"run=$(srcli train --preset mlp-wgangp --data celeba{SHORT}{NARROW})"
        ' && srcli compare "$run" --data celeba --out report'
    ),
    "srcli reproduce smoke": "srcli reproduce shortened/smoke.yaml",
    "srcli reproduce small --data celeba --jobs 2": (
        "srcli reproduce shortened/small.yaml --data celeba --jobs 2"
    ),
    "srcli reproduce wgan": "srcli reproduce shortened/wgan.yaml",
}
"""What is run in place of a command of the page; all others are run as they stand."""

LEAVES = {
    "pip install . && srcli upscale examples/face.png": ["examples/face_x4.png"],
    "srcli train --preset smoke": ["runs/smoke-1/metrics.jsonl"],
    "srcli prepare-data img_align_celeba.zip --out celeba": ["celeba/dataset.json"],
    "srcli train --preset dcgan-wgangp --data celeba": ["runs/dcgan-wgangp-1/metrics.jsonl"],
    "srcli plot-curves runs/* --out figure2.png": ["figure2.png"],
    "srcli compare runs/* --data celeba --out comparison": [
        f"comparison/{name}" for name in ("panel.png", "report.html", "metrics.json")
    ],
    "srcli upscale small.png --model runs/dcgan-wgangp-1": ["small_x4.png"],
    "cat face.png | srcli upscale - > big.png": ["big.png"],
    "srcli reproduce smoke": ["reproductions/smoke/report.html"],
    "srcli reproduce small --data celeba --jobs 2": ["reproductions/small/report.html"],
    "srcli reproduce wgan": ["reproductions/wgan/report.html"],
}
"""What the page says that a command leaves."""


INSTALLED_PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
SHIM = """#!{python} -SE
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as call:
    call.connect({address!r})
    message = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
    socket.send_fds(call, [message], [0, 1, 2])
    sys.exit(int(call.recv(10)))
"""


def commands() -> list[str]:
    """The commands of the page, a line each, without their comments."""
    blocks = re.findall(r"^```bash\n(.*?)^```$", (ROOT / "README.md").read_text("utf-8"), re.M | re.S)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [command for line in lines if (command := re.sub(r"(^|\s+)#.*", "", line).strip())]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder like the one in which a reader of the page is, with small stand-ins for what is theirs."""
    folder = tmp_path_factory.mktemp("readme")
    shutil.copytree(ROOT / "examples", folder / "examples")
    for name in ("face.png", "small.png"):
        shutil.copy(ROOT / "examples" / "face.png", folder / name)
    with zipfile.ZipFile(folder / "img_align_celeba.zip", "w") as archive:
        for number, face in enumerate(draw_faces(80, 0), 1):
            archive.writestr(f"img_align_celeba/{number:06d}.jpg", _in_celebas_frame(Image.fromarray(face)))
    (folder / "shortened").mkdir()
    for name in ("smoke", "small", "wgan"):
        plan = ROOT / "plans" / f"{name}.yaml"
        text = yaml.safe_dump(_shortened(yaml.safe_load(plan.read_text("utf-8"))), sort_keys=False)
        (folder / "shortened" / plan.name).write_text(text, "utf-8")
    yield folder
    shutil.rmtree(folder)


def _in_celebas_frame(face: Image.Image) -> bytes:
    frame, file = Image.new("RGB", (178, 218), (90, 110, 130)), io.BytesIO()
    frame.paste(face.resize((144, 144), Image.Resampling.BICUBIC), (17, 52))
    frame.save(file, "JPEG", quality=90)
    return file.getvalue()


def _shortened(plan: dict[str, Any]) -> dict[str, Any]:
    """Of `small` one run of two steps; of other plans one study, of two seeds and three pairs of shapes."""
    if plan["name"] != "small":
        study = next(study for study in plan["studies"] if study["study"] == "exact_em")
        short = {**study, "seeds": [0, 1], "pairs": study["pairs"][:3], "points": 50, "critic_steps": 5}
        return {"name": plan["name"], "title": plan["title"], "studies": [short]}
    settings = {
        "training.batch_size": 4,
        "training.evaluate_every": 1,
        "training.evaluate_faces": 8,
        "training.sample_every": 2,
        "training.checkpoint_every": 2,
        "training.keep_checkpoints": 1,
    }
    part = {**plan["parts"][0], "presets": ["mlp-gan"], "seeds": 1, "steps": 2}
    part["settings"] = {"generator.width": 8, "critic.width": 8}
    claims = {**plan["claims"], "follows": {**plan["claims"]["follows"], "burn_in": 0}}
    return {**plan, "settings": settings, "parts": [part], "claims": claims}


def test_the_verdicts_of_the_page_are_those_of_the_campaigns() -> None:
    paper, wgan = (
        [
            claim["verdict"]
            for claim in json.loads((ROOT / f"results/{name}/verdicts.json").read_text())["claims"]
        ]
        for name in ("small", "wgan")
    )
    text = " ".join((ROOT / "README.md").read_text("utf-8").split())
    done = len([*(ROOT / "results/small/records").iterdir()])
    assert f"(campaign `small`: {done} of its 80 runs are done)" in text
    table = text.partition("| verdict so far |")[2].partition("Of 15 findings")[0]
    assert re.findall(r"\| (holds|does not hold|undecided) \|", table) == paper
    holds, fails, undecided = (wgan.count(verdict) for verdict in ("holds", "does not hold", "undecided"))
    assert f"Of {len(wgan)} findings of" in text
    assert f"{holds} hold, {fails} do not hold and {undecided} are undecided" in text


def test_only_commands_of_the_page_are_changed_or_judged() -> None:
    assert commands()
    assert {*CHANGED, *LEAVES} <= {*commands()}


def _answer(calls: socket.socket, srcli: Srcli) -> None:
    """Runs what the program in `SHIM` is called with, one call after the other, until there are no more."""
    while True:
        try:
            call, _ = calls.accept()
        except OSError:
            return
        with call:
            data, streams, _, _ = socket.recv_fds(call, 1 << 20, 3)
            arguments, folder, environment = json.loads(data)
            stdin, stdout, stderr = streams
            process = srcli.start(
                *arguments, cwd=Path(folder), env=environment, stdin=stdin, stdout=stdout, stderr=stderr
            )
            for stream in streams:
                os.close(stream)
            call.sendall(str(process.wait(300)).encode())


@pytest.fixture(scope="module")
def warm_path(folder: Path, srcli: Srcli) -> Iterator[str]:
    """A PATH on which `srcli` is the warm one."""
    programs, address = folder / "programs", str(folder / "calls")
    programs.mkdir()
    (programs / "srcli").write_text(SHIM.format(python=sys.executable, address=address))
    (programs / "srcli").chmod(0o755)
    with socket.socket(socket.AF_UNIX) as calls:
        calls.bind(address)
        calls.listen()
        answering = threading.Thread(target=_answer, args=(calls, srcli))
        answering.start()
        yield f"{programs}{os.pathsep}{INSTALLED_PATH}"
        calls.shutdown(socket.SHUT_RDWR)
        answering.join()


@pytest.mark.long
def test_every_command_of_the_page_runs(folder: Path, warm_path: str) -> None:
    for number, command in enumerate(commands()):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", CHANGED.get(command, command)],
            cwd=folder,
            env={**os.environ, "PATH": warm_path if number else INSTALLED_PATH},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        assert "Traceback" not in done.stderr, f"{command}\n{done.stderr}"
        for file in LEAVES.get(command, []):
            assert (folder / file).stat().st_size > 0, f"{command}\nhas not left {file}"
