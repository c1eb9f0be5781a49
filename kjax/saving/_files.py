"""`save_model`, `load_model` and their like for weights: what kind of file it is, and asking before one is replaced."""

from __future__ import annotations

import io
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from kjax._core import notices
from kjax._core.registry import CustomObjectScope
from kjax.saving import _architecture

if TYPE_CHECKING:
    from kjax._core.guards.hdf5 import Group

_HDF5 = ("h5", "hdf5", "keras_h5")
_MEANT_FOR_TF = ("signatures", "options", "save_traces")


def save_model(
    model: Any,
    filepath: Any,
    overwrite: bool = True,
    include_optimizer: bool = True,
    save_format: str | None = None,
    **kwargs: Any,
) -> None:
    """Write a model to one file: see `Model.save`.

    Raises:
        NotImplementedError: if the model computes in its own `call` and has no config.
    """
    _check_arguments(save_format, kwargs)
    filepath = _place(filepath)
    archive = _is_archive(filepath, save_format)
    if _keeps_old(filepath, overwrite):
        return
    _make_folder(filepath)
    if getattr(model, "built", True) is False or not model.layers:
        raise NotImplementedError(
            f"Model {model.name} has not been built, so it has no weights to save. Call `build` or `fit` first, or "
            "give its first layer an `input_shape`."
        )
    if archive:
        from kjax.saving import _archive

        _archive.write_model(filepath, model, include_optimizer)
        return
    from kjax.saving import _h5

    config = _architecture.dumps(_architecture.class_and_config(model))  # before a file is touched
    with _written(filepath) as group:
        _h5.write_model(group, model, config, include_optimizer)


def load_model(
    filepath: Any, custom_objects: Mapping[str, Any] | None = None, compile: bool = True, safe_mode: bool = True
) -> Any:
    """The model that a file holds: an HDF5 file of Keras 1, Keras 2, tf.keras or kjax, or a `.keras` archive.

    Nothing in the file is run: classes and functions are looked up by name among kjax's own and `custom_objects`.

    Arguments:
        filepath: a path, an open `h5py.File` or `h5py.Group`, or a binary file object.
        custom_objects: classes and functions of one's own by name; the function of a `Lambda` also by the layer's.
        compile: whether the model is compiled as it was, and its optimizer gets its state back.
        safe_mode: accepted for later versions; loading is never anything but safe.

    Raises:
        OSError: if the file cannot be opened.
        ValueError: if it holds no model, or one that cannot be rebuilt; with what can be done.
    """
    if safe_mode is not True:
        raise ValueError("kjax never runs code from a file, so there is no other mode than the safe one.")
    filepath = _place(filepath)
    from kjax._core.guards import hdf5
    from kjax.saving import _h5

    with CustomObjectScope(custom_objects or {}):
        if _is_zip(filepath):
            from kjax.saving import _archive

            return _archive.read_model(filepath, custom_objects, compile)
        with hdf5.reading(filepath) as group:
            return _h5.read_model(group, custom_objects, compile)


def save_weights(model: Any, filepath: Any, overwrite: bool = True, save_format: str | None = None) -> None:
    """Write the weights of a model: see `Model.save_weights`."""
    _check_arguments(save_format, {})
    filepath = _place(filepath)
    if _keeps_old(filepath, overwrite):
        return
    _make_folder(filepath)
    from kjax.saving import _layout

    _require_weights(model)
    with _written(filepath) as group:
        _layout.write_layers(group, model.layers)
        if _name(filepath).endswith(".weights.h5"):
            from kjax.saving import _tree

            _tree.link_weights(group, model)


def load_weights(
    model: Any, filepath: Any, by_name: bool = False, skip_mismatch: bool = False, reshape: bool = False
) -> None:
    """Read weights into a model: see `Model.load_weights`."""
    if skip_mismatch and not by_name:
        raise ValueError("When calling model.load_weights, skip_mismatch can only be set to True when by_name is True.")
    from kjax._core.guards import hdf5
    from kjax.saving import _weights

    filepath = _place(filepath)
    _require_weights(model)
    if _is_zip(filepath):
        from kjax.saving import _archive

        _refuse_names(by_name)
        _archive.read_weights(filepath, model)
        return
    with hdf5.reading(filepath) as group:
        if not _has_layers(group) and "model_weights" in group:
            group = group.group("model_weights")
        if not _has_layers(group):
            from kjax.saving import _tree

            _refuse_names(by_name)
            _weights.put(_tree.pairs(group, model))
            return
        reader = _weights.Reader(group, reshape)
        found = _weights.by_name(model, reader, skip_mismatch) if by_name else _weights.by_order(model, reader)
        _weights.put(found)


