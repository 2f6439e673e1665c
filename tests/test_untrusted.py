"""Files from strangers: a short run of the fuzzing harness, and everything that its long runs found."""

import bz2
import gzip
import io
import json
import lzma
import multiprocessing
import os
import struct
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import fuzz
import numpy as np
import pytest
import safetensors.torch
import torch
from fuzzing.datasets import RECORD
from fuzzing.watching import write_input
from fuzzing.weights import ResumeFiles, resume_file
from tiny_experiments import small_experiment

from srcli.console import fail, printable, result, say, table, warn
from srcli.data.dataset import open_dataset
from srcli.data.task import PAPER
from srcli.errors import CheckpointError, DataError, ExperimentError
from srcli.experiment.loading import load_experiment
from srcli.generators.on_torch import load_torch_generator
from srcli.packing.sources import open_source
from srcli.packing.tars import XZ_MEMORY
from srcli.runs.checkpoints import METADATA_KEY, RESUME_FILE, write_weights
from srcli.runs.directory import RunDirectory
from srcli.storage.checksums import write_checksums
from srcli.training.state import refuse_large_networks

INPUTS = {
    "pictures": 80,
    "weights": 50,
    "onnx": 60,
    "resume": 20,
    "presets": 25,
    "datasets": 60,
    "archives": 30,
}


@pytest.fixture(scope="module")
def worker() -> Iterator[ProcessPoolExecutor]:
    """One warm process, with memory separate from that of the other tests."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as executor:
        yield executor


@pytest.mark.parametrize("kind", INPUTS)
def test_hostile_inputs_are_accepted_or_refused_without_side_effects(
    kind: str, worker: ProcessPoolExecutor, tmp_path: Path
) -> None:
    outcomes = worker.submit(fuzz.outcomes_here, kind, 0, INPUTS[kind], tmp_path).result()
    assert [outcome for outcome in outcomes if outcome.is_bad] == []
    assert {outcome.kind for outcome in outcomes} == {"taken", "refused"}


def test_every_kind_of_the_harness_is_in_the_short_run() -> None:
    assert list(INPUTS) == [kind.name for kind in fuzz.KINDS]


def weight_file(folder: Path, **generator: Any) -> Path:
    """A small generator's weights with an experiment that describes another generator."""
    experiment = small_experiment("gan", "residual")
    path = folder / "generator.safetensors"
    write_weights(path, experiment.generator.build(PAPER), experiment, 3)
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    described = json.loads(header["__metadata__"][METADATA_KEY])
    described["experiment"]["generator"].update(generator)
    described["experiment"]["training"]["init_from"] = "/nowhere/else.safetensors"
    header["__metadata__"][METADATA_KEY] = json.dumps(described)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + content[8 + length :])
    return path


def test_a_path_in_a_weight_files_metadata_is_not_followed(tmp_path: Path) -> None:
    assert load_torch_generator(weight_file(tmp_path)).description.step == 3


@pytest.mark.parametrize(
    ("generator", "message"),
    [
        ({"width": 4096}, r"trunk|stem|to_rgb|enlarge"),
        ({"blocks": 256}, r"it lacks trunk\.10\.first\.bias"),
        ({"blocks": 1}, r"it lacks trunk\.1\.bias"),
        ({"width": 10**9}, r"describes itself wrongly: .*width: Input should be less than or equal to 4096"),
    ],
)
def test_a_network_that_the_file_does_not_hold_is_not_built(
    generator: dict[str, int], message: str, tmp_path: Path
) -> None:
    # Of width 4096 the generator would take 3 GB, and 256 blocks of that width 310 GB.
    with pytest.raises(CheckpointError, match=message):
        load_torch_generator(weight_file(tmp_path, **generator))


def test_weights_with_a_header_of_megabytes_are_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(struct.pack("<Q", 90_000_000) + b" " * 100)
    with pytest.raises(CheckpointError, match=r"its header has more than 1,000,000 bytes"):
        load_torch_generator(path)


