"""Results as files named by their content, `objects/ab/<digest>`: whole or not there, and never changed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from gendsl_runtime.store.owned import held


class Blobs:
    """The files of a store."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, digest: bytes) -> Path:
        name = digest.hex()
        return self.root / "objects" / name[:2] / name

    def write(self, digest: bytes, content: bytes) -> None:
        """The content goes to a temporary file, to the disk, and only then to its name."""
        placed([content], self.path(digest), drafts=self.root / "tmp")

    def size(self, digest: bytes) -> int | None:
        """Bytes of the file; None where there is none."""
        try:
            return self.path(digest).stat().st_size
        except OSError:
            return None

    def read(self, digest: bytes) -> bytes | None:
        """The content, not verified; None where it cannot be read."""
        try:
            return self.path(digest).read_bytes()
        except OSError:
            return None

    def set_aside(self, digest: bytes, content: bytes | None = None) -> None:
        """Moves a damaged file, or writes damaged content, to `quarantine/`; best effort."""
        with suppress(OSError):
            folder = self.root / "quarantine"
            folder.mkdir(exist_ok=True)
            target = folder / digest.hex()
            if content is None:
                self.path(digest).replace(target)
            else:
                target.write_bytes(content)


def placed(content: Sequence[bytes], path: Path, *, drafts: Path) -> None:
    """Writes a file whole or not at all: a draft, to the disk, then its name, which gives way to it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    drafts.mkdir(exist_ok=True)
    while not _drafted(content, path, drafts):
        pass  # another process took the draft for one of the dead before it was held
    synced(path.parent)


def _drafted(content: Sequence[bytes], path: Path, drafts: Path) -> bool:
    handle, draft = tempfile.mkstemp(dir=drafts)
    try:
        with os.fdopen(handle, "wb") as file, held(Path(draft)) as is_there:
            if not is_there:
                return False
            file.writelines(content)
            file.flush()
            os.fsync(file.fileno())
            Path(draft).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(draft).unlink()
        raise
    return True


def synced(folder: Path) -> None:
    """Names in a folder survive a loss of power once the folder itself is written."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
