"""A lock on a file that the kernel gives back when its holder is killed."""

import fcntl
import os
import time
from pathlib import Path

from db.embedded.home import writing

PAUSE = 0.05  # seconds between two tries


class FileLock:
    """An advisory lock (flock), ours as long as this object holds it; names its last holder."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd: int | None = None

    def take(self, *, shared: bool = False) -> bool:
        """Try once to hold the lock, or to change how we hold it. False: it is not ours now."""
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        with writing(self._path):
            if self._fd is None:
                flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
                self._fd = os.open(self._path, flags, 0o600)
            try:
                fcntl.flock(self._fd, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                self.release()
                return False
            if not self._is_the_file():
                self.release()
                return False
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, str(os.getpid()).encode(), 0)
        return True

    def wait(self, seconds: float) -> bool:
        """Try for a while to hold the lock alone."""
        end = time.monotonic() + seconds
        while not self.take():
            if time.monotonic() > end:
                return False
            time.sleep(PAUSE)
        return True

    def release(self) -> None:
        """Give the lock back, also for children that were forked with it."""
        if self._fd is not None:
            fcntl.flock(self._fd, fcntl.LOCK_UN)
            os.close(self._fd)
            self._fd = None

    def holder(self) -> str:
        """Return how to name the last process that took the lock."""
        try:
            return f"process {int(self._path.read_text())}"
        except (OSError, ValueError):
            return "another process"

    def _is_the_file(self) -> bool:
        """Tell whether our file still has its name: it may have been deleted and made anew."""
        assert self._fd is not None  # noqa: S101 for the type checker
        try:
            return os.path.samestat(os.fstat(self._fd), self._path.stat())
        except FileNotFoundError:
            return False
