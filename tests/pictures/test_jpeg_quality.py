"""The quality of JPEGs is read from the tables in the file."""

import io

import pytest
from PIL import Image
from pixels import soft

from srcli.pictures.jpeg_quality import jpeg_quality


def reopened(image: Image.Image, **options: object) -> Image.Image:
    file = io.BytesIO()
    image.save(file, **{"format": "JPEG", **options})
    return Image.open(file)


@pytest.mark.parametrize("quality", [1, 10, 49, 50, 60, 75, 90, 95, 100])
def test_the_quality_is_the_one_that_the_file_was_saved_with(quality: int) -> None:
    assert jpeg_quality(reopened(Image.fromarray(soft(40, 24)), quality=quality)) == quality


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("options", [{"subsampling": "4:2:0"}, {"progressive": True}], ids=str)
def test_the_kind_of_jpeg_does_not_matter(mode: str, options: dict[str, object]) -> None:
    image = Image.fromarray(soft(40, 24)).convert(mode)
    assert jpeg_quality(reopened(image, quality=60, **options)) == 60


def test_other_programs_tables_are_given_the_nearest_quality() -> None:
    """Tables twice as coarse as those of 90, 20 % of the standard's, are 40 % of it: quality 80."""
    at_90 = reopened(Image.fromarray(soft(16, 16)), quality=90).quantization
    coarser = {number: [2 * step for step in table] for number, table in at_90.items()}
    assert jpeg_quality(reopened(Image.fromarray(soft(16, 16)), qtables=coarser)) in (79, 80, 81)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF"])
def test_other_formats_have_no_quality(kind: str) -> None:
    assert jpeg_quality(reopened(Image.fromarray(soft(16, 16)), format=kind)) is None
