"""The environment that pages are rendered in."""

import base64

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined


def page_environment(package: str) -> Environment:
    """Renders the templates of a package, which may include `page.css`, the style of all pages.

    Text is escaped; the filter `data_uri` turns a PNG's bytes into an address.
    """
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("srcli.pages")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["data_uri"] = _data_uri
    return environment


def _data_uri(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"
