"""Runs a command and turns what happens into an exit code: 0 done, 1 failed, 2 wrong usage."""

from __future__ import annotations

import keyword
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any, TextIO

from unitvec.cli.parser import build_parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs `unitvec` with these arguments; those of the process by default.

    A failure is one message on stderr, never a traceback.
    """
    parser = build_parser()
    arguments = parser.parse_args(argv)  # exits with 2 on wrong usage
    if arguments.command is None:
        parser.print_help()
        return 2
    from unitvec.cli.usage import UsageError

    warnings.showwarning = _show_warning
    try:
        code = _command(arguments.command)(arguments)
        sys.stdout.flush()
    except UsageError as error:
        print(f"unitvec {arguments.command}: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of a pipe had enough: not a failure worth a message
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print("unitvec: interrupted", file=sys.stderr)
        return 1
    except (OSError, ValueError, TypeError, RuntimeError, MemoryError, ImportError) as error:
        print(f"unitvec {arguments.command}: {_sentence(error)}", file=sys.stderr)
        return 1
    return code


def _command(name: str) -> Callable[[Any], int]:
    """The function of a command."""
    # Only now: --help need not load NumPy and the core.
    from unitvec.cli import commands, exchange_commands

    function = f"{name}_" if keyword.iskeyword(name) else name
    home = exchange_commands if hasattr(exchange_commands, function) else commands
    command: Callable[[Any], int] = getattr(home, function)
    return command


def _sentence(error: BaseException) -> str:
    return str(error) or type(error).__name__


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> Any:
    print(f"unitvec: warning: {message}", file=sys.stderr)
