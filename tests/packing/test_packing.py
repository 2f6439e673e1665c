"""prepare-data: packing, splits, and odd or broken pictures."""

import gzip
import io
import json
import lzma
import os
import signal
import stat
import subprocess
import tarfile
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from warm import COMMAND, Srcli

from srcli.data.dataset import open_dataset
from srcli.drawn_faces.faces import draw_faces
from srcli.errors import DataError, ImageError
from srcli.packing.faces import face_of
from srcli.packing.layouts import CELEBA, FACES
from srcli.packing.pack import Packing, pack
from srcli.packing.sources import open_source


def packing(**changes: object) -> Packing:
    values = {
        "layout": "auto",
        "size": 72,
        "partition": None,
        "holdout": 500,
        "max_skipped": 1.0,
        "workers": 1,
    }
    return Packing(**{**values, **changes})  # type: ignore[arg-type]


def encoded(image: Image.Image, form: str = "JPEG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


@pytest.fixture(scope="module")
def celeba_files() -> dict[str, bytes]:
    """Drawn faces in CelebA's frame, 178x218 JPEGs; 010613 is one of the authors' test images."""
    files = {}
    for number, face in zip([*range(1, 12), 10613], draw_faces(12, 3), strict=True):
        frame = Image.new("RGB", (178, 218), (90, 110, 130))
        frame.paste(Image.fromarray(face).resize((144, 144), Image.Resampling.BICUBIC), (17, 52))
        files[f"img_align_celeba/{number:06d}.jpg"] = encoded(frame, quality=90)
    return files


def write_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def write_tar(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def write_folder(path: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def test_celeba_pixels_are_means_of_two_by_two_in_the_papers_window(
    celeba_files: dict[str, bytes], tmp_path: Path
) -> None:
    pack(open_source(write_zip(tmp_path / "c.zip", celeba_files)), tmp_path / "out", packing())
    faces = np.load(tmp_path / "out" / "faces.npy", mmap_mode="r")
    assert faces.shape == (12, 72, 72, 3)
    for row, name in enumerate(sorted(celeba_files)):
        pixels = np.asarray(Image.open(io.BytesIO(celeba_files[name])).convert("RGB")).astype(float)
        # The box of (25, 60) moved by -8 to 8 pixels covers columns 17..160 and rows 52..195.
        means = pixels[52:196, 17:161].reshape(72, 2, 72, 2, 3).mean(axis=(1, 3))
        assert np.abs(faces[row] - means).max() <= 0.5


def test_zip_tar_folder_and_many_processes_pack_the_same_dataset(
    celeba_files: dict[str, bytes], tmp_path: Path
) -> None:
    sources = [
        write_zip(tmp_path / "c.zip", celeba_files),
        write_tar(tmp_path / "c.tar.gz", celeba_files),
        write_folder(tmp_path / "folder", celeba_files),
    ]
    fingerprints = set()
    for number, source in enumerate(sources):
        pack(open_source(source), tmp_path / f"out-{number}", packing(workers=1 + number // 2))
        fingerprints.add(open_dataset(tmp_path / f"out-{number}").fingerprint)
        names = (tmp_path / f"out-{number}" / "names.txt").read_text().splitlines()
        assert names == sorted(celeba_files)
    assert len(fingerprints) == 1


def bytes_read() -> int:
    """Bytes read by this process and the children it waited for."""
    return int(Path("/proc/self/io").read_text().split()[1])


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="needs Linux's counts of what is read")
@pytest.mark.parametrize("ending", ["gz", "xz"])
def test_a_compressed_tar_is_read_once_however_many_workers_there_are(ending: str, tmp_path: Path) -> None:
    """Each picture is followed by random bytes that decoders ignore and compression cannot shrink."""
    picture = encoded(Image.fromarray(draw_faces(1, 0)[0]), "PNG")
    tail = np.random.default_rng(0).bytes(1_500_000)
    plain, packed = tmp_path / "f.tar", tmp_path / f"f.tar.{ending}"
    with tarfile.open(plain, "w") as archive:
        for number in range(12):
            member = tarfile.TarInfo(f"{number:02d}.png")
            member.size = len(picture) + len(tail)
            archive.addfile(member, io.BytesIO(picture + tail))
    compress = gzip.compress if ending == "gz" else lzma.compress
    level = {"compresslevel": 1} if ending == "gz" else {"preset": 0}
    packed.write_bytes(compress(plain.read_bytes(), **level))
    counts, fingerprints = [], set()
    for source in (plain, packed):
        before, out = bytes_read(), tmp_path / f"out-{source.name}"
        pack(open_source(source), out, packing(workers=2))
        counts.append(bytes_read() - before)
        fingerprints.add(open_dataset(out).fingerprint)
        assert json.loads((out / "dataset.json").read_text())["source"] == str(source)
    assert len(fingerprints) == 1
    size = packed.stat().st_size
    assert 0.9 * size < counts[1] - counts[0] < 1.1 * size
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {plain.name, packed.name, f"out-{plain.name}", f"out-{packed.name}"}


@pytest.mark.parametrize("damage", ["cut", "no room"])
def test_a_compressed_tar_that_cannot_be_uncompressed_leaves_nothing(
    damage: str, celeba_files: dict[str, bytes], tmp_path: Path, srcli: Srcli
) -> None:
    archive, out = write_tar(tmp_path / "c.tar.gz", celeba_files), tmp_path / "out"
    if damage == "cut":
        archive.write_bytes(archive.read_bytes()[:-5000])
    limit = 50_000 if damage == "no room" else None
    done = srcli("prepare-data", archive, "--out", out, file_size=limit)
    reason = f"{out}: File too large" if damage == "no room" else f"{archive} is damaged or not whole: "
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: {reason}")
    assert len(done.stderr.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["c.tar.gz"]


def test_the_partition_beside_the_source_decides_but_for_the_authors_test_images(
    celeba_files: dict[str, bytes], tmp_path: Path
) -> None:
    names = sorted(celeba_files)
    lines = [f"{Path(name).name} {index % 3}" for index, name in enumerate(names)]
    (tmp_path / "list_eval_partition.txt").write_text("\n".join(lines))
    pack(open_source(write_zip(tmp_path / "c.zip", celeba_files)), tmp_path / "out", packing())
    splits = {name: rows.tolist() for name, rows in open_dataset(tmp_path / "out").splits.items()}
    theirs = names.index("img_align_celeba/010613.jpg")
    assert theirs % 3 == 2
    assert splits == {"train": [0, 3, 6, 9], "validation": [1, 4, 7, 10], "test": [2, 5, 8, 11]}
    lines[theirs] = "010613.jpg 0"
    (tmp_path / "mine.txt").write_text("\n".join(lines))
    chosen = packing(partition=tmp_path / "mine.txt")
    pack(open_source(tmp_path / "c.zip"), tmp_path / "other", chosen)
    assert theirs in open_dataset(tmp_path / "other").splits["test"]


def test_without_a_partition_the_last_tenth_by_name_is_the_test_split(tmp_path: Path) -> None:
    files = {f"{n:02d}.png": encoded(Image.fromarray(f), "PNG") for n, f in enumerate(draw_faces(30, 0))}
    source = open_source(write_folder(tmp_path / "faces", files))
    packed = pack(source, tmp_path / "out", packing(holdout=500))
    assert packed.counts == {"train": 27, "validation": 0, "test": 3}
    assert open_dataset(tmp_path / "out").splits["test"].tolist() == [27, 28, 29]
    assert pack(source, tmp_path / "two", packing(holdout=2)).counts["test"] == 2


def test_the_faces_layout_takes_the_largest_centred_square() -> None:
    pixels = np.zeros((144, 288, 3), np.uint8)
    pixels[:, 72:216] = np.random.default_rng(0).integers(0, 256, (144, 144, 3))
    face = face_of(encoded(Image.fromarray(pixels), "PNG"), "wide.png", FACES, 72)
    means = pixels[:, 72:216].reshape(72, 2, 72, 2, 3).mean(axis=(1, 3))
    assert np.abs(face - means).max() <= 1


def large_faces(count: int, side: int) -> dict[str, bytes]:
    return {
        f"{number:02d}.png": encoded(
            Image.fromarray(face).resize((side, side), Image.Resampling.BICUBIC), "PNG"
        )
        for number, face in enumerate(draw_faces(count, 2))
    }


def test_larger_faces_are_stored_at_the_size_asked_for(tmp_path: Path) -> None:
    files = {**large_faces(12, 300), "99.png": large_faces(1, 149)["00.png"]}
    source = open_source(write_folder(tmp_path / "faces", files))
    packed = pack(source, tmp_path / "out", packing(size=150, max_skipped=10))
    assert packed.skipped == {"99.png": "149x149 pixels, smaller than 150"}
    dataset = open_dataset(tmp_path / "out")
    assert dataset.faces.shape == (12, 150, 150, 3)
    assert json.loads((tmp_path / "out" / "dataset.json").read_text())["size"] == 150
    for face, name in zip(dataset.faces, sorted(files), strict=False):
        pixels = np.asarray(Image.open(io.BytesIO(files[name]))).astype(float)
        assert np.abs(face - pixels.reshape(150, 2, 150, 2, 3).mean(axis=(1, 3))).max() <= 1


def test_many_processes_pack_large_faces_in_order(tmp_path: Path) -> None:
    source = open_source(write_folder(tmp_path / "faces", large_faces(30, 300)))
    for workers in (1, 2):
        pack(source, tmp_path / f"out-{workers}", packing(size=300, workers=workers))
    first, second = (open_dataset(tmp_path / f"out-{workers}") for workers in (1, 2))
    assert np.array_equal(first.faces, second.faces)
    assert first.fingerprint == second.fingerprint


@pytest.mark.parametrize("layout", ["auto", "celeba"])
def test_the_celeba_layout_has_one_size(layout: str, celeba_files: dict[str, bytes], tmp_path: Path) -> None:
    source = open_source(write_zip(tmp_path / "c.zip", celeba_files))
    with pytest.raises(DataError, match="--size 96 does not fit the celeba layout") as caught:
        pack(source, tmp_path / "out", packing(layout=layout, size=96))
    assert len(str(caught.value).splitlines()) == 1
    assert not (tmp_path / "out").exists()
    pack(source, tmp_path / "faces", packing(layout="faces", size=96))
    assert open_dataset(tmp_path / "faces").faces.shape == (12, 96, 96, 3)


def test_celeba_is_not_downloaded_at_a_size_that_it_does_not_have(tmp_path: Path, srcli: Srcli) -> None:
    done = srcli("prepare-data", "celeba", "--out", tmp_path / "out", "--size", "96")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: --size 96 does not fit the celeba layout")
    assert list(tmp_path.iterdir()) == []


def odd_pictures() -> dict[str, tuple[bytes, np.ndarray]]:
    """Unusual pictures, and the face that each should become."""
    face = draw_faces(1, 5)[0]
    image = Image.fromarray(face)
    grey = np.asarray(image.convert("L"))
    turned = Image.Exif()
    turned[0x0112] = 6  # to be shown turned by 90 degrees clockwise
    cmyk = image.convert("CMYK")
    return {
        "grey.png": (encoded(image.convert("L"), "PNG"), np.stack([grey] * 3, -1)),
        "sixteen.png": (
            encoded(Image.fromarray(grey.astype(np.uint16) * 257), "PNG"),
            np.stack([grey] * 3, -1),
        ),
        "palette.png": (
            encoded(image.quantize(256), "PNG"),
            np.asarray(image.quantize(256).convert("RGB")),
        ),
        "opaque.png": (encoded(image.convert("RGBA"), "PNG"), face),
        "cmyk.tif": (encoded(cmyk, "TIFF"), np.asarray(cmyk.convert("RGB"))),
        "turned.png": (encoded(image.transpose(Image.Transpose.ROTATE_90), "PNG", exif=turned), face),
        "first.webp": (
            encoded(image, "WEBP", save_all=True, append_images=[Image.new("RGB", (72, 72))], lossless=True),
            face,
        ),
    }


@pytest.mark.parametrize("name", odd_pictures())
def test_odd_pictures_become_the_face_that_they_show(name: str) -> None:
    content, expected = odd_pictures()[name]
    assert np.abs(face_of(content, name, FACES, 72).astype(int) - expected).max() <= 1


def broken_pictures() -> dict[str, tuple[bytes, str]]:
    """Unusable files, and a word from the reason."""
    whole = encoded(Image.fromarray(draw_faces(1, 5)[0]), "JPEG")
    bomb = encoded(Image.new("L", (20_000, 20_000)), "PNG")
    return {
        "empty.jpg": (b"", "it is empty"),
        "text.jpg": (b"hello, I am no picture at all", "not a picture"),
        "truncated.jpg": (whole[: len(whole) // 2], "truncated"),
        "tiny.png": (encoded(Image.new("RGB", (71, 200)), "PNG"), "71x200 pixels, smaller than 72"),
        "bomb.png": (bomb, "too large"),
    }


def test_broken_pictures_are_skipped_with_their_reason_and_the_rest_is_packed(tmp_path: Path) -> None:
    good = {f"good-{n}.png": encoded(Image.fromarray(f), "PNG") for n, f in enumerate(draw_faces(20, 0))}
    broken = broken_pictures()
    ignored = {".hidden.jpg": b"", "__MACOSX/._a.jpg": b"", "readme.txt": b"", "Thumbs.db": b""}
    files = {**good, **{name: content for name, (content, _) in broken.items()}, **ignored}
    packed = pack(
        open_source(write_zip(tmp_path / "f.zip", files)), tmp_path / "out", packing(max_skipped=30)
    )
    assert set(packed.skipped) == set(broken)
    for name, (_, word) in broken.items():
        assert word in packed.skipped[name]
    dataset = open_dataset(tmp_path / "out")
    in_order_of_names = sorted(range(20), key=str)
    assert np.array_equal(dataset.faces, draw_faces(20, 0)[in_order_of_names])
    record = json.loads((tmp_path / "out" / "dataset.json").read_text())
    assert [skip["name"] for skip in record["skipped"]] == sorted(broken)


def test_too_many_broken_pictures_fail_the_command_and_leave_nothing(tmp_path: Path) -> None:
    good = {f"good-{n}.png": encoded(Image.fromarray(f), "PNG") for n, f in enumerate(draw_faces(20, 0))}
    source = open_source(write_folder(tmp_path / "faces", {**good, "bad.jpg": b"?"}))
    with pytest.raises(
        DataError, match=r"more than 1 % of 21 pictures cannot be used: bad\.jpg: it is not a picture"
    ):
        pack(source, tmp_path / "out", packing())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["faces"]


def test_links_and_names_that_lead_out_of_archives_are_refused_unread(tmp_path: Path) -> None:
    good = {f"good-{n}.png": encoded(Image.fromarray(f), "PNG") for n, f in enumerate(draw_faces(3, 0))}
    secret = write_folder(tmp_path, {"secret.png": good["good-0.png"]}) / "secret.png"
    outside = {"../../evil.png": good["good-0.png"], "/tmp/evil.png": good["good-1.png"]}
    tarred, zipped = tmp_path / "f.tar", write_zip(tmp_path / "f.zip", {**good, **outside})
    with tarfile.open(tarred, "w") as tar:
        for name, content in {**good, **outside}.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        link = tarfile.TarInfo("link.png")
        link.type, link.linkname = tarfile.SYMTYPE, str(secret)
        tar.addfile(link)
    with zipfile.ZipFile(zipped, "a") as archive:
        entry = zipfile.ZipInfo("link.png")
        entry.create_system, entry.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, str(secret))
    for source, reason in ((tarred, "it is no ordinary file"), (zipped, "it is a link")):
        out = tmp_path / f"{source.name}-out"
        skipped = pack(open_source(source), out, packing(max_skipped=50)).skipped
        assert skipped == {
            "link.png": reason,
            **dict.fromkeys(outside, "its name leads out of the archive"),
        }
        assert len(open_dataset(out).faces) == 3


def test_a_celeba_picture_of_another_size_is_named() -> None:
    with pytest.raises(ImageError, match=r"x\.png: 72x72 pixels, the celeba layout has 178x218"):
        face_of(encoded(Image.fromarray(draw_faces(1, 0)[0]), "PNG"), "x.png", CELEBA, 72)


@pytest.mark.parametrize(
    ("text", "message"),
    [("000001.jpg 3", "line 1: it should read"), ("000001.jpg 0\nnonsense\n", "line 2: it should read")],
)
def test_a_damaged_partition_is_named_with_its_line(
    text: str, message: str, celeba_files: dict[str, bytes], tmp_path: Path
) -> None:
    (tmp_path / "list_eval_partition.txt").write_text(text)
    source = open_source(write_zip(tmp_path / "c.zip", celeba_files))
    with pytest.raises(DataError, match=message):
        pack(source, tmp_path / "out", packing())


@pytest.mark.parametrize("make", ["nothing", "text", "empty"])
def test_sources_that_hold_no_pictures_are_one_clear_error(make: str, tmp_path: Path) -> None:
    source = tmp_path / "source"
    if make == "text":
        source.write_text("hello")
    elif make == "empty":
        source.mkdir()
    with pytest.raises(DataError, match=r"source (does not exist|is neither|holds no pictures)"):
        pack(open_source(source), tmp_path / "out", packing())


def test_the_command_prints_the_dataset_and_refuses_to_overwrite_it(
    celeba_files: dict[str, bytes], tmp_path: Path, srcli: Srcli
) -> None:
    archive = write_zip(tmp_path / "c.zip", celeba_files)
    command = ("prepare-data", archive, "--out", tmp_path / "out")
    first = srcli(*command)
    assert (first.returncode, first.stdout) == (0, f"{tmp_path / 'out'}\n")
    second = srcli(*command)
    assert (second.returncode, second.stdout) == (1, "")
    assert second.stderr == f"error: {tmp_path / 'out'} already exists. Give another --out.\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_packing_leaves_nothing(number: int, tmp_path: Path) -> None:
    content = encoded(Image.effect_noise((900, 900), 60).convert("RGB"), "PNG")
    source = write_folder(tmp_path / "faces", {"000.png": content})
    for n in range(1, 600):
        (source / f"{n:03d}.png").hardlink_to(source / "000.png")
    command = [*COMMAND, "prepare-data", str(source), "--out", str(tmp_path / "out")]
    process = subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # A shell's background job, as these tests may be, hands its deafness to Ctrl-C down.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    deadline = time.monotonic() + 30
    while not list(tmp_path.glob(".out.*.part/all.npy")):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    os.kill(process.pid, number)
    _, stderr = process.communicate(timeout=30)
    assert (process.returncode, stderr) == (130, "error: interrupted\n")
    assert [path.name for path in tmp_path.iterdir()] == ["faces"]


def test_where_there_is_no_room_for_the_faces_the_dataset_is_named(
    celeba_files: dict[str, bytes], tmp_path: Path, srcli: Srcli
) -> None:
    archive, out = write_zip(tmp_path / "c.zip", celeba_files), tmp_path / "out"
    done = srcli("prepare-data", archive, "--out", out, file_size=100_000)  # 12 faces take 186,624 bytes.
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"error: {out}: File too large\n"
    assert [path.name for path in tmp_path.iterdir()] == ["c.zip"]
