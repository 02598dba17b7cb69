"""The `learnet` command: each function reads its options, makes one library call and prints the result.

Heavy libraries are imported inside the commands, so that `learnet --help` is instant.
"""

import os
import sys
import warnings
from collections.abc import Sequence
from typing import TextIO

from cyclopts import CycloptsError

# Importing these modules registers their commands.
from learnet.cli import (  # noqa: F401
    annotations,
    compare,
    console,
    data,
    demo,
    explain,
    export,
    live,
    run,
    score,
    score_spotting,
    show,
    studies,
    video,
)
from learnet.cli.app import app
from learnet.cli.parser_messages import parser_message
from learnet.cli.streams import flush_stdout, prepare_streams
from learnet.core.earlier_names import current_arguments
from learnet.core.errors import LearnetError
from learnet.core.extras import missing_library
from learnet.core.files import disk_error_hint, disk_error_reason
from learnet.core.malloc import keep_freed_memory

STDIN_OR_STDOUT = "-"
NOT_ENOUGH = "Use fewer processes (--jobs), smaller images or a shorter video."


def main(arguments: list[str] | None = None) -> None:
    """Run the command line.

    A user error ends in one line on stderr and exit code 2. A bug keeps its traceback and exits with code 1.

    Args:
        arguments: command-line arguments without the program name; `sys.argv[1:]` if not given.
    """
    keep_freed_memory()
    warnings.showwarning = _print_warning
    prepare_streams()
    try:
        current, notes = current_arguments(sys.argv[1:] if arguments is None else arguments)
        for note in notes:
            console.err.print(f"learnet: {note}")
        _check_arguments(current)
        _run(current)
    except CycloptsError as error:
        command = " ".join(["learnet", *(error.command_chain or ())])
        console.stop(parser_message(error), f"`{command} --help` lists the options.")
    except LearnetError as error:
        console.stop(str(error))
    except ModuleNotFoundError as error:
        console.stop(str(missing_library(error, _command(current))))
    except BrokenPipeError:
        return  # whoever reads the output wants no more
    except OSError as error:
        if error.errno is None:  # a bug; what the system refuses has a number
            raise
        reason = disk_error_reason(error)
        console.stop(f"{os.fsdecode(error.filename or 'output')}: {reason}.", disk_error_hint(reason))
    except (MemoryError, ImportError, RuntimeError) as error:
        _stop_for_memory(error)
    except KeyboardInterrupt:
        console.stop(
            "Interrupted.",
            "`learnet run`, `study`, `select`, `prepare` and `predict` of several videos continue when "
            "run again.",
            code=130,
        )


def _stop_for_memory(error: Exception) -> None:
    """Stop if an error says that a value, a library or a thread has no room in memory; else raise it."""
    is_without_room = "failed to map segment" in str(error) or "can't start new thread" in str(error)
    if not isinstance(error, MemoryError) and not is_without_room:
        raise error
    console.stop("There is not enough memory for this.", NOT_ENOUGH)


def _check_arguments(arguments: Sequence[str]) -> None:
    """Refuse what no path can be.

    Raises:
        LearnetError: the character NUL, which no system has in paths, or a dash for a standard stream.
    """
    for argument in arguments:
        if "\0" in argument:
            raise LearnetError(f"{argument} contains the character NUL.", "Leave it out.")
    if STDIN_OR_STDOUT in arguments:
        raise LearnetError(
            "- stands for no file here: standard input is not read.",
            "Name a file. `learnet predict` prints its JSON on standard output without --output.",
        )


def _run(arguments: Sequence[str]) -> None:
    """Run a command, and write all that it printed."""
    try:
        app(arguments, console=console.pages, exit_on_error=False, print_error=False)
    finally:
        flush_stdout()


def _command(arguments: list[str]) -> str:
    """Return the command that the arguments call, as `learnet explain clip`."""
    names, _, _ = app.parse_commands(arguments)
    return " ".join(["learnet", *names])


def _print_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Print a warning in one line, without its place in the source; the signature is that of `warnings`."""
    console.err.print(f"learnet: {message}")
