"""Fetching CelebA with torchvision, for `srcli prepare-data celeba`."""

from importlib.util import find_spec
from pathlib import Path

from srcli.errors import DataError

HINT = "Download img_align_celeba.zip and list_eval_partition.txt by hand and give the zip as SOURCE."


def download_celeba(folder: Path) -> Path:
    """Downloads CelebA, aligned and cropped, into a folder and returns the archive of its pictures.

    The archive's checksum was verified; the folder that torchvision unpacks beside it may not be whole, and
    is returned only where the archive is gone.

    Raises:
        DataError: The host cannot be reached, its quota is used up, or gdown is not installed.
    """
    if find_spec("gdown") is None:
        raise DataError("torchvision needs gdown to download CelebA", f"pip install gdown, or: {HINT}")
    from torchvision.datasets import CelebA

    try:
        CelebA(str(folder), split="all", target_type="identity", download=True)
    # gdown and requests raise exceptions of many unrelated kinds.
    except Exception as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        reason = lines[0].rstrip(".:") if lines else type(error).__name__
        raise DataError(
            f"CelebA could not be downloaded, its host is out of reach or its quota used up: {reason}", HINT
        ) from None
    archive = folder / "celeba" / "img_align_celeba.zip"
    return archive if archive.is_file() else archive.with_suffix("")
