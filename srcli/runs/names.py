"""Short names for runs and files."""

from collections.abc import Sequence
from pathlib import Path

from srcli.errors import UserError


def shortest_names(paths: Sequence[Path]) -> list[str]:
    """The shortest ends of the paths that differ: `a/run` and `b/run`, but just `run` when there is one.

    Raises:
        UserError: Two paths are the same place.
    """
    parts = [path.resolve().parts for path in paths]
    for path, own in zip(paths, parts, strict=True):
        if parts.count(own) > 1:
            raise UserError(f"{path} is given twice", "Name each only once.")
    length = 1
    while len({own[-length:] for own in parts}) < len(parts):
        length += 1
    return ["/".join(own[-length:]) for own in parts]
