"""The lexicon as made, kept beside the packs like compiled Python: the next start reads no TOML.

A hundred packs take seconds to read and a fraction of one to load back. What is kept is named by
the bytes of the packs and of the code that reads them, so it can't be out of date. Where the
folder can't be written, packs are read anew each time.
"""

import hashlib
import os
import pickle
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import ahocorasick

from keywords.lexicon import Lexicon
from keywords.making import make_lexicon
from keywords.pack import PACKS, read_packs
from keywords.sieve import Sieve

_NAME = "lexicon.{}.bin"


def load_lexicon(folder: Path = PACKS) -> tuple[Lexicon, Sieve, str]:
    """Return the lexicon of the packs of a folder, its sieve, and their digest. Raises BadPack."""
    kept = folder / "__pycache__" / _NAME.format(_name_of_all(folder))
    # Anything may be in a file that a crash left half written; then the packs are read anew.
    with suppress(Exception):
        # As trusted as the .pyc files beside it: who can write here can change the code.
        lexicon, sieve, digest = pickle.loads(kept.read_bytes())  # noqa: S301
        return lexicon, sieve, digest
    packs, digest = read_packs(folder)
    lexicon = make_lexicon(packs)
    made = lexicon, Sieve(lexicon), digest
    with suppress(OSError):
        _keep(kept, pickle.dumps(made, pickle.HIGHEST_PROTOCOL))
    return made


def _name_of_all(folder: Path) -> str:
    found = hashlib.sha256(sys.version.encode())
    for path in _sources(folder):
        content = path.read_bytes()
        found.update(f"{path.name} {len(content)} ".encode())
        found.update(content)
    return found.hexdigest()[:32]


def _sources(folder: Path) -> Iterator[Path]:
    yield from sorted(folder.glob("*.toml"))
    yield from sorted(Path(__file__).parent.glob("*.py"))
    yield Path(ahocorasick.__file__)  # what is kept has its memory in it


def _keep(kept: Path, content: bytes) -> None:
    kept.parent.mkdir(exist_ok=True)
    for old in kept.parent.glob(_NAME.format("*")):
        old.unlink(missing_ok=True)
    fresh = kept.with_suffix(f".{os.getpid()}.new")
    try:
        fresh.write_bytes(content)
        fresh.replace(kept)
    finally:
        fresh.unlink(missing_ok=True)
