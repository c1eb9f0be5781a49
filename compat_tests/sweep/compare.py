"""A layer of kjax and one of today's Keras, with the same weights and inputs: all that they give is compared."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import kjax
from compat_tests import today
from compat_tests.layers_helper import cotangent
from kjax._core import config
from kjax._core.scope import Scope

TOLERANCES = {"float32": 5e-5, "float64": 5e-6}  # today's Keras takes tanh, means and norms in float32 even then
RATE = 0.1  # learning rate of the training step


@dataclass
class Part:
    """An object in a layer's arguments: a regularizer, a constraint or an initializer."""

    module: str
    name: str
    arguments: dict[str, Any]

    def make(self, package: Any) -> Any:
        return getattr(getattr(package, self.module), self.name)(**self.arguments)


@dataclass
class Case:
    """One layer to compare.

    Attributes:
        name: class of the layer.
        arguments: of the constructor; a layer inside is a `Case` of its own.
        shapes: of the inputs, with the batch.
        masked: whether a mask of time steps is passed.
        training: the learning phase.
        integers: inputs are integers below this, if it is not 0.
        theirs: arguments that are called differently in today's Keras.
        holes: whether some time steps of the input are all zeros.
        states: shapes of initial states.
        skipped: weights, by the end of their names, that are known to differ after a training step.
        first: whether the first weights are the same on both sides: none is drawn at random.
    """

    name: str
    arguments: dict[str, Any]
    shapes: list[tuple[int, ...]]
    masked: bool = False
    training: bool = False
    integers: int = 0
    theirs: dict[str, Any] | None = None
    holes: bool = False
    states: list[tuple[int, ...]] = field(default_factory=list)
    skipped: tuple[str, ...] = ()
    first: bool = False

    def make(self, package: Any) -> Any:
        """The layer, of kjax or of today's Keras."""
        given = self.arguments if package is kjax or self.theirs is None else self.theirs
        return getattr(package.layers, self.name)(**{k: _made(package, v) for k, v in given.items()})


def _made(package: Any, value: Any) -> Any:
    if isinstance(value, (Case, Part)):
        return value.make(package)
    if isinstance(value, list) and value and isinstance(value[0], Case):
        return [item.make(package) for item in value]
    return value


@dataclass
class Given:
    """What both sides receive: inputs, mask, initial states, and later the weights."""

    inputs: list[Any]
    mask: Any
    states: list[Any]

    @property
    def masks(self) -> Any:
        return None if self.mask is None else [self.mask for _ in self.inputs]


def given(case: Case, seed: int) -> Given:
    """Random inputs for a case."""
    random, kind = np.random.RandomState(seed), config.floatx()
    inputs: list[Any] = []
    for shape in case.shapes:
        x: Any = random.randint(0, case.integers, shape) if case.integers else random.uniform(-2, 2, shape)
        inputs.append(x.astype("int32" if case.integers else kind))
    mask = None
    if case.masked:
        mask = random.rand(*case.shapes[0][:2]) < 0.7
        mask[:, 0] |= ~mask.any(1)
    if case.holes:
        value = case.arguments.get("mask_value", 0.0)
        inputs = [np.where(random.rand(*x.shape[:-1], 1) < 0.6, x, value).astype(kind) for x in inputs]
    return Given(inputs, mask, [random.uniform(-1, 1, shape).astype(kind) for shape in case.states])


def first_weights(layer: Any, seed: int) -> list[np.ndarray]:
    """Random weights, variances being positive."""
    random = np.random.RandomState(seed + 1)
    made: list[np.ndarray] = []
    for weight in layer.weights:
        value = random.uniform(-1, 1, tuple(weight.shape))
        made.append((np.abs(value) + 0.3 if "variance" in weight.name else value).astype(config.floatx()))
    return made


Parts = dict[str, list[Any]]


