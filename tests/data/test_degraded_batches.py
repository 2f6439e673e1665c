"""Batches of degraded inputs, and experiments with degradation."""

import hashlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_experiments import AUGMENTATION, GENERATORS, parse_experiment, small_dataset, small_experiment

from srcli.data.augmentation import Augmentation
from srcli.data.batches import Batch, TrainingBatches
from srcli.data.dataset import Dataset
from srcli.data.degradation_settings import DegradationSettings
from srcli.errors import ExperimentError
from srcli.experiment.loading import override_experiment
from srcli.experiment.schema import Experiment
from srcli.pictures.pixels import from_network
from srcli.processes import ALONE, Share
from srcli.training.loop import training_batches as training_batches_of
from srcli.training.state import build_state
from srcli.training.step import train_step

CPU = torch.device("cpu")
NOTHING: dict[str, Any] = {
    "blur": {"probability": 0.0},
    "noise": {"probability": 0.0},
    "shot_noise": {"probability": 0.0},
    "exact_share": 0.0,
    "jpeg": {"probability": 0.0},
    "reduction": {"bicubic": 0.0, "bilinear": 0.0, "lanczos": 0.0, "detour_share": 0.0},
}
"""Settings that degrade every input only by an area average in 8 bits."""


def settings_with(**changes: Any) -> DegradationSettings:
    return DegradationSettings.model_validate({**NOTHING, **changes})


def training_batches(degradation: DegradationSettings | None, share: Share = ALONE) -> TrainingBatches:
    settings = Augmentation.model_validate({**AUGMENTATION, "degradation": degradation})
    return TrainingBatches(small_dataset(), settings, batch_size=8, seed=5, share=share)


def all_batches(degradation: DegradationSettings | None, share: Share = ALONE) -> list[Batch]:
    return training_batches(degradation, share).batches(range(6), CPU)


def test_batches_without_degradation_are_unchanged() -> None:
    grey = np.arange(30)[:, None, None, None] * 5 + np.arange(72)[:, None, None] + np.arange(72)[:, None] // 2
    faces = np.broadcast_to(grey, (30, 72, 72, 3)).astype(np.uint8)
    indices = np.arange(30)
    splits = {"train": indices[:-2], "validation": indices[:0], "test": indices[-2:]}
    plain = Augmentation(horizontal_flip=True, brightness=0.0, contrast=0.0, saturation=0.0)
    digest = hashlib.sha256()
    for batch in TrainingBatches(Dataset(faces, splits, "", ""), plain, 8, 5).batches(range(6), CPU):
        assert torch.equal(batch.inputs, batch.low_res)
        digest.update(from_network(batch.high_res.numpy()).tobytes())
    # Computed before degradation was there; rounded colours are the same on every processor.
    assert digest.hexdigest() == "3d1e5d70767bd4464f294ddb53340caeb551b5526c4e4ee9e2e4d3668c5d314c"


def test_degradation_changes_only_the_inputs() -> None:
    for before, after in zip(all_batches(None), all_batches(settings_with()), strict=True):
        assert torch.equal(before.inputs, before.low_res)
        assert torch.equal(before.high_res, after.high_res)
        assert torch.equal(before.low_res, after.low_res)
        assert not torch.equal(after.inputs, after.low_res)


def test_an_exact_share_of_one_leaves_the_averages() -> None:
    for batch in all_batches(DegradationSettings(exact_share=1.0)):
        assert torch.equal(batch.inputs, batch.low_res)


def test_a_share_of_inputs_stays_exact() -> None:
    batches = training_batches(DegradationSettings(exact_share=0.7)).batches(range(60), CPU)
    exact = [
        torch.equal(*pair) for batch in batches for pair in zip(batch.inputs, batch.low_res, strict=True)
    ]
    assert sum(exact) / len(exact) == pytest.approx(0.7, abs=0.07)


def test_inputs_are_their_own_labels_degraded() -> None:
    lanczos = {**NOTHING["reduction"], "area": 0.0, "lanczos": 1.0}
    for batch in all_batches(settings_with(reduction=lanczos)):
        labels, inputs = from_network(batch.high_res.numpy()), from_network(batch.inputs.numpy())
        for label, small in zip(labels, inputs, strict=True):
            expected = Image.fromarray(label).resize((16, 16), Image.Resampling.LANCZOS)
            assert np.array_equal(small, np.asarray(expected))


