"""`K.function`, variables, updates, gradients and the learning phase."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from kjax import backend as K
from kjax._core import scope
from kjax._core.graph import apply
from kjax.backend.phase import fixed_phase


def test_function_computes_from_inputs_and_variables() -> None:
    x, y = K.placeholder((None, 2)), K.placeholder((2,))
    v = K.variable(2.0)
    run = K.function([x, y], [x * v + y, K.sum(x)])
    values = run([[[1, 2], [3, 4]], [10, 20]])
    assert [type(value) for value in values] == [np.ndarray, np.float32]
    np.testing.assert_allclose(values[0], [[12, 24], [16, 28]])
    assert values[1] == 10
    K.set_value(v, 3.0)
    np.testing.assert_allclose(run([np.ones((3, 2)), [0, 0]])[0], np.full((3, 2), 3.0))


def test_outputs_may_be_inputs_variables_and_numbers() -> None:
    x, v = K.placeholder((2,)), K.variable([1.0, 2.0])
    values = K.function([x], [x, v, 5.0])([[3, 4]])
    np.testing.assert_array_equal(values[0], [3, 4])
    np.testing.assert_array_equal(values[1], [1, 2])
    assert values[2] == 5
    values[1][:] = 0
    np.testing.assert_array_equal(K.get_value(v), [1, 2])


def test_a_tensor_in_the_middle_can_be_fed() -> None:
    x = K.placeholder((2,))
    middle = K.square(x)
    np.testing.assert_array_equal(K.function([middle], [middle + 1.0])([[3, 4]])[0], [4, 5])


def test_wrong_calls() -> None:
    x = K.placeholder((None, 2))
    run = K.function([x], [K.square(x)])
    with pytest.raises(ValueError, match=r"Cannot feed value of shape \(2, 3\).*\(None, 2\)"):
        run([np.zeros((2, 3))])
    with pytest.raises(ValueError, match="1 inputs, but got 2"):
        run([np.zeros((2, 2)), np.ones(2)])
    with pytest.raises(TypeError, match="list or tuple"):
        run(np.zeros((2, 2)))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="`inputs`"):
        K.function(x, [x])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match='Invalid argument "feeds"'):
        K.function([x], [x], feeds={"a": 1})
    with pytest.raises(LookupError, match="must feed a value"):
        K.function([], [K.square(x)])([])
    with pytest.raises(LookupError, match="must feed a value"):
        K.eval(x)


def test_it_compiles_once_for_each_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    traces = []
    x, v = K.placeholder((None,)), K.variable(1.0)
    square = K.square

    def watched(x: Any) -> Any:
        traces.append(x.shape)
        return square(x)

    run = K.function([x], [apply(watched, x) * v])
    traces.clear()
    run([[1.0]])
    first = len(traces)
    for _ in range(3):
        run([[2.0]])
        K.set_value(v, 4.0)
    assert len(traces) == first
    assert run([[2.0]])[0] == 16
    run([[1.0, 2.0]])
    assert len(traces) == first + 1


# Updates


def test_updates_use_old_values_and_outputs_come_first() -> None:
    a, b = K.variable(1.0), K.variable(10.0)
    run = K.function([], [a + b], updates=[(a, b), (b, a)])
    assert run([])[0] == 11
    assert (K.get_value(a), K.get_value(b)) == (10, 1)
    run([])
    assert (K.get_value(a), K.get_value(b)) == (1, 10)


def test_update_operations() -> None:
    x = K.placeholder(())
    a, b, c, d = (K.variable(v) for v in (1.0, 2.0, 3.0, 4.0))
    updates = [K.update(a, x), K.update_add(b, a), K.update_sub(c, 1.0), K.moving_average_update(d, x, 0.75)]
    run = K.function([x], [a], updates=updates)
    assert run([8.0])[0] == 1
    assert [float(K.get_value(v)) for v in (a, b, c, d)] == [8, 3, 2, 5]
    run([0.0])
    assert [float(K.get_value(v)) for v in (a, b, c, d)] == [0, 11, 1, 3.75]


def test_two_additions_to_one_variable_both_count() -> None:
    v = K.variable(1.0)
    K.function([], [], updates=[K.update_add(v, 1.0), K.update_add(v, 10.0)])([])
    assert K.get_value(v) == 12


def test_integer_counters() -> None:
    v = K.variable(0, dtype="int64")
    run = K.function([], [v], updates=[K.update_add(v, 1)])
    for _ in range(3):
        run([])
    assert K.get_value(v) == 3
    assert K.get_value(v).dtype.kind == "i"


def test_eval_of_an_update_writes() -> None:
    v = K.variable(1.0)
    assert K.eval(K.update_add(v, 2.0)) == 3
    assert K.get_value(v) == 3


def test_updates_in_a_program_happen_at_once() -> None:
    v = K.variable(1.0)
    with scope.Scope() as opened:
        K.update_add(v, 2.0)
        assert float(v.value) == 3
        K.update(v, v * 2.0)
        K.moving_average_update(v, 0.0, 0.5)
    assert float(opened.updates[v]) == 3
    assert K.get_value(v) == 1


# Variables


def test_values_of_variables() -> None:
    v = K.variable([[1, 2], [3, 4]], name="kernel")
    assert v.name == "kernel"
    assert v.trainable
    assert K.dtype(v) == "float32"
    value = K.get_value(v)
    value[:] = 0
    np.testing.assert_array_equal(K.get_value(v), [[1, 2], [3, 4]])
    np.testing.assert_array_equal(K.eval(v), [[1, 2], [3, 4]])
    np.testing.assert_array_equal(K.eval(np.ones(2)), [1, 1])
    w = K.variable(1.0)
    K.batch_set_value([(v, np.zeros((2, 2))), (w, 5)])
    first, second = K.batch_get_value([v, w])
    assert (first.sum(), second) == (0, 5)
    with pytest.raises(ValueError, match=r"\(3,\).*\(2, 2\)"):
        K.set_value(v, np.zeros(3))


def test_names_of_variables_in_scopes() -> None:
    with K.name_scope("outer"), K.name_scope("inner"):
        assert K.variable(0.0, name="v").name == "outer/inner/v"
    assert K.variable(0.0, name="v").name == "v"
    first = K.variable(0.0).name
    K.clear_session()
    assert K.variable(0.0).name == first


# Gradients


def test_gradients() -> None:
    x, w, unused = K.placeholder((None, 2)), K.variable([[1.0], [2.0]]), K.variable([1.0])
    loss = K.mean(K.square(K.dot(x, w)))
    run = K.function([x], K.gradients(loss, [w, x, unused]))
    fed = np.array([[1.0, 2.0], [3.0, -1.0]])
    to_w, to_x, to_unused = run([fed])
    z = fed @ [[1.0], [2.0]]
    np.testing.assert_allclose(to_w, fed.T @ z, rtol=1e-6)
    np.testing.assert_allclose(to_x, z @ [[1.0, 2.0]], rtol=1e-6)
    np.testing.assert_array_equal(to_unused, [0])
    assert len(K.gradients(loss, w)) == 1


def test_gradients_of_several_tensors_are_added() -> None:
    x = K.placeholder((2,))
    run = K.function([x], [*K.gradients([x * x, 3 * x], [x]), *K.gradients((K.sum(x),), x)])
    np.testing.assert_allclose(run([[1.0, 2.0]]), [[5.0, 7.0], [1.0, 1.0]])


def test_a_phase_that_the_function_was_not_made_for_is_let_go() -> None:
    x = K.placeholder((2,))
    np.testing.assert_allclose(K.function([x], [2 * x])([[1.0, 2.0], 1.0])[0], [2.0, 4.0])


def test_second_gradients() -> None:
    v = K.variable(3.0)
    first = K.gradients(K.pow(v, 3.0), v)[0]
    assert K.eval(K.gradients(first, v)[0]) == pytest.approx(18)


def test_stopped_gradients() -> None:
    v = K.variable(3.0)
    assert K.eval(K.gradients(v * K.stop_gradient(v), v)[0]) == 3
    assert len(K.stop_gradient([v, v])) == 2


def test_gradients_of_values_are_refused() -> None:
    with pytest.raises(TypeError, match="symbolic tensor"):
        K.gradients(np.ones(3), [K.variable(1.0)])


def test_a_deep_chain() -> None:
    x, v = K.placeholder((2,)), K.variable(1.0)
    y = x
    for _ in range(1500):
        y = y + v
    values = K.function([x], [y, *K.gradients(y, [v])])([[1, 2]])
    np.testing.assert_array_equal(values[0], [1501, 1502])
    assert values[1] == 3000


# The learning phase


def test_the_learning_phase_can_be_fed() -> None:
    x = K.placeholder((2,))
    y = K.in_train_phase(x * 2.0, lambda: x)
    z = K.in_test_phase(x * 2.0, x)
    run = K.function([x, K.learning_phase()], [y, z, K.learning_phase() * 1.0])
    train, test = run([[1, 2], 1]), run([[1, 2], 0])
    for values, phase in ((train, 1), (test, 0)):
        np.testing.assert_array_equal(values[0], [2, 4] if phase else [1, 2])
        np.testing.assert_array_equal(values[1], [1, 2] if phase else [2, 4])
        assert values[2] == phase
    np.testing.assert_array_equal(run([[1, 2], True])[0], [2, 4])
    np.testing.assert_array_equal(K.function([x], [y])([[1, 2]])[0], [1, 2])


def test_each_phase_is_a_program_of_its_own() -> None:
    seen = []

    def look(x: Any) -> Any:
        opened = scope.current()
        assert opened is not None
        seen.append(opened.training)
        return x

    x = K.placeholder((2,))
    run = K.function([x, K.learning_phase()], [apply(look, x)])
    seen.clear()
    for phase in (0, 1, 0, 1):
        run([[1, 2], phase])
    assert sorted(set(seen)) == [False, True]
    assert len(seen) == 2


def test_the_learning_phase_can_be_set() -> None:
    x = K.constant([1.0])
    K.set_learning_phase(1)
    assert K.learning_phase() == 1
    assert fixed_phase() == 1
    assert K.in_train_phase(x * 2.0, x) == 2
    K.set_learning_phase(0)
    assert K.in_train_phase(x * 2.0, x) == 1
    with pytest.raises(ValueError, match="0 or 1"):
        K.set_learning_phase(2)
    K.clear_session()
    assert fixed_phase() is None


def test_the_learning_phase_is_a_number_in_a_program() -> None:
    outside = K.learning_phase()
    for training in (False, True):
        with scope.Scope(training=training):
            assert K.learning_phase() == int(training)
            assert bool(outside) is training
            assert K.in_train_phase(1, 2) == (1 if training else 2)
            assert K.in_train_phase(1, 2, training=True) == 1
    with pytest.raises(TypeError, match="no value yet"):
        bool(outside)


def test_gradients_in_each_phase() -> None:
    v = K.variable(2.0)
    gradient = K.gradients(K.in_train_phase(K.square(v), v), v)
    run = K.function([K.learning_phase()], gradient)
    assert (run([1])[0], run([0])[0]) == (4, 1)


# Conditions


def test_switch_calls_the_branch_that_counts() -> None:
    assert K.switch(np.array(True), lambda: 1, lambda: 1 / 0) == 1
    x, condition = K.placeholder((2,)), K.placeholder((), dtype="bool")
    run = K.function([x, condition], [K.switch(condition, lambda: x * 2.0, lambda: x)])
    np.testing.assert_array_equal(run([[1, 2], True])[0], [2, 4])
    np.testing.assert_array_equal(run([[1, 2], False])[0], [1, 2])


def test_switch_in_traced_code() -> None:
    def double_if_positive(x: Any) -> Any:
        return K.switch(K.sum(x) > 0.0, lambda: x * 2.0, lambda: x)

    run = jax.jit(double_if_positive)
    np.testing.assert_array_equal(run(jnp.array([1.0])), [2])
    np.testing.assert_array_equal(run(jnp.array([-1.0])), [-1])


# Randomness, printing, sessions


def position() -> int:
    """How far numpy's generator has come."""
    return np.random.get_state(legacy=False)["state"]["pos"]


def test_only_random_programs_use_numpys_generator() -> None:
    x = K.placeholder((2,))
    plain, random = K.function([x], [K.square(x)]), K.function([x], [K.dropout(x, 0.5)])
    before = position()
    plain([[1, 2]])
    K.eval(K.square(K.variable(2.0)))
    assert position() == before
    random([[1, 2]])
    assert position() != before


def test_print_tensor(capfd: pytest.CaptureFixture[str]) -> None:
    x = K.placeholder((2,))
    (value,) = K.function([x], [K.print_tensor(x, message="x {is} ") * 2.0])([[1, 2]])
    jax.effects_barrier()
    np.testing.assert_array_equal(value, [2, 4])
    assert "x {is} [1. 2.]" in capfd.readouterr().out


def test_session() -> None:
    x, v = K.placeholder((2,)), K.variable(3.0)
    session = K.get_session()
    np.testing.assert_array_equal(session.run(x * v, feed_dict={x: [1, 2]}), [3, 6])
    assert session.run([v, {"double": v * 2.0}]) == [3, {"double": 6}]
    session.close()
    other = object()
    K.set_session(other)
    assert K.get_session() is other
    K.set_session(session)
    K.manual_variable_initialization(True)
