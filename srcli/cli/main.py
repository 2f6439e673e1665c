"""The `srcli` program: its commands, and the one place where errors become a line and an exit code."""

import errno
import io
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from srcli.cli.arguments import as_options, refuse_addresses, refuse_empty, telling_of_files
from srcli.cli.compare import compare
from srcli.cli.export import export
from srcli.cli.help import show_help
from srcli.cli.plot_curves import plot_curves
from srcli.cli.prepare_data import prepare_data
from srcli.cli.presets import presets
from srcli.cli.reproduce import reproduce
from srcli.cli.tensorboard import tensorboard
from srcli.cli.train import train
from srcli.cli.upscale import upscale
from srcli.console import discard_output, fail, is_talking, result, say
from srcli.errors import EXIT_INTERRUPTED, EXIT_USER_ERROR, InterruptedRunError, UserError
from srcli.version import __version__

ARGUMENTS = "srcli.arguments"
"""Key of the raw command line in a command's context."""


class Commands(TyperGroup):
    """The group of all commands; turns errors into one line on stderr and an exit code."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parses the command line up to the command's own arguments."""
        if not ctx.resilient_parsing:  # as while a shell completes a line
            refuse_empty(args)
            refuse_addresses(args)
        ctx.meta[ARGUMENTS] = list(args)
        rest: list[str] = super().parse_args(ctx, as_options(args, self.commands))
        return rest

    def invoke(self, ctx: Any) -> Any:
        """Runs the chosen command."""
        code = EXIT_USER_ERROR
        try:
            with telling_of_files(ctx.meta[ARGUMENTS]):
                return super().invoke(ctx)
        except InterruptedRunError as stopped:
            say(str(stopped))
            code = stopped.exit_code
        except UserError as error:
            said_elsewhere = error.is_common and not is_talking()
            for line in () if said_elsewhere else str(error).splitlines():
                fail(line)
            code = error.exit_code
        except KeyboardInterrupt:
            fail("interrupted")
            code = EXIT_INTERRUPTED
        except BrokenPipeError:
            # Whoever read our output is gone; flushing at exit must not fail.
            discard_output()
        except MemoryError:
            fail("this machine does not have enough memory")
        except OSError as error:
            fail(_describe(error))
        raise typer.Exit(code)


app = typer.Typer(
    name="srcli",
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Face super-resolution with Wasserstein GANs: 16x16 to 64x64, after arXiv 1705.02438.",
)
for command in (prepare_data, train, upscale, compare, plot_curves, tensorboard, export, reproduce):
    app.command()(command)  # named after the function: prepare-data
app.add_typer(presets, name="presets")
app.command("help")(show_help)


def _print_version(wanted: bool) -> None:
    if wanted:
        result(f"srcli {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", "-V", help="Print the version.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Runs the program."""
    # File names that are not valid text are printed byte for byte.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")
    app()


def _describe(error: OSError) -> str:
    place = f"{error.filename}: " if error.filename else ""
    if error.errno == errno.ENOSPC:
        return f"{place}the disk is full"
    return f"{place}{error.strerror or error}"
