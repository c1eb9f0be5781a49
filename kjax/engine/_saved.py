"""The methods of models that read and write files. `kjax.saving`, a floor above, does the work."""

from __future__ import annotations

from types import ModuleType
from typing import Any

_saving: list[ModuleType] = []


def provide(module: ModuleType) -> None:
    """Let `module` do what the methods say."""
    _saving[:] = [module]


class SavedMethods:
    """Methods of a network that read and write files, and copy it. A base of `Network` alone."""

    def to_json(self, **kwargs: Any) -> str:
        """The architecture as JSON, for `model_from_json`. Weights and `compile` are not in it.

        Arguments:
            **kwargs: passed to `json.dumps`.
        """
        return _saving[0].to_json(self, **kwargs)

    def to_yaml(self, **kwargs: Any) -> str:
        """The architecture as YAML, for `model_from_yaml`.

        Arguments:
            **kwargs: passed to `yaml.dump`.

        Raises:
            ImportError: without PyYAML.
        """
        return _saving[0].to_yaml(self, **kwargs)

    def save(
        self,
        filepath: Any,
        overwrite: bool = True,
        include_optimizer: bool = True,
        save_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Write the model to one file: architecture, weights, what `compile` was told, the optimizer's state.

        The file is written beside and renamed, so that a crash leaves an older one whole.

        Arguments:
            filepath: a path, an open `h5py.File` or `h5py.Group`, or a binary file object. A path that ends in
                `.keras` becomes an archive of today's Keras, any other an HDF5 file of Keras 2.
            overwrite: whether an existing file is replaced without asking.
            include_optimizer: whether what `compile` was told is written too.
            save_format: `'h5'` or `'keras'`, whatever the path ends in.
            **kwargs: `signatures`, `options`, `save_traces` of tf.keras mean nothing here.

        Raises:
            NotImplementedError: if the model computes in its own `call` and has no config.
        """
        _saving[0].save_model(self, filepath, overwrite, include_optimizer, save_format, **kwargs)

    def save_weights(
        self, filepath: Any, overwrite: bool = True, save_format: str | None = None, options: Any = None
    ) -> None:
        """Write the weights to an HDF5 file, by layer.

        Arguments:
            filepath: a path, an open `h5py.File` or `h5py.Group`, or a binary file object. A file that ends in
                `.weights.h5` can be read by today's Keras too.
            overwrite: whether an existing file is replaced without asking.
            save_format: `'h5'`, whatever the path ends in.
        """
        _saving[0].save_weights(self, filepath, overwrite, save_format)

    def load_weights(
        self, filepath: Any, by_name: bool = False, skip_mismatch: bool = False, reshape: bool = False, **kwargs: Any
    ) -> None:
        """Read weights from a file that `save_weights` or `save` wrote, here or in another Keras.

        Arguments:
            filepath: a path, an open `h5py.File` or `h5py.Group`, or a binary file object.
            by_name: whether layers are found by their names; else by their order.
            skip_mismatch: with `by_name`, whether layers whose weights do not fit are left as they are, with a warning.
            reshape: whether weights are brought to the layer's shape if they have as many elements.

        Raises:
            ValueError: if weights do not fit. Nothing is changed then.
        """
        _saving[0].load_weights(self, filepath, by_name, skip_mismatch, reshape)

    def __copy__(self) -> Any:
        return self.__deepcopy__({})

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        copied = _saving[0].deep_copy(self, memo)
        memo[id(self)] = copied
        return copied

    def __reduce__(self) -> Any:
        return _saving[0].reduced(self)
