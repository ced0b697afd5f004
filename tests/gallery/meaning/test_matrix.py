"""The file of vectors: what comes out is what went in, whoever writes and dies at once."""

import multiprocessing
from uuid import UUID, uuid4

import numpy as np
import pytest

from gallery.meaning.matrix import ROW, Matrix


def _vectors(count: int) -> np.ndarray:
    drawn = np.random.default_rng(7).standard_normal((count, 384)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


@pytest.fixture
def matrix(tmp_path) -> Matrix:
    return Matrix(tmp_path / "meaning")


def test_the_nearest_are_those_that_a_plain_product_finds(matrix, monkeypatch):
    monkeypatch.setattr("gallery.meaning.matrix.AT_ONCE", 16)
    ids, vectors = [uuid4() for _ in range(100)], _vectors(100)
    matrix.add(ids, vectors)
    found = matrix.nearest(vectors[42], most=5, least=-1)
    cosines = vectors @ vectors[42]
    assert [pk for pk, _score in found] == [ids[n] for n in np.argsort(-cosines)[:5]]
    assert np.allclose([score for _pk, score in found], np.sort(cosines)[::-1][:5], atol=2e-3)  # float16


def test_what_is_not_alike_enough_is_left_out(matrix):
    ids, vectors = [uuid4() for _ in range(20)], _vectors(20)
    matrix.add(ids, vectors)
    assert [pk for pk, _score in matrix.nearest(vectors[3], most=10, least=0.9)] == [ids[3]]


def test_an_empty_one_answers(matrix):
    assert matrix.nearest(_vectors(1)[0], most=5, least=0) == []
    assert matrix.has([uuid4()]) == set()
    assert matrix.of(uuid4()) is None


def test_a_picture_is_kept_once(matrix):
    ids, vectors = [uuid4(), uuid4(), UUID(int=5)], _vectors(3)
    assert matrix.add(ids[:2], vectors[:2]) == 2
    assert matrix.add(ids, vectors) == 1
    assert matrix.has([*ids, uuid4()]) == set(ids)
    assert np.allclose(matrix.of(ids[2]), vectors[2], atol=1e-3)


def test_what_a_killed_writer_left_half_written_is_cut_off(matrix):
    ids, vectors = [uuid4(), uuid4()], _vectors(2)
    matrix.add(ids[:1], vectors[:1])
    with matrix.path.open("ab") as file:
        file.write(b"x" * (ROW.itemsize // 2))
    assert matrix.has(ids) == {ids[0]}
    matrix.add(ids[1:], vectors[1:])
    assert np.allclose(matrix.of(ids[1]), vectors[1], atol=1e-3)


def _fill(matrix: Matrix, ids: list[UUID], vectors: np.ndarray) -> None:
    for number in range(len(ids)):
        matrix.add(ids[number : number + 1], vectors[number : number + 1])


def test_several_writers_at_once_neither_lose_nor_repeat_a_row(matrix):
    ids, vectors = [uuid4() for _ in range(60)], _vectors(60)
    context = multiprocessing.get_context("fork")
    # Each writes two thirds, so that every picture comes from two of them.
    parts = [(ids[:40], vectors[:40]), (ids[20:], vectors[20:]), (ids[40:] + ids[:20], np.roll(vectors, 20, 0)[:40])]
    writers = [context.Process(target=_fill, args=(matrix, *part)) for part in parts]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(30)
    assert len(matrix.rows()) == 60
    assert all(np.allclose(matrix.of(pk), vectors[n], atol=1e-3) for n, pk in enumerate(ids))


def test_made_anew_it_takes_the_place_of_the_old_one_at_the_end(matrix):
    ids, vectors = [uuid4(), uuid4()], _vectors(2)
    matrix.add(ids, vectors)
    mapped = matrix.rows()
    with matrix.anew() as fresh:
        fresh.add(ids[1:], vectors[1:])
        assert matrix.has(ids) == set(ids)
    assert matrix.has(ids) == {ids[1]}
    assert len(mapped["vector"].sum(1)) == 2  # who has the old one still reads it
