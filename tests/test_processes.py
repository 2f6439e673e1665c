"""Splitting work between independent processes, datasets in several folders, and rows of a batch."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_experiments import AUGMENTATION, small_dataset
from warm import Srcli

from srcli.data.augmentation import Augmentation
from srcli.data.batches import TrainingBatches
from srcli.data.dataset import Dataset, open_dataset
from srcli.data.several import join_datasets, open_datasets, part_path
from srcli.drawn_faces.faces import draw_faces
from srcli.errors import DataError, UserError
from srcli.packing.pack import Packing, pack
from srcli.packing.sources import open_source
from srcli.processes import ALONE, Share, read_local_rank, read_share
from srcli.upscaling.plan import OnExist, plan_jobs

CPU = torch.device("cpu")
FACES = 23


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of drawn faces."""
    folder = tmp_path_factory.mktemp("pictures")
    for number, face in enumerate(draw_faces(FACES, 1)):
        Image.fromarray(face).save(folder / f"{number:02d}.png")
    return folder


def pack_part(pictures: Path, out: Path, share: Share = ALONE) -> Path:
    packing = Packing("faces", 72, partition=None, holdout=2, max_skipped=0, workers=1, share=share)
    folder = part_path(out, share)
    pack(open_source(pictures), folder, packing)
    return folder


def as_batches(dataset: Dataset, **changes: object) -> TrainingBatches:
    settings = Augmentation.model_validate({**AUGMENTATION, **changes})
    return TrainingBatches(dataset, settings, batch_size=8, seed=5)


def set_ranks(monkeypatch: pytest.MonkeyPatch, rank: str | None, count: str | None) -> None:
    for name, value in (("RANK", rank), ("WORLD_SIZE", count)):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)


def test_the_environment_names_the_share(monkeypatch: pytest.MonkeyPatch) -> None:
    set_ranks(monkeypatch, None, None)
    assert read_share() == ALONE
    set_ranks(monkeypatch, "2", "3")
    assert read_share() == Share(2, 3)