def test_tensors_of_another_type_are_refused(tmp_path: Path) -> None:
    experiment = small_experiment("gan", "mlp")
    write_weights(tmp_path / "a.safetensors", experiment.generator.build(PAPER).double(), experiment, 1)
    with pytest.raises(CheckpointError, match=r"1\.weight is F64 of shape \[32, 768\], not F32"):
        load_torch_generator(tmp_path / "a.safetensors")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda tensors: tensors.pop("critic_optimizer.0.step"), r"it lacks critic_optimizer\.0\.step"),
        (lambda tensors: tensors.update({"x": torch.zeros(1)}), "its experiment has no x"),
        (
            lambda tensors: tensors.update({"generator_optimizer.0.step": torch.zeros(2)}),
            r"generator_optimizer\.0\.step is F32 of shape \[2\], not F32 of \[\]",
        ),
        (
            lambda tensors: tensors.update({"generator_optimizer.1.exp_avg": torch.zeros(32).double()}),
            r"generator_optimizer\.1\.exp_avg is F64",
        ),
    ],
)
def test_what_the_optimisers_do_not_keep_is_not_taken(change: Any, message: str, tmp_path: Path) -> None:
    kind = ResumeFiles()
    write_input(kind, 0, tmp_path)
    folder = RunDirectory(tmp_path / "run").checkpoint(1)
    tensors = safetensors.torch.load(resume_file())
    change(tensors)
    (folder / RESUME_FILE).write_bytes(safetensors.torch.save(tensors))
    write_checksums(folder)
    with pytest.raises(CheckpointError, match=message):
        kind.use(tmp_path, tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: " + "[" * 50_000, "is nested too deeply for an experiment"),
        ("training:\n  steps: 0x" + "f" * 50_000, "training.steps: should be"),
        ("training:\n  steps: [" + "1," * 9000 + "]", r"not \[1, 1, .{100,}\.\.\."),
        pytest.param(
            "\n".join(f"s{n}: 1" for n in range(8000)), "and 7,98. more mistakes", id="8000 mistakes"
        ),
        ('generator: {"\\ud800": 1}', "is not YAML: .* surrogates not allowed"),
        ("a: &a [1]\nb: *a", r"aliases \(\*name\) are not allowed"),
        ("a: !!python/object/apply:os.system [echo]", "not YAML: could not determine a constructor"),
    ],
)
def test_hostile_yaml_is_refused_at_once_and_briefly(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(ExperimentError, match=message) as caught:
        load_experiment(path)
    assert len(str(caught.value)) < 12_000


def test_an_experiment_file_that_is_a_pipe_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "mine.yaml")
    with pytest.raises(ExperimentError, match="cannot be read: it is not a regular file"):
        load_experiment(tmp_path / "mine.yaml")


def test_networks_of_more_than_a_gigabyte_are_refused_by_name() -> None:
    experiment = small_experiment()
    wide = experiment.model_copy(
        update={"generator": experiment.generator.model_copy(update={"width": 4096, "layers": 100})}
    )
    # 768 and 12,288 values at the ends, 98 layers between, and normalisation with 5 numbers a layer's value.
    with pytest.raises(ExperimentError, match=r"generator: this network has 1,69\d,\d{3},\d{3} parameters"):
        refuse_large_networks(wide)


def dataset(folder: Path, faces: bytes | None = None, **record: Any) -> Path:
    (folder / "dataset.json").write_text(json.dumps({**RECORD, **record}))
    if faces is None:
        np.save(folder / "faces.npy", np.zeros((12, 72, 72, 3), np.uint8))
    else:
        (folder / "faces.npy").write_bytes(faces)
    return folder


def zipped_arrays() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, faces=np.zeros((12, 72, 72, 3), np.uint8))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"splits": {"train": "0-99999999999", "validation": "", "test": ""}}, "are not indices of 12 faces"),
        ({"splits": {"train": "0-11," * 1000 + "0", "validation": "", "test": ""}}, "or too many"),
        ({"count": float("inf")}, "OverflowError"),
        ({"faces": zipped_arrays()}, "faces.npy is damaged"),
        ({"faces": b"\x93NUMPY\x01\x00\x88\x13" + b"(" * 5000}, "faces.npy is damaged"),
        ({"version": "\x1b" * 500}, "is a dataset of version"),
    ],
)
def test_a_hostile_dataset_is_one_line(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message) as caught:
        open_dataset(dataset(tmp_path, **changes))
    assert len(str(caught.value)) < 1000


def test_deeply_nested_json_is_a_damaged_record(tmp_path: Path) -> None:
    dataset(tmp_path)
    (tmp_path / "dataset.json").write_text("[" * 100_000)
    with pytest.raises(DataError, match="it is nested too deeply"):
        open_dataset(tmp_path)