def test_inputs_are_a_function_of_the_number_and_the_seed() -> None:
    batches = training_batches(DegradationSettings())
    together = batches.batches(range(3, 9), CPU)
    for number in (8, 3, 5):
        assert torch.equal(batches.batch(number, CPU).inputs, together[number - 3].inputs)
    other = replace(batches, seed=6).batch(3, CPU)
    noises = [batch.inputs - batch.low_res for batch in (together[0], other, together[1])]
    assert not torch.equal(noises[0], noises[1])
    assert not torch.equal(noises[0], noises[2])


def test_ranks_together_see_the_inputs_of_one_process() -> None:
    whole = all_batches(DegradationSettings(exact_share=0.2))
    ranks = [all_batches(DegradationSettings(exact_share=0.2), Share(rank, 2)) for rank in (0, 1)]
    for batch, first, second in zip(whole, *ranks, strict=True):
        assert torch.equal(batch.inputs, torch.cat([first.inputs, second.inputs]))


# The experiment


def test_the_generator_gets_the_inputs_and_is_held_to_the_averages() -> None:
    experiment = override_experiment(
        small_experiment("pixel", "residual"), ["augmentation.degradation={exact_share: 0.0}"]
    )
    state, seen = build_state(experiment, CPU), []
    state.generator.register_forward_hook(lambda _, inputs, output: seen.append((*inputs, output.detach())))
    terms = train_step(state, training_batches_of(state, small_dataset()))
    batch = training_batches_of(state, small_dataset()).batch(0, CPU)
    ((inputs, fake),) = seen
    assert torch.equal(inputs, batch.inputs)
    assert not torch.equal(inputs, batch.low_res)
    averages = fake.reshape(4, 3, 16, 4, 16, 4).mean((3, 5))
    assert terms["l1"] == pytest.approx((averages - batch.low_res).abs().mean().item(), rel=1e-5)


def test_an_empty_mapping_is_the_pipeline_and_none_is_the_default() -> None:
    plain = small_experiment()
    assert plain.augmentation.degradation is None
    degraded = override_experiment(plain, ["augmentation.degradation={}"])
    assert degraded.augmentation.degradation == DegradationSettings()
    assert parse_experiment(degraded.to_yaml(), "again") == degraded
    changed = override_experiment(plain, ["augmentation.degradation.jpeg.quality=[30, 90]"])
    assert changed.augmentation.degradation is not None
    assert changed.augmentation.degradation.jpeg.quality == (30, 90)
    assert changed.augmentation.degradation.blur == DegradationSettings().blur


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("jpeg.quality=[95, 50]", "jpeg.quality: should name the smaller end first, not [95, 50]"),
        ("jpeg.quality=[0, 50]", "jpeg.quality.0: should be greater than or equal to 1, not 0"),
        ("jpg={}", "jpg: no such setting; did you mean jpeg?"),
        ("exact_share=1.5", "exact_share: should be less than or equal to 1, not 1.5"),
        ("blur.sigma=[0, 1]", "blur.sigma.0: should be greater than or equal to 0.1, not 0"),
        (
            "reduction={area: 0, bicubic: 0, bilinear: 0, lanczos: 0}",
            "reduction: should give one of area, bicubic, bilinear and lanczos a weight above 0",
        ),
    ],
)
def test_mistakes_are_named(override: str, message: str) -> None:
    with pytest.raises(ExperimentError) as caught:
        override_experiment(small_experiment(), [f"augmentation.degradation.{override}"])
    assert f"augmentation.degradation.{message}" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_generator_from_noise_has_nothing_to_degrade() -> None:
    values: dict[str, Any] = small_experiment(generator="noise").model_dump(mode="json")
    assert values["generator"]["architecture"] == GENERATORS["noise"]["architecture"]
    values["augmentation"]["degradation"] = {}
    with pytest.raises(ValueError, match=r"augmentation\.degradation: a generator from noise has no input"):
        Experiment.model_validate(values)
