"""The model that reads prompts."""

import subprocess
import sys

import numpy as np
import pytest

from gallery.meaning import encoder


def test_rows_are_of_length_one_and_do_not_depend_on_what_is_read_beside_them():
    texts = ["a pear", "a very long prompt, " * 60]
    together = encoder.encode(texts)
    assert together.shape == (2, encoder.WIDTH)
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    assert np.allclose(together[0], encoder.encode(texts[:1])[0], atol=1e-4)


def test_nothing_is_read_of_nothing():
    assert encoder.encode([]).shape == (0, encoder.WIDTH)


def test_without_its_wheel_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(encoder, "PACKAGE", "not_installed_anywhere")
    encoder._load.cache_clear()
    with pytest.raises(encoder.NoEncoderError, match="pip install"):
        encoder.encode(["a pear"])
    encoder._load.cache_clear()


def test_the_web_process_loads_neither_model_nor_vectors():
    script = (
        "import django, sys; django.setup(); import gallery.urls, gallery.tasks, gallery.search; "
        "print(sorted({'torch', 'transformers', 'gallery.meaning.matrix'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120)
    assert said.stdout.strip() == "[]"
