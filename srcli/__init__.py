"""Face super-resolution with Wasserstein GANs (arXiv 1705.02438).

    image = srcli.upscale("face.png")

`docs/python.md` shows the rest. Names are imported when they are first used.
"""

from typing import TYPE_CHECKING, Any

from srcli.version import __version__

if TYPE_CHECKING:
    from srcli.interface import (
        compare,
        load_experiment,
        load_generator,
        read_run,
        train,
        upscale,
    )

__all__ = ["__version__", "compare", "load_experiment", "load_generator", "read_run", "train", "upscale"]


def __getattr__(name: str) -> Any:
    if name not in __all__ or name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from srcli import interface

    return getattr(interface, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
