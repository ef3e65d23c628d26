"""Encoding millions of texts into a file: a job that broke goes on where it stopped."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt

from unitvec._core import FormatError
from unitvec.vector_files import VectorFile

#: A job keeps what it has done after so many seconds, or once so many bytes of vectors are new.
SECONDS_BETWEEN_SYNCS = 15.0
BYTES_BETWEEN_SYNCS = 32 << 20

FORMAT = "unitvec-encode-1"


@dataclass(frozen=True)
class Record:
    """How far a job came, kept beside its file until it is done.

    Attributes:
        job: what its vectors depend on: the model's fingerprint and the options.
        rows: vectors that are safely in the file.
        texts: BLAKE2b over the texts they are of, as hex.
    """

    job: dict[str, Any]
    rows: int
    texts: str

    @staticmethod
    def path_for(path: Path) -> Path:
        """Where the record of a file lies."""
        return path.with_name(path.name + ".resume.json")

    @classmethod
    def read(cls, path: Path) -> Record | None:
        """The record at `path`; None: there is none.

        Raises:
            FormatError: it is not one.
        """
        try:
            fields = json.loads(path.read_bytes())
            if fields.pop("format") == FORMAT and isinstance(fields["rows"], int):
                return cls(**fields)
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError, AttributeError):
            pass
        raise FormatError(
            f"{path}: expected the record of a job of encode_to, got something else; pass "
            "overwrite=True to begin again"
        )

    def write(self, path: Path) -> None:
        """Replaces the record at `path`, whole or not at all."""
        unfinished = path.with_name(path.name + ".new")
        with unfinished.open("w") as stream:
            json.dump({"format": FORMAT, **asdict(self)}, stream)
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.replace(path)


class SeenTexts:
    """Texts passed on, with a digest of those that went by."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = iter(texts)
        self._digest = hashlib.blake2b(digest_size=16)
        self.seen = 0

    def __iter__(self) -> Iterator[str]:
        for text in self._texts:
            self._count(text)
            yield text

    def skip(self, record: Record) -> None:
        """Passes over the texts that are done.

        Raises:
            ValueError: they are not the texts that the record is of.
        """
        for _ in range(record.rows):
            text = next(self._texts, None)
            if text is None:
                break
            self._count(text)
        if (self.seen, self.digest()) != (record.rows, record.texts):
            raise ValueError(
                f"[encode_to] expected the {record.rows} texts that the broken job had done, in "
                f"their order, to come first, got other ones; pass overwrite=True to begin again"
            )

    def digest(self) -> str:
        """Of all texts so far, as hex."""
        return self._digest.hexdigest()

    def _count(self, text: str) -> None:
        if isinstance(text, str):  # what is no text is complained of where it is encoded
            content = text.encode("utf-8", "surrogatepass")
            self._digest.update(len(content).to_bytes(8, "little"))
            self._digest.update(content)
        self.seen += 1


class CountedTexts(SeenTexts):
    """The same of texts whose number is known, so that a progress bar has an end."""

    def __init__(self, texts: Iterable[str], count: int) -> None:
        super().__init__(texts)
        self._total = count

    def __len__(self) -> int:
        return self._total - self.seen


def run_job(
    path: Path,
    file: VectorFile,
    job: dict[str, Any],
    sentences: Iterable[str],
    parts: Callable[[Iterable[str]], Iterator[npt.NDArray[Any]]],
    overwrite: bool,
) -> int:
    """Writes the vectors of texts into a file, going on where a job before stopped.

    Args:
        path: of the file.
        file: that file.
        job: what the vectors depend on; a broken job goes on only with the same.
        sentences: all texts, those that were done included.
        parts: gives the vectors of texts, some texts at a time.
        overwrite: begin anew, whatever is there.

    Returns:
        How many vectors the file holds.
    """
    with _only_one_at(path):
        record = None if overwrite else _known(path, job)
        texts = SeenTexts(sentences)
        if isinstance(sentences, Sized):
            texts = CountedTexts(sentences, len(sentences))
        if record is not None:
            texts.skip(record)
        progress = _Progress(path, file, Record(job, texts.seen, texts.digest()))
        progress.record.write(Record.path_for(path))  # first: a file without one is a finished one
        with closing(file):
            file.start(texts.seen)
            try:
                for vectors in parts(texts):
                    progress.add(vectors, texts)
            finally:
                progress.keep()
        Record.path_for(path).unlink()
    return progress.record.rows


class _Progress:
    """What a job has done, and how much of that is kept."""

    def __init__(self, path: Path, file: VectorFile, record: Record) -> None:
        self.record = record
        self._file = file
        self._path = Record.path_for(path)
        self._begin_interval()

    def add(self, vectors: npt.NDArray[Any], texts: SeenTexts) -> None:
        self._file.append(vectors)
        self._bytes += vectors.nbytes
        # The texts that went by are those of these vectors: none is fetched before its turn.
        self.record = Record(self.record.job, self.record.rows + len(vectors), texts.digest())
        if (
            self._bytes >= BYTES_BETWEEN_SYNCS
            or time.monotonic() >= self._started + SECONDS_BETWEEN_SYNCS
        ):
            self.keep()

    def keep(self) -> None:
        """Makes sure that nothing of what was done is lost."""
        self._file.sync()
        self.record.write(self._path)
        self._begin_interval()

    def _begin_interval(self) -> None:
        self._bytes = 0
        self._started = time.monotonic()


def _known(path: Path, job: dict[str, Any]) -> Record | None:
    """The record of a broken job that this one can go on with; None: nothing is there."""
    record = Record.read(Record.path_for(path))
    if record is None:
        if path.exists():
            raise FileExistsError(
                f"[encode_to] {path} is there, and is not an unfinished job; pass overwrite=True "
                "to replace it"
            )
        return None
    differing = [key for key in job if record.job.get(key) != job[key]]
    if differing:
        key = differing[0]
        raise ValueError(
            f"[encode_to] expected the {key} of the broken job, {record.job.get(key)!r}, got "
            f"{job[key]!r}; pass overwrite=True to begin again"
        )
    return record


@contextmanager
def _only_one_at(path: Path) -> Iterator[None]:
    """Keeps a second job from writing to the same place."""
    lock = path.with_name(path.name + ".lock")
    fd = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Another job may have ended, and removed the file, since it was opened here.
        if not lock.exists() or not os.path.samestat(os.fstat(fd), lock.stat()):
            raise BlockingIOError
    except BlockingIOError:
        os.close(fd)
        raise BlockingIOError(
            f"[encode_to] expected to be the only job that writes {path}, got another at work"
        ) from None
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)
        os.close(fd)
