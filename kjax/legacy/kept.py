"""Functions and methods of Keras 1 that have no name today, and the tables of methods that took other arguments."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from kjax._core import arguments, progbar
from kjax._core.guards import hdf5
from kjax.engine import input_layer, network, training
from kjax.engine.base_layer import Layer, to_list
from kjax.engine.sequential import Sequential
from kjax.layers import Embedding
from kjax.legacy import optimizers, saving
from kjax.legacy._convert import Args, Kwargs, Table, install_tables
from kjax.legacy.merging import Merge
from kjax.optimizers import TFOptimizer
from kjax.utils import data_utils, generic_utils, io_utils, layer_utils

# -- functions -------------------------------------------------------------------------------------------------------


def display_table(rows: Sequence[Sequence[Any]], positions: Sequence[int]) -> None:
    """Print rows of a table whose columns end at these positions."""
    for row in rows:
        line = ""
        for item, end in zip(row, positions, strict=False):
            line = (line + str(item))[:end].ljust(end)
        print(line)


def save_array(array: np.ndarray, name: Any) -> None:
    """Write an array to an HDF5 file, as its data set `data`."""
    with hdf5.writing(name) as file:
        file.create_dataset("data", data=array)


def load_array(name: Any) -> np.ndarray:
    """The array that `save_array` wrote."""
    with hdf5.reading(name) as file:
        return file.dataset("data").read()


def count_total_params(layers: Sequence[Layer], layer_set: set[Layer] | None = None) -> tuple[int, int]:
    """How many numbers in the weights of layers are trained, and how many are not.

    Arguments:
        layer_set: layers that were counted before; those that are counted now are added.
    """
    seen = set() if layer_set is None else layer_set
    trained: list[Any] = []
    others: list[Any] = []
    for layer in layers:
        if layer not in seen:
            seen.add(layer)
            trained += layer.trainable_weights
            others += layer.non_trainable_weights
    return layer_utils.count_params(trained), layer_utils.count_params(others)


def collect_trainable_weights(layer: Layer) -> list[Any]:
    """The weights that training changes, by their names."""
    return sorted(layer.trainable_weights, key=lambda weight: weight.name)


def generator_queue(
    generator: Iterator[Any],
    max_q_size: int = 10,
    wait_time: float = 0.05,
    nb_worker: int = 1,
    pickle_safe: bool = False,
) -> tuple[queue.Queue[Any], threading.Event]:
    """A queue that threads fill from a generator, and the event that stops them.

    Arguments:
        max_q_size: how many batches wait at most.
        wait_time: seconds before a full queue is looked at again.
        nb_worker: number of threads, of which one at a time asks the generator.
        pickle_safe: has no effect: a generator cannot be sent to another process.
    """
    filled: queue.Queue[Any] = queue.Queue()
    stop, turn = threading.Event(), threading.Lock()

    def fill() -> None:
        while not stop.is_set():
            if filled.qsize() >= max_q_size:
                time.sleep(wait_time)
                continue
            with turn:
                batch = next(generator, stop)
            if batch is stop:
                stop.set()
            else:
                filled.put(batch)

    for _ in range(nb_worker):
        threading.Thread(target=fill, daemon=True).start()
    return filled, stop


FUNCTIONS: dict[Any, tuple[Callable[..., Any], ...]] = {
    generic_utils: (display_table,),
    io_utils: (save_array, load_array),
    layer_utils: (count_total_params,),
    training: (collect_trainable_weights, generator_queue),
}

# -- methods and attributes ------------------------------------------------------------------------------------------


class _Constraints:
    """The constraints of a layer's weights, by weight; a layer of the user's may have something else of that name."""

    def __get__(self, layer: Any, owner: Any = None) -> Any:
        if layer is None:
            return self
        return {weight: weight.constraint for weight in layer.trainable_weights if weight.constraint is not None}


def create_input_layer(self: Layer, batch_input_shape: Any, input_dtype: Any = None, name: str | None = None) -> None:
    """Call the layer on a new `Input` of this shape."""
    self(input_layer.Input(batch_shape=batch_input_shape, dtype=input_dtype, name=name))


def set_input(self: Layer, input_tensor: Any, shape: Any = None) -> None:
    """Let a tensor be what the layer was called on, and nothing else.

    Raises:
        ValueError: if the layer was called more than once.
    """
    if len(self._inbound_nodes) > 1:
        raise ValueError(f"Layer {self.name} was called {len(self._inbound_nodes)} times: `set_input` is ambiguous.")
    self._inbound_nodes.clear()
    self(input_layer.Input(tensor=input_tensor))


def add_inbound_node(self: Layer, inbound_layers: Any, node_indices: Any = None, tensor_indices: Any = None) -> None:
    """Call the layer on the outputs of other layers.

    Arguments:
        inbound_layers: a layer or several.
        node_indices: which call of each is meant; the first by default.
        tensor_indices: which of a call's outputs is meant; the first by default.
    """
    given = to_list(inbound_layers)
    nodes, places = (to_list(x) if x is not None else [0] * len(given) for x in (node_indices, tensor_indices))
    found = [to_list(layer.get_output_at(n))[i] for layer, n, i in zip(given, nodes, places, strict=True)]
    self(found if len(found) > 1 else found[0])


def get_input(self: Layer, train: bool = False) -> Any:
    """What the layer, or the model, was called on."""
    return self.input


def get_output(self: Layer, train: bool = False) -> Any:
    """What the layer, or the model, made of it. To compute it as in training, feed `K.learning_phase()` with 1."""
    return self.output


def _flattened_layers(model: Sequential) -> list[Layer]:
    """The layers, those of a `Merge` at the beginning in its place."""
    layers = list(model.layers)
    first: Any = layers[0] if layers else None
    if not isinstance(first, Merge):
        return layers
    merged = [layer for part in first.layers for layer in getattr(part, "layers", [part])]
    return list(dict.fromkeys([*merged, *layers[1:]]))


# Methods of a model that are functions of `keras.engine.saving` today.
_FILES = {
    "save_weights_to_hdf5_group": saving.save_weights_to_hdf5_group,
    "load_weights_from_hdf5_group": saving.load_weights_from_hdf5_group,
    "load_weights_from_hdf5_group_by_name": saving.load_weights_from_hdf5_group_by_name,
}


def _on_layers(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of a group and layers as the method of a model."""

    def method(self: Any, f: Any) -> Any:
        return function(f, self.layers)

    method.__name__, method.__doc__ = function.__name__, function.__doc__
    return method


