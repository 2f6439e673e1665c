"""Planning: which pictures are enlarged, and the names of their outputs."""

import os
from pathlib import Path

import pytest

from srcli.errors import UserError
from srcli.processes import Share
from srcli.upscaling.plan import Job, OnExist, Plan, describe_others, plan_jobs


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def touch(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()


def plan(
    *inputs: str, out: str | None = None, recursive: bool = False, on_exist: OnExist = OnExist.FAIL
) -> Plan:
    return plan_jobs(inputs, out, recursive, on_exist)


def outputs(found: Plan) -> dict[str, str]:
    return {job.name: str(job.target) for job in found.jobs}


def reasons(found: Plan) -> list[str]:
    return [str(failure.error) for failure in found.failures]


def mistake(*inputs: str, out: str | None = None, on_exist: OnExist = OnExist.FAIL) -> str:
    with pytest.raises(UserError) as caught:
        plan(*inputs, out=out, on_exist=on_exist)
    return str(caught.value)


def test_an_output_lies_beside_its_input() -> None:
    touch("a.jpg", "b/c.d.webp")
    assert outputs(plan("a.jpg", "b/c.d.webp")) == {"a.jpg": "a_x4.png", "b/c.d.webp": "b/c.d_x4.png"}


def test_a_folder_stands_for_the_visible_pictures_directly_in_it() -> None:
    touch("in/b.JPG", "in/a.png", "in/notes.txt", "in/.hidden.png", "in/deep/c.png", "in/.cache/d.png")
    assert list(outputs(plan("in"))) == ["in/a.png", "in/b.JPG"]
    assert list(outputs(plan("in", recursive=True))) == ["in/a.png", "in/b.JPG", "in/deep/c.png"]


def test_what_is_no_picture_in_a_folder_is_named() -> None:
    touch("in/a.png", "in/a_x4.png", "in/notes.txt", "in/.hidden.txt", "in/README")
    touch(*(f"in/deep/{number}.MP4" for number in range(5)))
    assert describe_others(plan("in", on_exist=OnExist.SKIP).others) == [
        "in/README: skipped, not a picture by its extension (none)",
        "in/notes.txt: skipped, not a picture by its extension .txt",
    ]
    assert describe_others(plan("in", recursive=True, on_exist=OnExist.SKIP).others)[-1] == (
        "in/deep/0.MP4, in/deep/1.MP4, in/deep/2.MP4 and 2 more: skipped, not pictures by their extension"
        " .mp4"
    )


def test_a_named_file_is_taken_whatever_its_ending() -> None:
    touch("portrait")
    assert outputs(plan("portrait")) == {"portrait": "portrait_x4.png"}


def test_the_same_picture_given_twice_is_enlarged_once() -> None:
    touch("in/a.png")
    Path("link.png").symlink_to("in/a.png")
    assert outputs(plan("in/a.png", "in", "./in/a.png", "link.png")) == {"in/a.png": "in/a_x4.png"}


def test_out_may_be_a_file_whose_ending_chooses_the_format() -> None:
    touch("a.png")
    formats = {"b.png": "PNG", "b.JPG": "JPEG", "new/b.jpeg": "JPEG", "b.webp": "WEBP"}
    for out, image_format in formats.items():
        (job,) = plan("a.png", out=out).jobs
        assert (job.target, job.format) == (Path(out), image_format)


def test_out_may_be_a_folder_which_mirrors_the_input_folders() -> None:
    touch("a.png", "in/b.jpg", "in/deep/b.jpg", "there/x")
    assert outputs(plan("a.png", out="new/")) == {"a.png": "new/a_x4.png"}
    assert outputs(plan("a.png", out="there")) == {"a.png": "there/a_x4.png"}
    assert outputs(plan("a.png", "in", out="new", recursive=True)) == {
        "a.png": "new/a_x4.png",
        "in/b.jpg": "new/b_x4.png",
        "in/deep/b.jpg": "new/deep/b_x4.png",
    }


def test_out_may_be_a_pattern() -> None:
    touch("a.png", "in/b.jpg")
    assert outputs(plan("a.png", "in", out="big/{stem}-large.webp")) == {
        "a.png": "big/a-large.webp",
        "in/b.jpg": "big/b-large.webp",
    }


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("b.gif", "--out b.gif does not end in one of .png, .jpg, .jpeg, .webp"),
        ("b", "--out b does not end in one of"),
        ("{stem}", "--out {stem} does not end in one of"),
        ("{file}.png", "--out {file}.png has the unknown field {file}. For face.jpg, {stem} is face"),
        ("a.png", "a.png is one of the inputs and would be overwritten"),
        ("./{stem}.png", "a.png is one of the inputs and would be overwritten"),
        ("a.png/", "a.png is not a folder"),
    ],
)
def test_an_out_that_cannot_be_meant_is_refused(out: str, message: str) -> None:
    touch("a.png")
    assert mistake("a.png", out=out, on_exist=OnExist.OVERWRITE).startswith(message)


def test_several_inputs_do_not_go_into_one_file() -> None:
    touch("a.png", "b.png", "in/c.png")
    assert mistake("a.png", "b.png", out="c.png").startswith("--out c.png is one file for several inputs")
    assert mistake("in", out="d.png").startswith("--out d.png is one file for several inputs")


def test_two_inputs_that_would_become_one_output_are_both_named() -> None:
    touch("in/a.jpg", "in/a.png", "other/b.png", "b.png")
    assert mistake("in", on_exist=OnExist.OVERWRITE) == (
        "in/a.jpg and in/a.png would both become in/a_x4.png."
        " Give --on-exist rename, or a pattern with {name} as --out, such as big/{name}.png."
    )
    assert mistake("b.png", "other", out="big/").startswith(
        "b.png and other/b.png would both become big/b_x4.png"
    )


