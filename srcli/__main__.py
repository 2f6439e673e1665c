"""Lets `python -m srcli` run the commands."""

from srcli.cli.main import main

main()
