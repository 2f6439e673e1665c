"""Lets `python -m srcli` run the commands."""

from srcli.cli.main import main

if __name__ == "__main__":
    main()