def tar_of(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for member, content in members:
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def header(name: str, kind: bytes, size: int) -> bytes:
    """A tar header alone, declaring content that is missing."""
    member = tarfile.TarInfo(name)
    member.type, member.size = kind, size
    return member.tobuf(tarfile.GNU_FORMAT)


FACE = tar_of((tarfile.TarInfo("a.png"), b"face"))[:1024]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_compressed_tar_that_unpacks_to_far_more_is_refused(pack: Any, tmp_path: Path) -> None:
    path = tmp_path / "bomb.tar"
    path.write_bytes(pack(FACE + header("big", tarfile.REGTYPE, 10**10) + bytes(1000)))
    with pytest.raises(
        DataError, match=r"bomb\.tar is refused: it unpacks to more than 200,\d{3},\d{3} bytes"
    ):
        open_source(path).names()


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_tar_header_of_gigabytes_is_not_read(kind: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bomb.tar"
    path.write_bytes(gzip.compress(FACE + header("x", kind, 2 * 10**9) + bytes(2000)))
    with pytest.raises(DataError, match=r"refused: a header in it has 2,000,000,\d{3} bytes"):
        open_source(path).names()


def test_an_xz_archive_that_asks_for_gigabytes_of_memory_is_refused(tmp_path: Path) -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 2 * XZ_MEMORY}]
    path = tmp_path / "bomb.tar.xz"
    path.write_bytes(lzma.compress(FACE, filters=filters))
    with pytest.raises(DataError, match="is neither a folder nor a whole zip or tar archive"):
        open_source(path)


def test_links_devices_and_names_that_lead_out_of_a_tar_are_refused_one_by_one(tmp_path: Path) -> None:
    link, device = tarfile.TarInfo("link.png"), tarfile.TarInfo("device.png")
    link.type, link.linkname, device.type = tarfile.SYMTYPE, "/etc/passwd", tarfile.CHRTYPE
    members = [(tarfile.TarInfo(name), b"face") for name in ("../up.png", "/root.png", "good.png")]
    path = tmp_path / "faces.tar.xz"
    path.write_bytes(lzma.compress(tar_of((link, b""), (device, b""), *members)))
    assert {file.name: file.problem for file in open_source(path).files()} == {
        "link.png": "it is no ordinary file",
        "device.png": "it is no ordinary file",
        "../up.png": "its name leads out of the archive",
        "/root.png": "its name leads out of the archive",
        "good.png": "",
    }


def test_xz_in_several_streams_is_read_to_its_end(tmp_path: Path) -> None:
    content = tar_of((tarfile.TarInfo("a.png"), os.urandom(300_000)), (tarfile.TarInfo("b.png"), b"b"))
    path = tmp_path / "faces.tar.xz"
    path.write_bytes(lzma.compress(content[:100_001]) + bytes(4) + lzma.compress(content[100_001:]))
    assert [len(file.content) for file in open_source(path).files()] == [300_000, 1]


def test_a_zip_whose_entries_unpack_to_far_more_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(12):
            archive.writestr(f"{number}.png", bytes(50_000_000), compresslevel=1)
    with pytest.raises(DataError, match=r"bomb\.zip is refused: it unpacks to 600,000,000 bytes"):
        open_source(path).names()


def test_a_partition_of_hundreds_of_megabytes_beside_a_folder_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "list_eval_partition.txt").open("wb") as file:
        file.truncate(300_000_000)
    with pytest.raises(OSError, match="it has more than 20,000,000 bytes"):
        open_source(tmp_path).text("list_eval_partition.txt")


def test_messages_and_tables_have_no_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    say("a\x1b[2J\nerror: b\x9b\u202e")
    table("[/x]", ["[bold]"], [["\x1b]0;owned\x07[link=http://x]"]])
    output = capsys.readouterr().err
    assert output.startswith("a\\x1b[2J\\nerror: b\\x9b\\u202e\n[/x]")
    assert "\\x1b]0;owned\\x07[link=http://x]" in output
    assert "\x1b" not in output


@pytest.mark.parametrize("tell", [say, warn, fail])
def test_every_kind_of_message_is_printable(
    tell: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    tell("c\x1b[31m.png")
    assert capsys.readouterr().err.endswith("c\\x1b[31m.png\n")


def test_results_are_piped_as_they_are(capfd: pytest.CaptureFixture[str]) -> None:
    result("a\x1b")
    assert capfd.readouterr().out == "a\x1b\n"
    assert printable("é漢 a") == "é漢 a"


@pytest.mark.parametrize(
    "code", [0x200E, 0x200F, 0x061C, 0x202E, 0x2068, 0x200B, 0xFEFF, 0xE0041, 0x2028, 0x85]
)
def test_bidirectional_and_invisible_marks_are_not_printed(code: int) -> None:
    assert printable(f"a{chr(code)}b\u0301") == f"a{chr(code).encode('unicode_escape').decode()}b\u0301"
