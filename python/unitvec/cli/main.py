"""Runs a command and turns what happens into an exit code: 0 done, 1 failed, 2 wrong usage."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
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
    from unitvec.cli import commands  # only now: --help need not load NumPy and the core
    from unitvec.cli.usage import UsageError

    warnings.showwarning = _show_warning
    try:
        code: int = getattr(commands, arguments.command)(arguments)
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
    except (OSError, ValueError, TypeError, RuntimeError, MemoryError) as error:
        print(f"unitvec {arguments.command}: {_sentence(error)}", file=sys.stderr)
        return 1
    return code


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
