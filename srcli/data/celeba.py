"""Fetching CelebA with torchvision, for `srcli prepare-data celeba`."""

from pathlib import Path

from srcli.errors import DataError

HINT = "Download img_align_celeba.zip and list_eval_partition.txt by hand and give the zip as SOURCE."


def download_celeba(folder: Path) -> Path:
    """Downloads CelebA, aligned and cropped, into a folder and returns where its pictures lie.

    Raises:
        DataError: The host cannot be reached, its quota is used up, or gdown is not installed.
    """
    from torchvision.datasets import CelebA

    try:
        CelebA(str(folder), split="all", target_type="identity", download=True)
    except ModuleNotFoundError as error:
        raise DataError(
            f"torchvision needs {error.name} to download CelebA", f"pip install {error.name}, or: {HINT}"
        ) from None
    # gdown and requests raise exceptions of many unrelated kinds.
    except Exception as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        reason = lines[0] if lines else type(error).__name__
        raise DataError(
            f"CelebA could not be downloaded, its host is out of reach or its quota used up: {reason}", HINT
        ) from None
    return folder / "celeba" / "img_align_celeba"
