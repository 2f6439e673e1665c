"""The environment that pages are rendered in."""

from base64 import b64encode

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
    environment.filters["data_uri"] = lambda png: f"data:image/png;base64,{b64encode(png).decode()}"
    return environment
