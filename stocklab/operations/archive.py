"""One file with checksums: a zstd-compressed tar whose last member says what must be in it."""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import os
import shutil
import tarfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final, cast

import pyarrow as pa

from stocklab.data.durable import flush_directory
from stocklab.errors import BrokenInput, Cancelled, InputError

__all__ = ["MANIFEST", "Archive", "extract", "writing"]

MANIFEST: Final = "backup.json"
_SUFFIX: Final = ".part"
_CHUNK: Final = 1 << 20
_PRIVATE: Final = 0o600
_HEADER_BYTES: Final = 1 << 20
_MANIFEST_BYTES: Final = 256 << 20
_FREE_BYTES: Final = 256 << 20
_UNPACKED_FREELY: Final = 64 << 20
_MOST_TIMES: Final = 400
"""A backup unpacks to at most so many times its size, far more than tables and files of a home compress to."""
_SAYS: Final = ("files", "version", "program", "revision", "database", "created_utc", "scope", "snapshot_id")


class _Bounded:
    """The unpacked stream of an archive from anywhere. A small file must not unpack to a full disk or memory.

    ``header`` is what may be read before the next member begins; None within a member.
    """

    def __init__(self, stream: IO[bytes], packed_bytes: int, into: Path) -> None:
        self._stream = stream
        self._most = max(_UNPACKED_FREELY, _MOST_TIMES * packed_bytes)
        self._room = shutil.disk_usage(into).free - _FREE_BYTES
        self._read = 0
        self.header: int | None = _HEADER_BYTES

    def read(self, size: int = -1) -> bytes:
        """As of a file; raises ``ValueError`` where a bound is passed."""
        chunk = self._stream.read(size)
        self._read += len(chunk)
        if self._read > self._most:
            raise ValueError(f"it unpacks to more than {_MOST_TIMES} times its size")
        if self._read > self._room:
            raise ValueError("it needs more room than the disk has")
        if self.header is not None:
            self.header -= len(chunk)
            if self.header < 0:
                raise ValueError("the head of a member is too long")
        return chunk


class _Hashed:
    """A reader that keeps the SHA-256 of what went through it and stops when it is told to."""

    def __init__(self, stream: IO[bytes], should_cancel: Callable[[], bool]) -> None:
        self._stream = stream
        self._should_cancel = should_cancel
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """As of a file."""
        if self._should_cancel():
            raise Cancelled("The backup was stopped; no file was left behind.")
        chunk = self._stream.read(size)
        self.digest.update(chunk)
        return chunk


@dataclass(slots=True)
class Archive:
    """An archive that is being written. ``files`` maps each member to its size and SHA-256."""

    tar: tarfile.TarFile
    scratch: Path
    should_cancel: Callable[[], bool]
    files: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, name: str, path: Path, *, mode: int | None = None) -> None:
        """Add a file as it is at this moment; what is appended meanwhile is left out.

        Raises
        ------
        FileNotFoundError
            It is not there (any more).
        Cancelled
            The work was stopped.
        """
        with path.open("rb") as stream:
            found = os.fstat(stream.fileno())
            member = tarfile.TarInfo(name)
            member.size, member.mtime = found.st_size, int(found.st_mtime)
            member.mode = found.st_mode & 0o777 if mode is None else mode
            reader = _Hashed(stream, self.should_cancel)
            self.tar.addfile(member, cast("IO[bytes]", reader))
        self.files[name] = {"size": member.size, "sha256": reader.digest.hexdigest()}

    def close_with(self, manifest: Mapping[str, Any]) -> None:
        """Write the manifest, the last member."""
        text = json.dumps({**manifest, "files": self.files}, ensure_ascii=False, indent=1, sort_keys=True).encode()
        member = tarfile.TarInfo(MANIFEST)
        member.size, member.mtime, member.mode = len(text), int(time.time()), _PRIVATE
        self.tar.addfile(member, io.BytesIO(text))


