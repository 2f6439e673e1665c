"""The quality with which a JPEG was saved, from the quantisation tables in the file."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# ITU-T T.81 (1992), table K.1: how coarsely brightness is quantised at quality 50, row by row.
_LUMINANCE = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ]
)


def jpeg_quality(image: Image.Image) -> int | None:
    """The quality, 1 to 100, at which the IJG's library has the tables closest to an opened JPEG's.

    Exact for files of that library and those that use its tables; None for what is no JPEG.
    """
    tables: dict[int, list[int]] | None = getattr(image, "quantization", None)
    if image.format not in ("JPEG", "MPO") or not tables:
        return None
    table = np.array(tables[min(tables)])  # brightness comes first
    if table.shape != (64,):
        return None
    return 1 + int(np.abs(_ijg_tables() - table).sum(axis=1).argmin())


def _ijg_tables() -> NDArray[np.int64]:
    """The tables (100, 64) of qualities 1 to 100 (libjpeg, `jpeg_quality_scaling`)."""
    qualities = np.arange(1, 101)
    percent = np.where(qualities < 50, 5000 // qualities, 200 - 2 * qualities)
    tables: NDArray[np.int64] = np.clip((_LUMINANCE.ravel() * percent[:, None] + 50) // 100, 1, 255)
    return tables
