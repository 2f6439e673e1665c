"""Hooks of mkdocs: pages outside docs/ become pages of the site, and links to and from them lead there.

The documents themselves keep their places and their links, which work on a code host.
"""

import re
from pathlib import Path, PurePosixPath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

import srcli

ROOT = Path(__file__).parents[1]
FIRST_PAGE = "README.md"
LINK = re.compile(r"""(\]\(|(?:src|srcset|href)=")([^)#"\s]+)""")
FUNCTIONS_PAGE = "python-functions.md"
CLASSES = (
    "srcli.interface.PictureGenerator",
    "srcli.interface.Run",
    "srcli.generators.description.Description",
    "srcli.comparison.compare.Comparison",
    "srcli.comparison.compare.Row",
    "srcli.errors",
)
"""What the functions take, give and raise."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the page of Python's functions, and every file outside docs/ that a page links to."""
    pages = [f"docs/{file.src_uri}" for file in files.documentation_pages()]
    files.append(File.generated(config, FUNCTIONS_PAGE, content=_functions_page()))
    outside, waiting = {FIRST_PAGE}, [FIRST_PAGE, *pages]
    while waiting:
        new = {target for target in _linked_files(waiting.pop()) - outside if not target.startswith("docs/")}
        outside |= new
        waiting += [target for target in new if target.endswith(".md")]
    for path in sorted(outside):
        files.append(File.generated(config, _site_path(path), abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Points the page's links to where the site has their targets; others stay, for mkdocs to judge."""
    path = _repository_path(page.file)

    def pointed(link: re.Match[str]) -> str:
        target = _target(path, link[2])
        return link[0] if target is None else link[1] + _relative(_site_path(target), _site_path(path))

    return LINK.sub(pointed, markdown)


def _functions_page() -> str:
    names = [f"srcli.{name}" for name in srcli.__all__ if not name.startswith("_")]
    head = "# Python functions\n\nWhat `import srcli` offers. [From Python](python.md) shows it in use.\n"
    return "\n".join([head, *(f"::: {name}\n" for name in [*names, *CLASSES])])


def _repository_path(file: File) -> str:
    """The path in the repository of a page, generated ones as if they stood in docs/."""
    source = Path(file.abs_src_path) if file.abs_src_path else ROOT / "docs" / file.src_uri
    return source.relative_to(ROOT).as_posix()


def _site_path(path: str) -> str:
    """Where the site has a file of the repository."""
    return "index.md" if path == FIRST_PAGE else path.removeprefix("docs/")


def _linked_files(page: str) -> set[str]:
    """The files of the repository to which a page of it links."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return {target for link in LINK.finditer(text) if (target := _target(page, link[2]))}


def _target(page: str, link: str) -> str | None:
    """The path in the repository to which a link in a page leads, if that is a file."""
    target = (ROOT / page).parent.joinpath(link).resolve()
    return target.relative_to(ROOT).as_posix() if target.is_file() and target.is_relative_to(ROOT) else None


def _relative(target: str, page: str) -> str:
    return PurePosixPath(*(".." for _ in PurePosixPath(page).parent.parts), target).as_posix()
