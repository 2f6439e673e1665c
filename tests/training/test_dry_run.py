"""What an experiment would take: counted and measured without a run."""

from pathlib import Path

import pytest
import torch
from tiny_experiments import small_dataset, small_experiment

from srcli.devices import has_bf16_units
from srcli.training.dry_run import compare_bf16, estimate_seconds, rehearse
from srcli.training.replicas import SINGLE_PROCESS

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        ("flags\t\t: fpu avx2 avx512f avx512_bf16 sha_ni", True),
        ("flags\t\t: fpu amx_bf16 amx_tile amx_int8", True),
        ("flags\t\t: fpu avx2 avx512f avx512_vnni amx_tile", False),
        (None, False),
    ],
)
def test_the_kernel_says_whether_a_processor_has_bf16_units(
    features: str | None, expected: bool, tmp_path: Path
) -> None:
    cpu_info = tmp_path / "cpuinfo"
    if features is not None:
        cpu_info.write_text(f"processor\t: 0\n{features}\n")
    assert has_bf16_units(CPU, cpu_info) is expected


def test_bf16_is_recommended_where_it_is_clearly_faster() -> None:
    assert compare_bf16(1.5, 0.6) == "the same in bf16:     0.6, 2.5 times as fast: --precision bf16"
    assert compare_bf16(1.5, 1.45) == "the same in bf16:     1.45, hardly faster"


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_dry_run_compares_fp32_with_bf16_where_there_are_units_for_it(precision: str) -> None:
    figures = rehearse(small_experiment(precision=precision), small_dataset(), CPU, SINGLE_PROCESS)
    is_compared = any(line.startswith("the same in bf16") for line in figures)
    assert is_compared == (precision == "fp32" and has_bf16_units(CPU))
    assert figures[0] == "generator parameters: 432,416"


def test_an_estimate_needs_no_other_run_and_counts_every_step() -> None:
    assert estimate_seconds(small_experiment(init_from="nowhere"), CPU) > 0
    # A thousand million times as many steps: no noise of the measurement hides that.
    few, many = (estimate_seconds(small_experiment(steps=steps), CPU) for steps in (3, 3_000_000_000))
    assert many > 1000 * few