def test_inputs_of_one_stem_are_told_apart_by_number_or_by_ending() -> None:
    touch("in/a.bmp", "in/a.gif", "in/a.png", "in/b.png")
    numbered = {
        "in/a.bmp": "big/a_x4.png",
        "in/a.gif": "big/a_x4-2.png",
        "in/a.png": "big/a_x4-3.png",
        "in/b.png": "big/b_x4.png",
    }
    assert outputs(plan("in", out="big/", on_exist=OnExist.RENAME)) == numbered
    assert outputs(plan("in", out="big/{stem}-{ext}.webp"))["in/a.gif"] == "big/a-gif.webp"
    assert outputs(plan("in", out="big/{name}.jpg"))["in/a.gif"] == "big/a.gif.jpg"
    assert outputs(plan("-", out="{name}.jpg")) == {"standard input": "stdin.jpg"}


def test_processes_that_share_inputs_of_one_stem_find_the_same_names_for_them() -> None:
    touch("in/a.bmp", "in/a.gif", "in/a.png")
    names = []
    for rank in range(2):
        found = plan_jobs(["in"], "big/", False, OnExist.RENAME, Share(rank, 2))
        touch(*outputs(found).values())
        names += outputs(found).values()
    assert sorted(names) == ["big/a_x4-2.png", "big/a_x4-3.png", "big/a_x4.png"]


def test_outputs_of_an_earlier_run_are_not_enlarged_again() -> None:
    touch("in/a.png", "in/a_x4.png", "in/a_x4-2.png", "in/b\nc.png", "in/b\nc_x4.png", "in/only_x4.png")
    assert outputs(plan("in", on_exist=OnExist.OVERWRITE)) == {
        "in/a.png": "in/a_x4.png",
        "in/b\nc.png": "in/b\nc_x4.png",
        "in/only_x4.png": "in/only_x4_x4.png",
    }


def test_the_output_folder_is_not_searched_for_inputs() -> None:
    touch("in/a.png", "in/big/a_x4.png", "in/big/deep/b.png")
    found = plan("in", out="in/big", recursive=True, on_exist=OnExist.OVERWRITE)
    assert outputs(found) == {"in/a.png": "in/big/a_x4.png"}


def test_outputs_that_exist_are_an_error_before_any_work() -> None:
    touch("a.png", "b.png", "c.png", "b_x4.png", "c_x4.png")
    message = "b_x4.png already exists (and 1 more). Choose --on-exist skip, overwrite or rename."
    assert mistake("a.png", "b.png", "c.png") == message


def test_outputs_that_exist_can_be_skipped_overwritten_or_given_another_name() -> None:
    touch("a.png", "b.png", "b_x4.png", "b_x4-2.png")
    skip = plan("a.png", "b.png", on_exist=OnExist.SKIP)
    kept = Job(Path("b.png"), Path("b_x4.png"))
    assert skip == Plan([Job(Path("a.png"), Path("a_x4.png"))], [], [kept])
    assert outputs(plan("a.png", "b.png", on_exist=OnExist.OVERWRITE))["b.png"] == "b_x4.png"
    assert outputs(plan("a.png", "b.png", on_exist=OnExist.RENAME)) == {
        "a.png": "a_x4.png",
        "b.png": "b_x4-3.png",
    }


def test_a_new_name_is_never_that_of_another_output() -> None:
    touch("b.png", "b-2.webp", "big/b.png")
    found = plan("b.png", "b-2.webp", out="big/{stem}.png", on_exist=OnExist.RENAME)
    assert outputs(found) == {"b.png": "big/b-3.png", "b-2.webp": "big/b-2.png"}
    assert outputs(plan("b.png", out="b.png", on_exist=OnExist.RENAME)) == {"b.png": "b-2.png"}


def test_a_hyphen_is_standard_input_and_output() -> None:
    assert plan("-") == Plan([Job(None, None)], [], [])
    assert plan("-").jobs[0].format == "PNG"
    assert outputs(plan("-", out="face.webp")) == {"standard input": "face.webp"}
    assert outputs(plan("-", out="big/")) == {"standard input": "big/stdin_x4.png"}
    assert mistake("-", "a.png").startswith("- is standard input and cannot be combined")


def test_inputs_that_are_not_there_are_named_and_the_others_go_on() -> None:
    touch("a.png", "empty/readme.txt", "empty/deep/b.png")
    os.mkfifo("pipe")
    found = plan("none.png", "a.png", "empty", "pipe", "a.png/b.png")
    assert outputs(found) == {"a.png": "a_x4.png"}
    assert reasons(found) == [
        "none.png: No such file or directory",
        "empty: no pictures in this folder. Use --recursive to search its subfolders.",
        "pipe: not a file. To read a pipe, give -.",
        "a.png/b.png: Not a directory",
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may do anything")
def test_folders_without_permission_are_named() -> None:
    touch("a.png", "closed/a.png", "in/b.png", "in/closed/c.png")
    for folder in ("closed", "in/closed"):
        Path(folder).chmod(0)
    try:
        assert reasons(plan("a.png", "closed")) == ["closed: Permission denied"]
        found = plan("in", recursive=True)
        assert list(outputs(found)) == ["in/b.png"]
        assert reasons(found) == ["in/closed: Permission denied"]
        assert mistake("a.png", out="closed/new/") == "closed is not writable. Give another --out."
    finally:
        for folder in ("closed", "in/closed"):
            Path(folder).chmod(0o700)


def test_an_output_folder_below_a_file_is_an_error_before_any_work() -> None:
    touch("a.png", "file")
    assert mistake("a.png", out="file/deeper/b.png") == "file is not a folder. Give another --out."
