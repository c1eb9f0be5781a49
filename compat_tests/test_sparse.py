"""Sparse inputs: told apart, and computed with as if they were dense."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse

from kjax import backend as K
from kjax.layers import Dense, Input
from kjax.models import Model


def test_placeholders_tell_whether_they_are_sparse() -> None:
    sparse, dense = K.placeholder((2, 2), sparse=True), K.placeholder((2, 2))
    assert K.is_sparse(sparse)
    assert not K.is_sparse(dense)
    assert not K.is_sparse(K.to_dense(sparse))
    assert K.to_dense(dense) is dense
    assert K.is_sparse(Input((3,), sparse=True))


@pytest.mark.parametrize("form", ["csr", "coo"])
def test_products_of_sparse_matrices(form: str) -> None:
    random: Any = scipy.sparse.random
    x = random(3, 4, density=0.5, format=form, random_state=0, dtype="float32")
    y = np.random.RandomState(0).normal(size=(4, 2)).astype("float32")
    placeholder = K.placeholder((None, 4), sparse=True)
    (got,) = K.function([placeholder], [K.dot(placeholder, K.constant(y))])([x])
    np.testing.assert_allclose(got, x.toarray() @ y, rtol=1e-5)
    np.testing.assert_array_equal(K.to_dense(x), x.toarray())


def test_training_on_a_sparse_matrix_is_training_on_a_dense_one() -> None:
    random: Any = scipy.sparse.random
    x = random(20, 6, density=0.3, format="csr", random_state=1, dtype="float32")
    y = np.asarray(x.sum(axis=1), "float32").reshape(-1, 1)
    results = []
    for data in (x, x.toarray()):
        np.random.seed(3)
        inputs = Input((6,), sparse=True)
        model = Model(inputs, Dense(1)(inputs))
        model.compile("sgd", "mse")
        history = model.fit(data, y, epochs=2, batch_size=8, verbose=0, validation_data=(data[:4], y[:4]))
        results.append([history.history["loss"], history.history["val_loss"], model.predict(data)[:, 0].tolist()])
    assert results[0] == results[1]
