"""Final figures against independent computations, and records that read back as they were written."""

from pathlib import Path

import numpy as np
import pytest

from srcli.data.task import PAPER
from srcli.drawn_faces.faces import draw_faces
from srcli.errors import DataError
from srcli.metrics.measures import psnr
from srcli.pictures.resize import enlarge_bicubic
from srcli.reproduction.finals import enlarge_tensorflow1, face_metrics, measure_baselines
from srcli.reproduction.records import RunRecord, columns_of, read_record, read_records, write_record


def test_tensorflow_1s_bicubic_shows_input_pixels_unchanged_at_every_fourth_place() -> None:
    low_res = np.random.default_rng(0).integers(0, 256, (2, 5, 6, 3)).astype(np.uint8)
    enlarged = enlarge_tensorflow1(low_res)
    assert enlarged.shape == (2, 20, 24, 3)
    np.testing.assert_array_equal(enlarged[:, ::4, ::4], low_res)


def test_tensorflow_1s_bicubic_between_pixels_is_keys_with_minus_three_quarters() -> None:
    line = np.array([10, 20, 200, 40, 50, 60], np.uint8)
    low_res = np.broadcast_to(line[None, None, :, None], (1, 6, 6, 3)).copy()
    # Halfway between pixels 2 and 3: -0.09375, 0.59375, 0.59375, -0.09375.
    expected = -0.09375 * 20 + 0.59375 * 200 + 0.59375 * 40 - 0.09375 * 50
    assert enlarge_tensorflow1(low_res)[0, 8, 10, 0] == round(expected)


def test_the_misaligned_baseline_is_far_worse_than_pillows() -> None:
    labels = draw_faces(12, 3)[:, 4:68, 4:68]
    baselines = measure_baselines(labels)
    bicubic = enlarge_bicubic(PAPER.low_res_of(labels), PAPER.scale)
    np.testing.assert_allclose(baselines["bicubic"]["psnr"], psnr(bicubic / 255, labels / 255))
    assert baselines["bicubic"]["psnr"].mean() - baselines["bicubic_tensorflow1"]["psnr"].mean() > 1


def test_colour_shift_is_that_of_the_mean_colour() -> None:
    labels = draw_faces(3, 3)[:, 4:68, 4:68] // 2
    outputs = labels + np.array([30, 0, 6], np.uint8)
    np.testing.assert_allclose(face_metrics(outputs, labels)["colour"], (30 + 6) / 3 / 255)


def made_up_record() -> RunRecord:
    log = [{"step": 1, "wasserstein": 0.5}, {"step": 2, "wasserstein": 0.25, "psnr": 20.0, "health": {}}]
    return RunRecord(
        cell="mlp-wgan",
        part="grid",
        figures_of_paper="3 e-g",
        preset="mlp-wgan",
        seed=1,
        status="finished",
        reason="",
        step=2,
        seconds=1.5,
        experiment={"objective": {"name": "wgan"}},
        made={"train_faces": 7},
        critic_updates=10,
        epochs=22.9,
        figures={"psnr_running": 20.125},
        faces={"psnr_running": np.array([20.0, 20.25])},
        steps=columns_of(log, ("step", "wasserstein", "l1")),
        evaluations=columns_of(log[1:], ("step", "psnr")),
    )


def test_a_record_reads_back_as_it_was_written(tmp_path: Path) -> None:
    write_record(tmp_path / "mlp-wgan-s1", made_up_record(), np.zeros((2, 4, 3), np.uint8))
    (back,) = read_records(tmp_path)
    assert back.name == "mlp-wgan-s1"
    assert back.objective == "wgan"
    assert back.figures == {"psnr_running": 20.125}
    assert list(back.steps) == ["step", "wasserstein"]  # l1 was never logged
    np.testing.assert_array_equal(back.steps["wasserstein"], [0.5, 0.25])
    np.testing.assert_array_equal(back.faces["psnr_running"], [20.0, 20.25])
    assert (tmp_path / "mlp-wgan-s1" / "examples.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize("damage", ["{", "[]", '{"cell": 1}'])
def test_a_damaged_record_is_named(damage: str, tmp_path: Path) -> None:
    write_record(tmp_path / "run", made_up_record(), None)
    (tmp_path / "run" / "record.json").write_text(damage)
    with pytest.raises(DataError, match="is not the record of a run"):
        read_record(tmp_path / "run")
