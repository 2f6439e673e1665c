"""`srcli help`."""

import sys
from typing import Annotated

import typer

from srcli.cli.completion import complete_topic
from srcli.cli.topics import find_topic, title_of, topics
from srcli.console import result, say, show_markdown


def show_help(
    context: typer.Context,
    topic: Annotated[
        str | None,
        typer.Argument(metavar="TOPIC", help="A topic or a command.", autocompletion=complete_topic),
    ] = None,
) -> None:
    """Show a topic's document or a command's options; without a topic, list the topics."""
    if topic is None:
        width = max(map(len, topics()), default=0)
        for name, path in topics().items():
            result(f"{name:<{width}}  {title_of(path)}")
        say("srcli help TOPIC shows one of them, srcli help COMMAND a command; srcli --help lists commands")
        return
    group = context.find_root().command
    commands = group.list_commands(context) if isinstance(group, typer.core.TyperGroup) else []
    text = find_topic(topic, commands).read_text(encoding="utf-8").rstrip()
    if sys.stdout.isatty():
        show_markdown(text)
    else:
        result(text)
