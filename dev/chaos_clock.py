"""A wall clock that jumps for one program alone, while its monotonic clock goes on as it must.

libfaketime does not do for this: it shifts absolute waits by the monotonic clock as well, so that
Python's sleeps fail and its locks wait for an hour. What is needed here is three functions long.
"""

from __future__ import annotations

import mmap
import shutil
import struct
import subprocess
from typing import TYPE_CHECKING

from dev.chaos_scene import NotAllowedError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_SOURCE = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile long *ahead;

__attribute__((constructor)) static void begin(void) {
    int file = open(getenv("CHAOS_CLOCK"), O_RDONLY | O_CLOEXEC);
    ahead = mmap(NULL, sizeof *ahead, PROT_READ, MAP_SHARED, file, 0);
    close(file);
}

int clock_gettime(clockid_t which, struct timespec *now) {
    int failed = syscall(SYS_clock_gettime, which, now);
    if (!failed && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE))
        now->tv_sec += *ahead;
    return failed;
}

int gettimeofday(struct timeval *now, void *zone) {
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now) {
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    if (now)
        *now = exact.tv_sec;
    return exact.tv_sec;
}
"""


class Clock:
    """The wall clock of programs that start with `environment`; right until it is `set`.

    Raises:
        NotAllowedError: there is no C compiler to make it with.
    """

    def __init__(self, folder: Path) -> None:
        compiler = shutil.which("cc")
        if compiler is None:
            raise NotAllowedError("there is no C compiler (cc) to make a clock with that jumps")
        source, library, self._file = (folder / f"clock{end}" for end in (".c", ".so", ""))
        source.write_text(_SOURCE)
        command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(source)]
        subprocess.run(command, check=True)  # noqa: S603 - our own words
        self._file.write_bytes(struct.pack("l", 0))
        self.environment: Mapping[str, str] = {
            "LD_PRELOAD": str(library),
            "CHAOS_CLOCK": str(self._file),
        }

    def set(self, seconds: int) -> None:
        """Be so many seconds ahead of the true time from now on."""
        with self._file.open("r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
            memory[:] = struct.pack("l", seconds)
