"""The `learnet` command: each function reads its options, makes one library call and prints the result.

Heavy libraries are imported inside the commands, so that `learnet --help` is instant.
"""

import sys
import warnings
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
from learnet.core.earlier_names import current_arguments
from learnet.core.errors import LearnetError
from learnet.core.extras import missing_library
from learnet.core.files import (
    NO_PERMISSION,
    NO_ROOM,
    NO_SUCH_PLACE,
    disk_error_hint,
    disk_error_reason,
)
from learnet.core.malloc import keep_freed_memory

ENVIRONMENT_ERRORS = (*NO_ROOM, *NO_PERMISSION, *NO_SUCH_PLACE)
"""Errors of the disk or of permissions. Any other `OSError` is a bug and keeps its traceback."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line.

    A user error ends in one line on stderr and exit code 2. A bug keeps its traceback and exits with code 1.

    Args:
        arguments: command-line arguments without the program name; `sys.argv[1:]` if not given.
    """
    keep_freed_memory()
    warnings.showwarning = _print_warning
    try:
        current, notes = current_arguments(sys.argv[1:] if arguments is None else arguments)
        for note in notes:
            console.err.print(f"learnet: {note}")
        app(current, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        command = " ".join(["learnet", *(error.command_chain or ())])
        console.stop(parser_message(error), f"`{command} --help` lists the options.")
    except LearnetError as error:
        console.stop(str(error))
    except ModuleNotFoundError as error:
        console.stop(str(missing_library(error, _command(current))))
    except OSError as error:
        if error.errno not in ENVIRONMENT_ERRORS:
            raise
        reason = disk_error_reason(error)
        console.stop(f"{error.filename or 'output'}: {reason}.", disk_error_hint(reason))
    except KeyboardInterrupt:
        console.stop(
            "Interrupted.",
            "`learnet run`, `study`, `prepare` and `predict` of several videos continue when run again.",
            code=130,
        )


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
