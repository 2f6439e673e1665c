"""Files that come with srcli beside its code."""

from pathlib import Path


def shipped_folder(name: str) -> Path:
    """A folder that comes with srcli: in the installed package, else in the checkout."""
    installed = Path(__file__).parents[1] / name
    return installed if installed.is_dir() else Path(__file__).parents[2] / name