def _refuse_names(by_name: bool) -> None:
    if by_name:
        raise ValueError(
            "`by_name=True` needs a file in Keras 2's layout. In this one, of today's Keras, layers have their places "
            "but no names: load it without `by_name` into a model of the same layers."
        )


def _has_layers(group: Group) -> bool:
    return group.has_attribute("layer_names") or group.has_attribute("layer_names0")


def _place(filepath: Any) -> Any:
    """Where a file is or goes. tf.keras wrote folders, so that a path may end as that of one."""
    expected = "Expected a path, an open `h5py.File` or `h5py.Group`, or a file object opened in binary mode"
    if isinstance(filepath, io.TextIOBase):
        raise TypeError(f"{expected}. This one was opened as text: add a 'b' to its mode.")
    if hasattr(filepath, "create_group"):
        if not filepath:
            raise ValueError(f"{expected}. The HDF5 file was closed.")
    elif not (
        isinstance(filepath, (str, bytes, os.PathLike)) or hasattr(filepath, "read") or hasattr(filepath, "write")
    ):
        raise TypeError(f"{expected}. Found: {filepath!r}")
    elif filepath in ("", b""):
        raise ValueError(f"{expected}. The path is empty.")
    return (filepath.rstrip("/") or filepath) if isinstance(filepath, str) else filepath


def _make_folder(filepath: Any) -> None:
    """Make the folder of a path without an ending, such as `checkpoints/cp`, as tf.keras did."""
    if isinstance(filepath, (str, os.PathLike)) and os.path.splitext(filepath)[1] in ("", ".ckpt"):
        os.makedirs(os.path.dirname(filepath) or ".", exist_ok=True)


def _require_weights(model: Any) -> None:
    if not model.built:
        raise ValueError(
            f"Model {model.name} has not created its weights yet. Build it first: call `build` with an input shape, or "
            "the model on some data."
        )


def _name(filepath: Any) -> str:
    return os.fsdecode(filepath) if isinstance(filepath, (str, bytes, os.PathLike)) else ""


def _is_archive(filepath: Any, save_format: str | None) -> bool:
    return save_format == "keras" or (save_format is None and _name(filepath).endswith(".keras"))


def _is_zip(filepath: Any) -> bool:
    from kjax._core.guards import hdf5, zips

    if not _name(filepath) and not hasattr(filepath, "seek"):
        return False
    # Numbers of an HDF5 file may look like the end of an archive.
    return zips.is_zip(filepath) and not hdf5.is_hdf5(filepath)


def _check_arguments(save_format: str | None, kwargs: Mapping[str, Any]) -> None:
    if save_format == "tf":
        notices.warn("`save_format='tf'`: there are no SavedModels here. One file in HDF5 is written.")
    elif save_format not in (None, "keras", *_HDF5):
        raise ValueError(
            f"`save_format={save_format!r}` is not written: use 'h5' or 'keras'. For a program without the model's "
            "code there is `kjax.export`."
        )
    unknown = sorted(set(kwargs) - set(_MEANT_FOR_TF))
    if unknown:
        raise TypeError(f"`save` got an unexpected keyword argument {unknown[0]!r}.")


def _keeps_old(filepath: Any, overwrite: bool) -> bool:
    """Whether there is a file that the user, who is asked, wants to keep."""
    name = _name(filepath)
    if overwrite or not name or not os.path.isfile(name):
        return False
    answer = input(f"[WARNING] {name} already exists - overwrite? [y/n]").strip().lower()
    while answer not in ("y", "n", "yes", "no"):
        answer = input('Enter "y" (overwrite) or "n" (cancel).').strip().lower()
    if answer.startswith("n"):
        return True
    print("[TIP] Next time specify overwrite=True!")
    return False


@contextmanager
def _written(filepath: Any) -> Generator[Any]:
    """The group to write into: of a new file, or the one that was given."""
    if hasattr(filepath, "create_group"):
        yield filepath
        return
    from kjax._core.guards import hdf5

    with hdf5.writing(filepath) as file:
        yield file
