"""`prepare-data` and `upscale` share one list of formats."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from srcli.packing.sources import is_picture
from srcli.pictures.formats import PICTURE_ENDINGS, READ_FORMATS, readable_formats
from srcli.pictures.opening import open_picture
from srcli.upscaling.plan import OnExist, plan_jobs
from srcli.upscaling.reading import read_picture

RAMP = np.stack(np.broadcast_arrays(*np.ogrid[0:80, 0:96], 128), axis=-1).astype(np.uint8) * 2
LOSSY = ("JPEG", "WEBP", "AVIF", "HEIF", "GIF")


@pytest.mark.parametrize("ending", PICTURE_ENDINGS)
def test_both_commands_read_every_format_by_its_ending(ending: str, tmp_path: Path) -> None:
    (form,) = (name for name, endings in READ_FORMATS.items() if ending in endings)
    if form not in readable_formats():
        pytest.skip(f"this Pillow has no {form}")
    picture = tmp_path / f"a{ending}"
    Image.fromarray(RAMP).save(picture, form)
    (job,) = plan_jobs([str(tmp_path)], None, False, OnExist.FAIL).jobs
    assert job.source == picture
    assert is_picture(picture.name)
    enlarged = read_picture(picture, picture.name).colour
    packed = np.asarray(open_picture(picture, picture.name))
    for pixels in (enlarged, packed):
        assert pixels.shape == RAMP.shape
        difference = np.abs(pixels.astype(int) - RAMP)
        assert difference.mean() < 4 if form in LOSSY else difference.max() == 0


def test_without_the_extra_heic_is_met_with_its_remedy(tmp_path: Path) -> None:
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x1cftypheic\0\0\0\0mif1heic")
    without = "import sys; sys.modules['pillow_heif'] = None; from srcli.cli.main import main; main()"
    for arguments in (["upscale", "."], ["prepare-data", ".", "--out", "data", "--layout", "faces"]):
        command = [sys.executable, "-c", without, *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stdout) == (1, "")
        assert "a.heic: it is HEIC, which is read with pip install 'srcli[heic]'" in done.stderr
        assert "Traceback" not in done.stderr


def test_sixteen_bit_grey_of_a_ppm_keeps_its_range() -> None:
    grey = np.array([[0, 1, 257], [32768, 65534, 65535]], ">u2")
    content = b"P5 3 2 65535\n" + grey.tobytes()
    assert read_picture(io.BytesIO(content), "a").colour[..., 0].tolist() == grey.tolist()
    packed = np.asarray(open_picture(io.BytesIO(content), "a"))
    assert packed[..., 0].tolist() == [[0, 0, 1], [128, 255, 255]]