ATTRIBUTES: dict[type, dict[str, Any]] = {
    Layer: {
        "constraints": _Constraints(),
        "create_input_layer": create_input_layer,
        "set_input": set_input,
        "add_inbound_node": add_inbound_node,
        "get_input": get_input,
        "get_output": get_output,
    },
    network.Network: {name: _on_layers(function) for name, function in _FILES.items()},
    Sequential: {"flattened_layers": property(_flattened_layers)},
    Embedding: {"input_ndim": 2},
}

# -- arguments of methods --------------------------------------------------------------------------------------------

_X = Table(names={"X": "x"})

# Class, method, and what is known of older calls to it.
METHODS: tuple[tuple[Any, str, Table], ...] = (
    (Layer, "assert_input_compatibility", Table(names={"input": "inputs"})),
    (TFOptimizer, "get_updates", optimizers.TABLES["Optimizer.get_updates"]),
    (
        data_utils.SequenceEnqueuer,
        "start",
        Table(
            names={"nb_worker": "workers", "max_q_size": "max_queue_size"},
            removed={"wait_time": "`wait_time` is not used anymore."},
        ),
    ),
)

# Methods of the wrappers for scikit-learn, which are imported when they are first used.
_WRAPPERS = {
    "BaseWrapper": ("fit",),
    "KerasClassifier": ("fit", "predict", "predict_proba", "score"),
    "KerasRegressor": ("predict", "score"),
}


def _forced(update: Any, bar: progbar.Progbar, args: Args, kwargs: Kwargs) -> Any:
    """`update(..., force=True)` draws at once, however short ago the bar was drawn."""
    force = kwargs.pop("force", args[2] if len(args) > 2 else False)
    interval, bar.interval = bar.interval, 0.0 if force else bar.interval
    try:
        return update(bar, *args[:2], **kwargs)
    finally:
        bar.interval = interval


def install_method(owner: Any, name: str, table: Table) -> None:
    """Let a method accept old arguments."""
    key = f"{owner.__name__}.{name} "
    install_tables({key: table})
    setattr(owner, name, arguments.accepts_old_names(key)(vars(owner)[name]))


def _install_wrappers() -> None:
    from kjax.wrappers import scikit_learn

    for owner, names in _WRAPPERS.items():
        for name in names:
            install_method(getattr(scikit_learn, owner), name, _X)


def install_kept() -> None:
    """Let modules and classes have what they had, and methods take what they took."""
    for module, functions in FUNCTIONS.items():
        for function in functions:
            setattr(module, function.__name__, function)
    for owner, attributes in ATTRIBUTES.items():
        for name, value in attributes.items():
            setattr(owner, name, value)
    for owner, name, table in METHODS:
        install_method(owner, name, table)
    install_tables({"Network": Table(names={"input": "inputs", "output": "outputs"})})
    arguments.install_around("Progbar.update ", _forced, ("force",))
    progbar.Progbar.update = arguments.accepts_old_names("Progbar.update ")(progbar.Progbar.update)
    arguments.when_loaded("kjax.wrappers.scikit_learn", _install_wrappers)
