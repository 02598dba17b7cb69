"""What a process does with the memory that it frees.

glibc offers no way back from such a setting: it can be set again, but the threshold that glibc adapts by
itself stays fixed from then on. So library functions leave the process of their caller alone. Only processes
that belong to learnet are set: the worker processes of `spread`, Dask workers while they do our work, and the
command line. A program that calls the library and trains in its own process may call `keep_freed_memory`
itself.
"""

import ctypes
import platform
from functools import cache


@cache
def keep_freed_memory() -> None:
    """Let this process keep what it frees, for the next step to use, instead of giving it back to the system.

    A step frees all its maps at once. glibc then returns their pages, and the system clears new ones for the
    next step: a seventh of the time of a training on one thread, a tenth to a quarter of that of scores.
    Other C libraries are left as they are.
    """
    if platform.libc_ver()[0] == "glibc":
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(
            -1, 2**31 - 1
        )  # M_TRIM_THRESHOLD: free memory at the end that is kept, in bytes; the largest there is
        mallopt(
            -3, 32 * 2**20
        )  # M_MMAP_THRESHOLD: what is larger is a mapping of its own; the largest that glibc takes
