"""Installations for the tests: one that most share, and copies to break."""

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.installed import Installed


@pytest.fixture(scope="session")
def folders() -> Iterator[Callable[[], Path]]:
    """Makes folders that the database's account can pass, and takes them away at the end."""
    made: list[Path] = []

    def make() -> Path:
        folder = Path(tempfile.mkdtemp(prefix="optledger-e2e-"))
        folder.chmod(0o755)
        made.append(folder)
        return folder

    yield make
    for folder in made:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def pattern(folders: Callable[[], Path]) -> Installed:
    """An installation with an app, stopped: making a database is what takes time."""
    first = Installed(folders())
    try:
        first.start()
        first.make_app()
        assert first.stop() == 0
    finally:
        first.end()
    return first


@pytest.fixture(scope="session")
def copies(pattern: Installed, folders: Callable[[], Path]) -> Callable[..., Installed]:
    """Makes installations of their own out of the pattern."""

    def make(**settings: str) -> Installed:
        folder = folders()
        subprocess.run(["cp", "-pR", pattern.data_dir, folder / "var"], check=True)
        named = {f"OPTLEDGER_{name.upper()}": value for name, value in settings.items()}
        return Installed(folder, named)

    return make


@pytest.fixture(scope="session")
def shop(copies: Callable[..., Installed]) -> Iterator[Installed]:
    """The running service that tests share; each takes contacts of its own."""
    running = copies()
    try:
        running.start()
        yield running
        assert running.stop() == 0
    finally:
        running.end()


@pytest.fixture
def copy(copies: Callable[..., Installed]) -> Iterator[Installed]:
    """An installation for one test alone, not running."""
    alone = copies()
    yield alone
    alone.end()


@pytest.fixture
def empty(folders: Callable[[], Path]) -> Iterator[Installed]:
    """An installation where nothing was ever started."""
    alone = Installed(folders())
    yield alone
    alone.end()