def states_name(layer: Any) -> str:
    """What the states to begin with are called: a cell asks for them otherwise than a layer."""
    return "initial_state" if "initial_state" in inspect.signature(layer.call).parameters else "states"


def ours(case: Case, data: Given, seed: int) -> tuple[Parts, list[np.ndarray], list[str]]:
    """What the layer of kjax gives, its weights, and their names."""
    layer = case.make(kjax)
    one = len(data.inputs) == 1
    shapes = [x.shape for x in data.inputs]
    layer.assert_input_compatibility(data.inputs[0] if one else data.inputs)
    layer.build(shapes[0] if one else shapes)
    layer.built = True
    first = layer.get_weights()
    weights = first_weights(layer, seed)
    layer.set_weights(weights)
    kept = layer.states if case.arguments.get("stateful") else []
    trained, others = layer.trainable_weights, [*layer.non_trainable_weights, *kept]
    states = [w.stored for w in others]
    kwargs: dict[str, Any] = {states_name(layer): data.states} if data.states else {}
    if data.mask is not None and "mask" in inspect.signature(layer.call).parameters:
        kwargs["mask"] = data.mask if one else data.masks
    cell = states_name(layer) in kwargs and not hasattr(layer, "return_state")
    announced = None if cell else layer.compute_output_shape(shapes[0] if one else shapes)

    def run(values: list[Any], arrays: list[Any]) -> Any:
        key = jax.random.key(0)
        with Scope([*trained, *others], [*values, *states], training=case.training, key=key) as opened:
            x = arrays[0] if one else arrays
            outputs = as_list(layer(x, **kwargs))
            masks = as_list(layer.compute_mask(x, data.mask if one else data.masks))
            asked = [pair for part in layer._flatten() for pair in part._regularized]
            penalties = [*(regularizer(weight.value) for weight, regularizer in asked), *opened.losses]
        after = [opened.updates.get(w, v) for w, v in zip(others, states, strict=True)]
        return total(outputs, penalties), (outputs, [m for m in masks if m is not None], after, penalties)

    parts = _derived(run, [w.stored for w in trained], data.inputs, [w.constraint for w in trained])
    announced = parts["outputs"][0].shape if announced is None else announced
    parts["shapes"] = [np.array(announced, int) if one_shape(announced) else np.array(announced[0], int)]
    parts["first weights"] = first if case.first else []
    names = [w.name for w in others]
    _leave_out(parts, names, case)
    return parts, weights, names


def _leave_out(parts: Parts, names: Sequence[str], case: Case) -> None:
    parts["states"] = [
        s for s, n in zip(parts["states"], names, strict=True) if not any(part in n for part in case.skipped)
    ]


def one_shape(shape: Any) -> bool:
    """Whether this is one shape, and not a list of them."""
    return not shape or not isinstance(shape[0], (tuple, list))


def theirs(case: Case, data: Given, weights: Sequence[np.ndarray], names: Sequence[str]) -> Parts:
    """What the layer of today's Keras gives, with these weights."""
    keras = today.keras()
    with today.lenient():
        layer = case.make(keras)
        one = len(data.inputs) == 1
        x: Any = data.inputs[0] if one else data.inputs
        layer.build(x.shape if one else [i.shape for i in x])
        first = layer.get_weights()
        layer.set_weights(list(weights))
        accepted = inspect.signature(layer.call).parameters
        kwargs: dict[str, Any] = {"training": case.training} if "training" in accepted else {}
        if data.states:
            kwargs[states_name(layer)] = nested(layer, data.states)
        if data.mask is not None and "mask" in accepted:
            kwargs["mask"] = data.mask if one else data.masks
        trained = layer.trainable_variables
        # Today's `Bidirectional` fails at the mask of its states, which its own `__call__` asks for.
        runs = layer.call if case.name == "Bidirectional" and layer.return_state else layer
        counted = [*layer.non_trainable_weights, *(as_list(layer.states) if case.arguments.get("stateful") else [])]

        def run(values: list[Any], arrays: list[Any]) -> Any:
            with keras.StatelessScope(list(zip(trained, values, strict=True)), collect_losses=True) as opened:
                outputs = as_list(runs(arrays[0] if one else arrays, **kwargs))
                penalties = list(layer.losses)
            after = [v.value if (new := opened.get_current_value(v)) is None else new for v in counted]
            masks: list[Any] = []
            if runs is layer and (layer.supports_masking or data.mask is None):
                made = layer.compute_mask(arrays[0] if one else arrays, data.mask if one else data.masks)
                masks = [m for m in as_list(made) if m is not None]
            return total(outputs, penalties), (outputs, masks, after, penalties)

        parts = _derived(run, [v.value for v in trained], data.inputs, [v.constraint for v in trained])
    parts["shapes"] = [np.array(parts["outputs"][0].shape, int)]
    parts["first weights"] = [np.asarray(w) for w in first] if case.first else []
    _leave_out(parts, names, case)
    return parts