@contextmanager
def writing(target: Path, *, should_cancel: Callable[[], bool]) -> Iterator[Archive]:
    """Write an archive for the owner's eyes alone; ``target`` appears whole at the end of the block or not at all.

    What killed writers left beside it is removed first.

    Raises
    ------
    InputError
        ``target`` is there already, or its folder cannot be written.
    """
    if target.exists():
        raise InputError(f"{target} is there already. Hint: give another name with --out.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(target.parent)
        part = target.with_name(f".{target.name}.{os.getpid()}{_SUFFIX}")
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _PRIVATE)
    except OSError as error:
        raise InputError(f"{target}: cannot be written ({error.strerror}).") from error
    scratch = part.with_suffix(".files")
    with os.fdopen(descriptor, "wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # tells others that this draft has a living writer
        try:
            scratch.mkdir(mode=0o700)
            with (
                pa.CompressedOutputStream(pa.PythonFile(file, mode="w"), "zstd") as packed,
                tarfile.open(fileobj=cast("IO[bytes]", packed), mode="w|", format=tarfile.PAX_FORMAT) as tar,
            ):
                yield Archive(tar=tar, scratch=scratch, should_cancel=should_cancel)
            _flush(part)
            part.replace(target)
            flush_directory(target.parent)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
            part.unlink(missing_ok=True)


def extract(source: Path, into: Path) -> dict[str, Any]:
    """Unpack an archive into an empty folder and compare every file with the manifest.

    Returns
    -------
    The manifest.

    Raises
    ------
    BrokenInput
        It is no backup, was cut off, or a file differs from its checksum.
    """
    found: dict[str, dict[str, Any]] = {}
    manifest: dict[str, Any] | None = None
    into.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with (
            source.open("rb") as file,
            pa.CompressedInputStream(pa.PythonFile(file, mode="r"), "zstd") as packed,
        ):
            bounded = _Bounded(cast("IO[bytes]", packed), source.stat().st_size, into)
            with tarfile.open(fileobj=cast("IO[bytes]", bounded), mode="r|") as tar:
                while member := _next(tar, bounded):
                    content = tar.extractfile(member) if member.isreg() and not member.issparse() else None
                    if content is None:
                        raise _broken(source, f"it holds {member.name[:200]!r}, which is no file")
                    if member.name == MANIFEST:
                        manifest = _manifest(content, member)
                    else:
                        found[member.name] = _unpack(content, member, _inside(source, into, member.name))
    except (tarfile.TarError, OSError, pa.ArrowException, ValueError, RecursionError) as error:
        raise _broken(source, f"it cannot be read to its end ({error})") from error
    if manifest is None:
        raise _broken(source, "its end is missing")
    for name in sorted({*manifest["files"], *found}):
        if manifest["files"].get(name) != found.get(name):
            raise _broken(source, f"{name} differs from its checksum")
    return manifest


def _next(tar: tarfile.TarFile, bounded: _Bounded) -> tarfile.TarInfo | None:
    """The next member; its head may be only so long, as the whole of it is held in memory."""
    bounded.header = _HEADER_BYTES
    member = tar.next()
    bounded.header = None
    return member


def _manifest(content: IO[bytes], member: tarfile.TarInfo) -> dict[str, Any]:
    if member.size > _MANIFEST_BYTES:
        raise ValueError(f"its list of files is larger than {_MANIFEST_BYTES:,} bytes")
    read = json.loads(content.read())
    if not isinstance(read, dict) or not all(name in read for name in _SAYS) or not isinstance(read["files"], dict):
        raise ValueError("its list of files is none")
    return read


def _unpack(content: IO[bytes], member: tarfile.TarInfo, path: Path) -> dict[str, Any]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, member.mode & 0o777), "wb") as stream:
        while chunk := content.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            stream.write(chunk)
        stream.flush()
        os.fsync(stream.fileno())
    os.utime(path, (member.mtime, member.mtime))
    return {"size": size, "sha256": digest.hexdigest()}


def _inside(source: Path, into: Path, name: str) -> Path:
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or "\0" in name:
        raise _broken(source, f"it names {name!r}, which lies outside of a home")
    return into.joinpath(*parts)


def _broken(source: Path, reason: str) -> BrokenInput:
    return BrokenInput(f"This is no whole backup: {reason}.", file=str(source), hint="Take another one.")


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_leftovers(folder: Path) -> None:
    """Delete drafts whose writer is gone: the kernel dropped its lock."""
    for part in folder.glob(f".*{_SUFFIX}"):
        try:
            with part.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(part.with_suffix(".files"), ignore_errors=True)
                part.unlink(missing_ok=True)
        except (BlockingIOError, FileNotFoundError):
            continue
