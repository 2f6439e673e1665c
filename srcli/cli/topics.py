"""The topics of `srcli help`: the documents of docs/."""

import difflib
from collections.abc import Sequence
from pathlib import Path

from srcli.errors import UserError
from srcli.storage.shipped import shipped_folder


def topics() -> dict[str, Path]:
    """The documents by topic, sorted; a topic is the file's name without `.md`."""
    return {path.stem: path for path in sorted(shipped_folder("docs").glob("*.md"))}


def title_of(path: Path) -> str:
    """A document's title: its first heading."""
    with path.open(encoding="utf-8") as lines:
        heading = next((line for line in lines if line.startswith("# ")), "")
    return heading.removeprefix("# ").replace("`", "").strip()


def find_topic(name: str, commands: Sequence[str]) -> Path:
    """The document of a topic.

    Args:
        commands: What else one can ask help on, for the hint.

    Raises:
        UserError: There is no such topic.
    """
    found = topics()
    if name not in found:
        near = difflib.get_close_matches(name.lower(), [*found, *commands], n=2)
        question = f"Did you mean {' or '.join(near)}? " if near else ""
        raise UserError(
            f"there is no topic or command called {name!r}", f"{question}`srcli help` lists all topics."
        )
    return found[name]