def nested(layer: Any, states: list[Any]) -> list[Any]:
    """States of stacked cells, as today's Keras nests them."""
    sizes = getattr(layer, "state_size", None)
    if not isinstance(sizes, (list, tuple)) or not any(isinstance(size, (list, tuple)) for size in sizes):
        return states
    rest = iter(states)
    return [[next(rest) for _ in size] if isinstance(size, (list, tuple)) else next(rest) for size in sizes]


def _derived(run: Any, values: list[Any], inputs: list[Any], constraints: list[Any]) -> Parts:
    derive = jax.jit(jax.value_and_grad(run, argnums=(0, 1), has_aux=True, allow_int=True))
    (_, (outputs, masks, after, penalties)), (by_weights, by_inputs) = derive(values, [jnp.asarray(x) for x in inputs])
    steps = [v - RATE * g for v, g in zip(values, by_weights, strict=True)]
    steps = [v if allowed is None else allowed(v) for v, allowed in zip(steps, constraints, strict=True)]
    parts = {
        "outputs": outputs,
        "masks": masks,
        "penalties": [sum(jnp.sum(p) for p in penalties)],
        "by inputs": [g for g in by_inputs if g.dtype != jax.dtypes.float0],
        "after a step": steps,
        "states": after,
    }
    return {key: [np.asarray(x) for x in value] for key, value in parts.items()}


def total(outputs: list[Any], penalties: list[Any]) -> Any:
    """A number of which every output has a part of its own, and the penalties."""
    weighted = [y * jnp.asarray(cotangent(y.shape), y.dtype) for y in outputs]
    return sum(jnp.sum(x) for x in [*weighted, *penalties])


def as_list(x: Any) -> list[Any]:
    """The tensors in lists of lists, one after the other."""
    return [leaf for item in x for leaf in as_list(item)] if isinstance(x, (list, tuple)) else [x]


def differences(case: Case, seed: int) -> list[str]:
    """What differs between both, in words; nothing if all is the same."""
    data = given(case, seed)
    mine, weights, names = ours(case, data, seed)
    peer = theirs(case, data, weights, names)
    found: list[str] = []
    tolerance = TOLERANCES[config.floatx()]
    for part, values in mine.items():
        others = peer[part]
        if len(values) != len(others):
            found.append(f"{part}: {len(values)} of ours, {len(others)} of theirs")
            continue
        for i, (a, b) in enumerate(zip(values, others, strict=True)):
            if a.shape != b.shape:
                found.append(f"{part}[{i}]: shape {a.shape} of ours, {b.shape} of theirs")
                continue
            a, b = (np.asarray(v, "float64") for v in (a, b))
            scale = max(1.0, float(np.max(np.abs(b), initial=0)))
            apart = float(np.max(np.abs(a - b), initial=0)) / scale
            if not apart <= tolerance:
                found.append(f"{part}[{i}]: {apart:.2e} apart")
    return found
