"""Writes docs/cli.md from the commands themselves; with --check, tells whether it is current."""

import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).with_name("cli.md")


def main() -> None:
    """Writes or checks the page."""
    options = "utils docs --name srcli --title Commands"
    command = [sys.executable, "-m", "typer", "srcli.cli.main", *options.split()]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout.rstrip() + "\n"
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(text, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        sys.exit(f"{PAGE} is not current: run python {Path(__file__).name}")


main()