@pytest.mark.parametrize(("rank", "count"), [("3", "3"), ("1", None), (None, "2"), ("-1", "2"), ("a", "2")])
def test_an_invalid_rank_is_refused(
    rank: str | None, count: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_ranks(monkeypatch, rank, count)
    with pytest.raises(UserError, match=r"^RANK=.* in the environment"):
        read_share()


def test_an_invalid_local_rank_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    assert read_local_rank() == 0
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert read_local_rank() == 3
    monkeypatch.setenv("LOCAL_RANK", "-1")
    with pytest.raises(UserError, match=r"^LOCAL_RANK=-1 in the environment"):
        read_local_rank()


def with_ranks(**ranks: str) -> dict[str, str]:
    """This process's environment, but for its ranks."""
    return {name: value for name, value in os.environ.items() if name not in ("RANK", "WORLD_SIZE")} | ranks


def test_commands_that_split_no_work_ignore_the_rank(srcli: Srcli) -> None:
    for arguments in (["presets", "list"], ["--version"]):
        expected = srcli(*arguments, env=with_ranks())
        assert len(expected.stdout) > 5
        for rank in ("1", "abc"):
            done = srcli(*arguments, env=with_ranks(RANK=rank))
            assert (done.returncode, done.stdout, done.stderr) == (0, expected.stdout, "")


@pytest.mark.parametrize("ranks", [{"RANK": "1"}, {"RANK": "abc", "WORLD_SIZE": "2"}, {"WORLD_SIZE": "2"}])
def test_commands_that_split_work_refuse_an_invalid_rank(
    ranks: dict[str, str], pictures: Path, tmp_path: Path, srcli: Srcli
) -> None:
    named = f"RANK={ranks.get('RANK', '')} and WORLD_SIZE={ranks.get('WORLD_SIZE', '')}"
    for arguments in (
        ["train", "--preset", "smoke", "--out", tmp_path / "run"],
        ["upscale", pictures / "00.png", "--out", tmp_path / "large.png"],
        ["prepare-data", pictures, "--out", tmp_path / "dataset"],
    ):
        done = srcli(*arguments, env=with_ranks(**ranks))
        assert (done.returncode, done.stdout) == (1, "")
        (line,) = done.stderr.splitlines()
        assert line.startswith(f"error: {named} in the environment do not fit together. Set both,")
    assert list(tmp_path.iterdir()) == []


def test_shares_are_disjoint_and_together_everything() -> None:
    items = list(range(10))
    blocks = [items[Share(rank, 4).rows(10)] for rank in range(4)]
    assert blocks == [[0, 1], [2, 3, 4], [5, 6], [7, 8, 9]]
    assert [Share(rank, 4).every_nth(items) for rank in range(4)] == [[0, 4, 8], [1, 5, 9], [2, 6], [3, 7]]


@pytest.mark.parametrize("count", [2, 4])
def test_the_rows_of_all_ranks_make_up_the_batch(count: int) -> None:
    whole = as_batches(small_dataset())
    shared = [
        TrainingBatches(whole.dataset, whole.settings, 8, 5, Share(rank, count)) for rank in range(count)
    ]
    for number in (0, 7):
        batch = whole.batch(number, CPU)
        parts = [part.batch(number, CPU) for part in shared]
        assert torch.equal(torch.cat([part.high_res for part in parts]), batch.high_res)
        assert torch.equal(torch.cat([part.low_res for part in parts]), batch.low_res)


def test_parts_packed_by_several_processes_are_the_dataset_that_one_packs(
    pictures: Path, tmp_path: Path
) -> None:
    whole = open_dataset(pack_part(pictures, tmp_path / "whole"))
    for rank in (2, 0, 1):
        pack_part(pictures, tmp_path / "parts", Share(rank, 3))
    parts = open_datasets([tmp_path / "parts"])
    assert {path.name for path in (tmp_path / "parts").iterdir()} == {f"part-{n}-of-3" for n in (1, 2, 3)}
    assert {name: rows.tolist() for name, rows in parts.splits.items()} == {
        name: rows.tolist() for name, rows in whole.splits.items()
    }
    assert np.array_equal(parts.labels("test"), whole.labels("test"))
    for number in (0, 1, 5):
        assert torch.equal(
            as_batches(parts).batch(number, CPU).high_res, as_batches(whole).batch(number, CPU).high_res
        )


def test_a_folder_with_missing_or_mixed_parts_is_refused(pictures: Path, tmp_path: Path) -> None:
    for rank in range(3):
        pack_part(pictures, tmp_path / "out", Share(rank, 3))
    moved = shutil.move(tmp_path / "out" / "part-2-of-3", tmp_path / "aside")
    with pytest.raises(DataError, match="out lacks part 2 of 3"):
        open_datasets([tmp_path / "out"])
    shutil.move(moved, tmp_path / "out" / "part-2-of-3")
    (tmp_path / "out" / "part-1-of-2").mkdir()
    with pytest.raises(DataError, match="has parts of several packings"):
        open_datasets([tmp_path / "out"])
    whole = pack_part(pictures, tmp_path / "whole")
    with pytest.raises(DataError, match="whole already is a dataset"):
        part_path(whole, Share(0, 2))


def test_the_fingerprint_of_several_depends_on_each_and_on_their_order(
    pictures: Path, tmp_path: Path
) -> None:
    first = pack_part(pictures, tmp_path / "first")
    second = pack_part(pictures, tmp_path / "second", Share(0, 2))
    both = [open_datasets(order).fingerprint for order in ([first, second], [second, first])]
    alone = [open_datasets([folder]).fingerprint for folder in (first, second)]
    assert len({*both, *alone}) == 4
    assert open_datasets([first, second]).fingerprint == both[0]
    with pytest.raises(DataError, match=r"copy holds the same faces as .*first"):
        open_datasets([first, Path(shutil.copytree(first, tmp_path / "copy"))])


def test_windows_are_at_most_the_whole_of_a_smaller_face() -> None:
    """Faces of the smaller dataset are plain red, those of the larger one a ramp from left to right."""
    small = np.zeros((6, 80, 80, 3), np.uint8)
    small[..., 0] = 255
    large = np.broadcast_to(np.arange(160, dtype=np.uint8)[:, None], (6, 160, 160, 3))
    splits = {"train": np.arange(4), "validation": np.arange(0), "test": np.array([4, 5])}
    folders = [Path("small"), Path("large")]
    joined = join_datasets([Dataset(small, splits, "1", "a"), Dataset(large, splits, "2", "b")], folders)
    assert joined.sides(np.array([0, 5, 6, 11])).tolist() == [80, 80, 160, 160]
    assert joined.splits["train"].tolist() == [0, 1, 2, 3, 6, 7, 8, 9]
    assert joined.labels("test").shape == (4, 64, 64, 3)
    plain = {"brightness": 0.0, "contrast": 0.0, "saturation": 0.0, "horizontal_flip": False}
    images = as_batches(joined, windows=(128, 128), **plain).batch(0, CPU).high_res
    is_small = images[:, 0].mean((1, 2)) == 1
    assert int(is_small.sum()) == 4
    ramps = (images[~is_small][:, 0, 0, :] + 1) * 127.5
    assert (ramps[:, -1] - ramps[:, 0]).tolist() == pytest.approx([126] * 4, abs=1e-3)  # 63 steps of 2
    with pytest.raises(DataError, match="windows reaches 200 pixels, faces of a, b have 160"):
        as_batches(joined, windows=(64, 200))


def test_every_picture_is_planned_by_exactly_one_process(tmp_path: Path) -> None:
    for number in range(7):
        Image.new("RGB", (8, 8)).save(tmp_path / f"{number}.png")
    planned = []
    for rank in range(3):
        plan = plan_jobs([str(tmp_path)], None, False, OnExist.FAIL, Share(rank, 3))
        for job in plan.jobs:
            assert job.target is not None
            job.target.touch()
        planned.append([job.source.name for job in plan.jobs if job.source])
    assert planned == [["0.png", "3.png", "6.png"], ["1.png", "4.png"], ["2.png", "5.png"]]
    with pytest.raises(UserError, match="standard input cannot be split between processes"):
        plan_jobs(["-"], None, False, OnExist.FAIL, Share(1, 3))


def test_a_process_with_a_share_prints_its_result_and_names_its_mistakes(
    pictures: Path, tmp_path: Path, srcli: Srcli
) -> None:
    command = ("prepare-data", pictures, "--out", tmp_path / "out", "--workers", "1")
    ranks = with_ranks(RANK="1", WORLD_SIZE="2")
    part = tmp_path / "out" / "part-2-of-2"
    done = srcli(*command, env=ranks)
    assert (done.returncode, done.stdout) == (0, f"{part}\n")
    assert json.loads((part / "dataset.json").read_text())["count"] == FACES - FACES // 2
    again = srcli(*command, env=ranks)
    assert again.returncode == 1
    assert again.stderr == f"error: {part} already exists. Give another --out.\n"
