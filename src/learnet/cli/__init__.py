"""The `learnet` command: each function reads its options, makes one library call and shows the answer.

Heavy libraries are imported inside the commands, so that `learnet --help` answers at once.
"""

import errno
import sys
import warnings

from cyclopts import CycloptsError

from learnet.cli import compare, console, data, demo, explain, live, run, score, show, studies, video  # noqa: F401
from learnet.cli.app import app
from learnet.core.errors import LearnetError
from learnet.core.malloc import keep_freed_memory

PLACES = (errno.ENOTDIR, errno.EISDIR, errno.ENOENT, errno.EEXIST)  # an output named where there can be none


def main(arguments: list[str] | None = None) -> None:
    """Run the command line. A user's mistake ends in one line on stderr and exit code 2; a bug keeps its traceback, exit code 1."""
    keep_freed_memory()
    warnings.showwarning = lambda message, *where: console.err.print(
        f"learnet: {message}"
    )  # a line for the user, not for a developer
    try:
        app(sys.argv[1:] if arguments is None else arguments, exit_on_error=False, print_error=False)
    except CycloptsError as mistake:
        place = " ".join(mistake.command_chain or ())
        console.stop(
            console.plain_words(mistake),
            f"`learnet {place} --help` shows what can be asked.".replace("  ", " "),
        )
    except LearnetError as mistake:
        console.stop(str(mistake))
    except OSError as trouble:
        if trouble.errno not in (
            errno.ENOSPC,
            errno.EDQUOT,
            errno.EACCES,
            errno.EPERM,
            errno.EROFS,
            errno.ENAMETOOLONG,
            *PLACES,
        ):
            raise  # not a matter of this machine's disk or rights: a bug, with its traceback
        console.stop(
            f"{trouble.filename or 'output'}: {trouble.strerror}.",
            "Make room or name another folder, and run the same command again.",
        )
    except KeyboardInterrupt:
        console.stop(
            "Stopped.",
            "`learnet run`, `learnet study` and `learnet prepare` go on where they stopped when they are run again.",
            code=130,
        )
