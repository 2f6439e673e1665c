"""Folders and archives as sources: which files are pictures, and which are refused, with reasons."""

import io
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from srcli.errors import DataError
from srcli.packing.pack import Packing, pack
from srcli.packing.sources import is_picture, open_source

PICTURES = {f"{number:02d}.jpg": os.urandom(400) for number in range(8)}


def write_tar(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def write_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def contents(path: Path) -> dict[str, bytes]:
    return {file.name: file.content for file in open_source(path).files()}


def problems(path: Path) -> dict[str, str]:
    return {file.name: file.problem for file in open_source(path).files() if file.problem}


def cut(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])


def lose_central_directory(path: Path) -> None:
    whole = path.read_bytes()
    start = whole.rindex(b"PK\x01\x02")
    path.write_bytes(whole[:start] + b"lost" + whole[start + 4 :])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("img_align_celeba/000001.jpg", True),
        ("./A/B.JPEG", True),
        ("list_eval_partition.txt", False),
        (".DS_Store", False),
        ("__MACOSX/a.jpg", False),
        ("faces/._a.jpg", False),
        (".thumbnails/a.jpg", False),
        ("../a.jpg", True),
    ],
)
def test_pictures_are_told_by_their_ending_unless_hidden(name: str, expected: bool) -> None:
    assert is_picture(name) is expected


@pytest.mark.parametrize("name", ["f.tar", "f.tar.gz", "f.zip"])
def test_archives_give_the_bytes_of_each_picture_and_ignore_folders(name: str, tmp_path: Path) -> None:
    path = (write_zip if name.endswith("zip") else write_tar)(tmp_path / name, PICTURES)
    if name == "f.tar":
        with tarfile.open(path, "a") as archive:
            folder = tarfile.TarInfo("folder.jpg")
            folder.type = tarfile.DIRTYPE
            archive.addfile(folder)
    if name == "f.zip":
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("folder.jpg/", "")
    assert contents(path) == PICTURES
    assert open_source(path).names() == sorted(PICTURES)


def test_of_entries_with_the_same_name_the_first_counts(tmp_path: Path) -> None:
    zipped, tarred = write_zip(tmp_path / "f.zip", PICTURES), write_tar(tmp_path / "f.tar", PICTURES)
    with zipfile.ZipFile(zipped, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("00.jpg", b"another")
    with tarfile.open(tarred, "a") as archive:
        member = tarfile.TarInfo("00.jpg")
        member.size = 7
        archive.addfile(member, io.BytesIO(b"another"))
    assert contents(zipped) == contents(tarred) == PICTURES


@pytest.mark.parametrize(
    ("name", "damage"), [("f.tar", cut), ("f.tar.gz", cut), ("f.zip", lose_central_directory)]
)
def test_a_damaged_archive_is_one_error_that_names_it(name: str, damage: object, tmp_path: Path) -> None:
    path = (write_zip if name.endswith("zip") else write_tar)(tmp_path / name, PICTURES)
    assert callable(damage)
    damage(path)
    source = open_source(path)
    with pytest.raises(DataError, match=rf"{name} is damaged or not whole: .+\. Fetch it again\."):
        source.names()


def test_a_damaged_or_encrypted_entry_of_a_zip_has_its_reason(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "f.zip", PICTURES)
    damaged = bytearray(path.read_bytes())
    damaged[damaged.index(PICTURES["03.jpg"])] ^= 0xFF
    first_entry = damaged.index(b"PK\x01\x02")
    damaged[first_entry + 8] |= 1  # the flag of encryption
    path.write_bytes(damaged)
    assert problems(path) == {
        "00.jpg": "it is encrypted",
        "03.jpg": "damaged in the archive (Bad CRC-32 for file '03.jpg')",
    }


def test_an_entry_that_unpacks_to_too_much_is_left_packed(tmp_path: Path) -> None:
    path = tmp_path / "f.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.jpg", bytes(100_000_001))
    assert problems(path) == {"bomb.jpg": "it unpacks to 100,000,001 bytes"}


def test_pipes_and_links_to_nowhere_in_a_folder_are_named_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"whole")
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "lost.jpg").symlink_to(tmp_path / "nowhere")
    assert problems(tmp_path) == {
        "lost.jpg": "No such file or directory",
        "pipe.jpg": "it is not a regular file",
    }
    assert contents(tmp_path)["a.jpg"] == b"whole"


def test_a_partition_that_cannot_be_read_in_its_archive_is_an_error(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "f.zip", {"list_eval_partition.txt": b"00.jpg 0\n"})
    assert open_source(path).text("list_eval_partition.txt") == "00.jpg 0\n"
    archive = bytearray(path.read_bytes())
    archive[archive.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(archive)
    with pytest.raises(
        DataError, match=r"list_eval_partition\.txt in .+f\.zip cannot be read: it is encrypted"
    ):
        open_source(path).text("list_eval_partition.txt")


def test_names_that_are_no_text_are_packed_and_written_escaped(tmp_path: Path) -> None:
    picture = b"P6 72 72 255\n" + bytes(72 * 72 * 3)
    folder = tmp_path / "faces"
    folder.mkdir()
    for name in (b"a\nb.ppm", b"c\xff.ppm", b"d.ppm"):
        Path(os.fsdecode(os.path.join(os.fsencode(folder), name))).write_bytes(picture)  # noqa: PTH118
    pack(open_source(folder), tmp_path / "out", Packing("auto", 72, None, 500, 0, 1))
    assert (tmp_path / "out" / "names.txt").read_text().splitlines() == ["a\\nb.ppm", "c\\udcff.ppm", "d.ppm"]


def test_only_wanted_pictures_are_read(tmp_path: Path) -> None:
    wanted = ["05.jpg", "02.jpg"]
    folder = tmp_path / "folder"
    folder.mkdir()
    for name, content in PICTURES.items():
        (folder / name).write_bytes(content)
    for path in (folder, write_zip(tmp_path / "f.zip", PICTURES), write_tar(tmp_path / "f.tar.gz", PICTURES)):
        found = {file.name: file.content for file in open_source(path).files(wanted)}
        assert found == {name: PICTURES[name] for name in wanted}


def test_downloading_celeba_without_gdown_says_what_to_install(tmp_path: Path) -> None:
    hide_gdown = "import sys; sys.modules['gdown'] = None; from srcli.cli.main import main; main()"
    command = [sys.executable, "-c", hide_gdown, "prepare-data", "celeba", "--out", str(tmp_path / "out")]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, cwd=tmp_path, env=_with_project()
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(
        "error: torchvision needs gdown to download CelebA. pip install gdown, or: "
    )
    assert list(tmp_path.iterdir()) == []


def _with_project() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
