"""Vectors of pictures in one file, each beside its picture's id, mapped into memory to be searched.

One file, so that an id and its vector cannot come apart. Who writes holds a lock (flock, freed by the system when its
process dies) and cuts off what a killed writer left half written. Who reads needs no lock: rows are only added, and a
file made anew takes the place of the old one in one step, which whoever has mapped it keeps until they let go.
"""

import fcntl
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import numpy as np

ROW = np.dtype([("id", "<u8", 2), ("vector", "<f2", 384)])
AT_ONCE = 4096  # rows that are multiplied in one go: 6 MB as float32, which a cache holds


class Matrix:
    """The vectors of one installation."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "prompts.rows"
        self.lock = folder / "prompts.lock"

    def rows(self) -> np.ndarray:
        """All that is there, as it lies on the disk."""
        count = self.path.stat().st_size // ROW.itemsize if self.path.exists() else 0
        if not count:
            return np.empty(0, ROW)
        return np.memmap(self.path, ROW, "r", shape=(count,))

    def has(self, ids: Sequence[UUID]) -> set[UUID]:
        """Which of `ids` have a vector."""
        rows = self.rows()
        wanted = np.array([_halves(pk) for pk in ids], "<u8").reshape(-1, 2)
        likely = rows["id"][np.isin(rows["id"][:, 0], wanted[:, 0])]
        return {_uuid(pair) for pair in likely} & set(ids)

    def add(self, ids: Sequence[UUID], vectors: np.ndarray) -> int:
        """Puts vectors of length one at the end; a picture that is there stays as it is. Returns how many came."""
        with self._writing():
            known = self.has(ids)
            new = [number for number, pk in enumerate(ids) if pk not in known]
            self._append(self.path, [ids[number] for number in new], vectors[new])
        return len(new)

    @contextmanager
    def anew(self) -> Iterator["Matrix"]:
        """A matrix to fill beside this one, which it replaces at the end. What is added here meanwhile is left out."""
        folder = self.path.parent
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="fresh-", dir=folder) as workshop:
            fresh = Matrix(Path(workshop))
            fresh.path.touch()
            yield fresh
            with self._writing():
                fresh.path.replace(self.path)

    def of(self, pk: UUID) -> np.ndarray | None:
        """The vector of one picture."""
        rows = self.rows()
        first, second = _halves(pk)
        (found,) = np.nonzero((rows["id"][:, 0] == first) & (rows["id"][:, 1] == second))
        return rows["vector"][found[0]].astype(np.float32) if len(found) else None

    def nearest(self, vector: np.ndarray, most: int, least: float) -> list[tuple[UUID, float]]:
        """(id, cosine) of at most `most` pictures that are `least` like `vector`, the most alike first."""
        import torch

        rows = self.rows()
        scores = np.empty(len(rows), np.float32)
        with torch.inference_mode():  # numpy takes ten times as long to make float32 of float16
            direction = torch.from_numpy(np.array(vector, np.float32))
            for start in range(0, len(rows), AT_ONCE):
                some = torch.from_numpy(np.array(rows["vector"][start : start + AT_ONCE])).float()
                scores[start : start + AT_ONCE] = (some @ direction).numpy()
        (found,) = np.nonzero(scores >= least)
        if len(found) > most:
            found = found[np.argpartition(-scores[found], most)[:most]]
        found = found[np.argsort(-scores[found], kind="stable")]
        return [(_uuid(rows["id"][number]), float(scores[number])) for number in found]

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.lock.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @staticmethod
    def _append(path: Path, ids: Sequence[UUID], vectors: np.ndarray) -> None:
        rows = np.empty(len(ids), ROW)
        rows["id"] = np.array([_halves(pk) for pk in ids], "<u8").reshape(-1, 2)
        rows["vector"] = vectors
        with path.open("ab") as file:
            file.truncate(file.tell() - file.tell() % ROW.itemsize)
            file.write(rows.tobytes())


def _halves(pk: UUID) -> tuple[int, int]:
    return pk.int >> 64, pk.int & (2**64 - 1)


def _uuid(pair: np.ndarray) -> UUID:
    return UUID(int=int(pair[0]) << 64 | int(pair[1]))
