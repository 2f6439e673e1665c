"""What `srcli upscale` makes of files, folders and patterns, with weights of real checkpoints."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pixels import noise, png, soft
from tiny_experiments import small_experiment
from upscale_command import draw, names_in, opened, upscale

from srcli.data.task import PAPER
from srcli.generators.on_torch import load_torch_generator
from srcli.pictures.formats import readable_formats
from srcli.runs.checkpoints import write_checkpoint
from srcli.runs.directory import RunDirectory, create_run
from srcli.upscaling.tiles import enlarge_pixels


def pixels_of(path: str | Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


@pytest.mark.usefixtures("pictures")
@pytest.mark.parametrize("name", ["resnet", "dcgan"])
def test_a_picture_of_any_size_becomes_four_times_larger(weights: Path, name: str) -> None:
    file = weights / f"{name}.safetensors"
    assert upscale("a.png", "--model", file) == (0, "a_x4.png\n", [])
    generator = load_torch_generator(file)
    np.testing.assert_array_equal(
        np.asarray(opened("a_x4.png")), enlarge_pixels(np.asarray(opened("a.png")), generator)
    )
    text = opened("a_x4.png").info
    assert text["srcli:model"] == f"small-{name}-wgan-gp, step 7, sha256 {generator.description.sha256}"


@pytest.mark.usefixtures("pictures")
def test_a_run_means_its_newest_checkpoint(tmp_path: Path) -> None:
    experiment = small_experiment(generator="resnet")
    run = create_run(tmp_path / "run", experiment.to_yaml(), {"status": "running"})
    for step in (1, 2):
        network = {"generator.safetensors": experiment.generator.build(PAPER)}
        write_checkpoint(RunDirectory(run.path), experiment, step, network, {})
    assert upscale("a.png", "--model", "run")[0] == 0
    upscale("a.png", "--model", "run/checkpoints/step-000001", "--out", "first.png")
    assert "step 2, sha256" in opened("a_x4.png").info["srcli:model"]
    assert "step 1, sha256" in opened("first.png").info["srcli:model"]
    assert (np.asarray(opened("a_x4.png")) != np.asarray(opened("first.png"))).any()


@pytest.mark.usefixtures("pictures")
def test_pictures_that_fail_are_named_and_the_others_go_on(resnet: Path) -> None:
    code, output, errors = upscale(
        "empty.png", "a.png", "none.png", "text.jpg", "face.png", "--model", resnet
    )
    assert (code, output) == (4, "a_x4.png\nface_x4.png\n")
    assert errors == [
        "error: none.png: No such file or directory",
        "error: empty.png: it is empty",
        f"error: text.jpg: it is not a picture of {', '.join(readable_formats())}",
    ]


@pytest.mark.usefixtures("pictures")
def test_the_exit_code_is_1_if_every_picture_fails(resnet: Path) -> None:
    code, output, errors = upscale("empty.png", "text.jpg", "--model", resnet)
    assert (code, output, len(errors)) == (1, "", 2)
    assert names_in(".") == ["a.png", "empty.png", "face.png", "text.jpg"]


@pytest.mark.usefixtures("pictures")
def test_a_multilayer_perceptron_takes_the_training_size_only(weights: Path) -> None:
    code, output, errors = upscale("face.png", "a.png", "--model", weights / "mlp.safetensors")
    assert (code, output) == (4, "face_x4.png\n")
    assert errors == [
        "error: a.png: it is 20x30, but the model (small-mlp-wgan-gp, step 7) takes exactly 16x16."
        " Use a convolutional model (resnet or dcgan), which takes any size."
    ]


@pytest.mark.usefixtures("pictures")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.png", "--model", "face"], "error: there is no model face. Did you mean faces? Give faces, "),
        (["a.png", "--model", "a.png"], "error: a.png cannot be read as weights"),
        (
            ["a.png", "--model", "{noise}"],
            "error: {noise} draws faces from noise and cannot enlarge pictures",
        ),
        (["a.png", "--model", "{resnet}", "--device", "abacus"], "error: --device abacus cannot be used"),
        (["a.png", "--model", "{resnet}", "--quality", "9"], "error: --quality has no effect on PNG"),
        (
            ["face.png", "--model", "{resnet}", "--out", "a.png"],
            "error: a.png already exists. Choose --on-exist",
        ),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing_behind(
    weights: Path, arguments: list[str], message: str
) -> None:
    files = {name: str(weights / f"{name}.safetensors") for name in ("noise", "resnet")}
    code, output, errors = upscale(*(argument.format(**files) for argument in arguments))
    assert (code, output, len(errors)) == (1, "", 1)
    assert errors[0].startswith(message.format(**files))
    assert names_in(".") == ["a.png", "empty.png", "face.png", "text.jpg"]


@pytest.mark.usefixtures("pictures")
def test_existing_outputs_are_skipped_on_request_with_a_message(resnet: Path) -> None:
    Path("a_x4.png").touch()
    done = upscale("a.png", "face.png", "--model", resnet, "--on-exist", "skip")
    assert done == (0, "face_x4.png\n", ["a_x4.png already exists, skipped"])
    assert Path("a_x4.png").stat().st_size == 0
    assert upscale("a.png", "--model", resnet, "--on-exist", "overwrite") == (0, "a_x4.png\n", [])
    assert opened("a_x4.png").size == (80, 120)


@pytest.mark.usefixtures("pictures")
def test_what_a_picture_loses_is_reported(resnet: Path) -> None:
    first, second = (Image.new("L", (16, 16), grey) for grey in (0, 255))
    first.save("moving.gif", save_all=True, append_images=[second])
    code, _, lines = upscale("moving.gif", "--model", resnet)
    assert (code, lines) == (0, ["moving.gif: only its first frame is enlarged"])


@pytest.mark.usefixtures("pictures")
def test_a_folder_becomes_a_folder_of_the_format_of_a_pattern(resnet: Path) -> None:
    Path("in/deep").mkdir(parents=True)
    for name in ("in/b.png", "in/deep/c.webp"):
        Image.fromarray(soft(16, 16)).save(name)
    done = upscale("in", "--recursive", "--model", resnet, "--out", "big/{stem}.jpg", "--quality", "80")
    assert done == (0, "big/b.jpg\nbig/c.jpg\n", [])
    assert opened("big/c.jpg").format == "JPEG"


@pytest.mark.usefixtures("folder")
def test_many_files_of_mixed_sizes_come_out_in_order_as_they_would_one_by_one(residual: Path) -> None:
    sizes = [(16, 16), (20, 31), (16, 16), (150, 140), (31, 20)]
    names = [f"in/{number:03}.png" for number in range(100)]
    for number, name in enumerate(names):
        draw(name, size=sizes[number % 5 if number > 90 else 0])
    Path("in/050.png").write_bytes(b"no picture")
    code, output, errors = upscale("in", "--out", "big/", "--model", residual)
    assert (code, len(errors)) == (4, 1)
    left = [name for name in names if "050" not in name]
    assert output.splitlines() == [name.replace("in/", "big/").replace(".png", "_x4.png") for name in left]
    generator = load_torch_generator(residual)
    for name, written in zip(left[::3] + left[-10:], output.split()[::3] + output.split()[-10:], strict=True):
        alone = enlarge_pixels(pixels_of(name), generator)
        assert np.abs(alone.astype(int) - pixels_of(written)).max() <= 1


@pytest.mark.usefixtures("folder")
def test_json_gives_a_record_of_every_picture(residual: Path) -> None:
    draw("a.png", "b.png", "c.png", size=(20, 30))
    Path("b.png").write_bytes(b"")
    draw("c_x4.png")
    code, output, errors = upscale(
        "a.png", "b.png", "c.png", "d.png", "--json", "--on-exist", "skip", "--model", residual
    )
    records = {record["input"]: record for record in map(json.loads, output.splitlines())}
    assert (code, len(errors)) == (4, 3)
    seconds = records["a.png"].pop("seconds")
    assert 0 < seconds < 60
    assert records["a.png"] == {
        "input": "a.png",
        "output": "a_x4.png",
        "status": "ok",
        "error": None,
        "width": 30,
        "height": 20,
        "output_width": 120,
        "output_height": 80,
        "model": "small-residual-wgan-gp, step 7",
        "sha256": load_torch_generator(residual).description.sha256,
        "suffered": None,
        "faces": None,
    }
    told = {name: (record["status"], record["error"], record["output"]) for name, record in records.items()}
    assert told["b.png"] == ("failed", "b.png: it is empty", None)
    assert told["c.png"] == ("skipped", None, "c_x4.png")
    assert told["d.png"] == ("failed", "d.png: No such file or directory", None)


@pytest.mark.usefixtures("folder")
def test_a_consistent_output_averages_to_its_input_in_the_file(residual: Path) -> None:
    draw("a.png", size=(150, 141))
    assert upscale("a.png", "--consistent", "--model", residual)[0] == 0
    means = pixels_of("a_x4.png").reshape(150, 4, 141, 4, 3).mean(axis=(1, 3))
    assert np.abs(means - pixels_of("a.png")).max() <= 1


@pytest.mark.usefixtures("folder")
def test_a_comparison_is_bicubic_and_output_side_by_side(residual: Path) -> None:
    draw("a.png", size=(150, 20))
    upscale("a.png", "--model", residual)
    assert upscale("a.png", "--compare", "--out", "both.png", "--model", residual) == (0, "both.png\n", [])
    with Image.open("a.png") as image:
        bicubic = np.asarray(image.resize((80, 600), Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(pixels_of("both.png")[:, :80], bicubic)
    np.testing.assert_array_equal(pixels_of("both.png")[:, 80:], pixels_of("a_x4.png"))


@pytest.mark.usefixtures("folder")
def test_patterns_that_no_shell_expanded_are_expanded(residual: Path) -> None:
    draw("faces/b.png", "faces/a.png", "faces/deep/c.png", "faces/[x].png")
    done = upscale("faces/?.png", "faces/**/c.png", "faces/[x].png", "--out", "big/", "--model", residual)
    assert done == (0, "big/a_x4.png\nbig/b_x4.png\nbig/c_x4.png\nbig/[x]_x4.png\n", [])
    assert upscale("none/*.png", "--model", residual) == (
        1,
        "",
        ["error: none/*.png: no file matches this pattern"],
    )
    assert upscale("faces/*c.png", "faces/a.png", "--model", residual)[0] == 4


BAD = {
    "empty": b"",
    "text": b"hello",
    "cut short": None,
    "without height": png(16, 0, 8, 2, b"").getvalue(),
    "bomb": png(60_000, 60_000, 8, 2, b"").getvalue(),
}


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("content", BAD.values(), ids=BAD)
def test_bad_pictures_are_one_line_and_leave_nothing(residual: Path, content: bytes | None) -> None:
    if content is None:
        Image.fromarray(noise(64, 64)).save("whole.jpg")
        content = Path("whole.jpg").read_bytes()[:2000]
        Path("whole.jpg").unlink()
    Path("a.jpg").write_bytes(content)
    code, output, errors = upscale("a.jpg", "--model", residual)
    assert (code, output, len(errors)) == (1, "", 1)
    assert errors[0].startswith("error: a.jpg: it is ")
    assert names_in(".") == ["a.jpg"]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1)])
def test_the_smallest_and_the_longest_pictures_are_enlarged(residual: Path, size: tuple[int, int]) -> None:
    draw("a.tiff", size=size)
    assert upscale("a.tiff", "--model", residual) == (0, "a_x4.png\n", [])
    assert pixels_of("a_x4.png").shape == (4 * size[0], 4 * size[1], 3)
