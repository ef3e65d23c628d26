"""The command `unitvec`."""

from unitvec.cli.main import main

__all__ = ["main"]
