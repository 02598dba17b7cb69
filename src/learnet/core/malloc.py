"""Settings of the C library's memory allocator.

glibc offers no way back from such a setting: it can be set again, but the threshold that glibc adapts by
itself stays fixed from then on. So library functions leave the process of their caller alone. Only processes
that belong to learnet are set: the workers of `parallel_map`, Dask workers while they run our jobs, and the
command line. A program that calls the library and trains in its own process may call `keep_freed_memory`
itself.
"""

import ctypes
import platform
from functools import cache

M_TRIM_THRESHOLD = -1
M_MMAP_THRESHOLD = -3
LARGEST_INT = 2**31 - 1
LARGEST_MMAP_THRESHOLD = 32 * 2**20  # bytes; glibc accepts no larger one


@cache
def keep_freed_memory() -> None:
    """Let this process keep the memory that it frees for its next step, instead of giving it back to the
    system.

    A training step frees all its maps at once. glibc then returns their pages, and the system clears new ones
    for the next step: a seventh of the time of a training on one thread, a tenth to a quarter of that of
    scoring. Other C libraries are left as they are.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    mallopt = ctypes.CDLL(None).mallopt
    mallopt(M_TRIM_THRESHOLD, LARGEST_INT)  # bytes of free memory that are kept
    mallopt(M_MMAP_THRESHOLD, LARGEST_MMAP_THRESHOLD)  # larger blocks are mappings of their own
