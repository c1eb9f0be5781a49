"""Embedding: a row of a table for each number."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from kjax import regularizers
from kjax.engine.base_layer import Layer
from kjax.layers import _roles


class Embedding(Layer):
    """Turns each number into the row of a table that is trained: `output[b, t] = embeddings[input[b, t]]`.

    An id that is not in the table gives a row of NaN, so that the loss says at once that something is wrong; the ids
    are on the device by then, where nothing can be raised. Fractions are cut off.

    Arguments:
        input_dim: number of rows: the largest number plus 1.
        output_dim: length of a row.
        embeddings_initializer: first values of the table.
        embeddings_regularizer, activity_regularizer: penalties of the table and of the output.
        embeddings_constraint: function applied to the table after each update.
        mask_zero: whether 0 means that there is nothing: later layers skip it. Row 0 is then not used.
        input_length: length of the sequences, if it is the same for all; needed before `Flatten` and `Dense`.
        weights: list of one table to start from.

    Input shape:
        (batch, steps), of integers; any number of axes.

    Output shape:
        That of the input and `output_dim`.

    Raises:
        ValueError: if the inputs are not as long as `input_length`.

    Reference: Gal and Ghahramani, A Theoretically Grounded Application of Dropout in Recurrent Neural Networks,
    https://arxiv.org/abs/1512.05287
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        activity_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        input_length: Any = None,
        **kwargs: Any,
    ) -> None:
        if "input_shape" not in kwargs:
            lengths = tuple(input_length) if isinstance(input_length, (list, tuple)) else (input_length or None,)
            kwargs["input_shape"] = lengths
        super().__init__(**kwargs)
        self.input_dim = int(input_dim)
        self.output_dim = int(output_dim)
        if self.input_dim < 1 or self.output_dim < 1:
            raise ValueError(
                f"`input_dim` and `output_dim` of an Embedding layer must be at least 1. Found: {input_dim} and "
                f"{output_dim}"
            )
        _roles.take(self, embeddings=(embeddings_initializer, embeddings_regularizer, embeddings_constraint))
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.mask_zero = mask_zero
        self.supports_masking = bool(mask_zero)
        self.input_length = input_length

    def build(self, input_shape: Any) -> None:
        self._check_length(input_shape)
        self.embeddings = _roles.add(self, "embeddings", (self.input_dim, self.output_dim))
        self.built = True

    def _check_length(self, input_shape: Any) -> None:
        if self.input_length is None:
            return
        said = self.input_length
        wanted = list(said) if isinstance(said, (list, tuple)) else [said]
        came = list(input_shape[1:])
        if len(wanted) != len(came) or any(
            a is not None and b is not None and a != b for a, b in zip(wanted, came, strict=True)
        ):
            raise ValueError(f'"input_length" is {said}, but received input has shape {tuple(input_shape)}')

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return jnp.not_equal(inputs, jnp.zeros((), inputs.dtype)) if self.mask_zero else None

    def call(self, inputs: Any) -> Any:
        # Without a sign, an id below zero is out of the table too, instead of counting from its end.
        ids = inputs.astype("int32").astype("uint32")
        return jnp.take(self.embeddings.value, ids, axis=0, mode="fill")

    def compute_output_shape(self, input_shape: Any) -> Any:
        self._check_length(input_shape)
        said = self.input_length
        if said is None:
            return (*input_shape, self.output_dim)
        lengths = said if isinstance(said, (list, tuple)) else [said]
        known = [a if b is None else b for a, b in zip(lengths, input_shape[1:], strict=True)]
        return (input_shape[0], *known, self.output_dim)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            **_roles.serialized(self, "embeddings"),
            "mask_zero": self.mask_zero,
            "input_length": self.input_length,
        }
