"""Attention of several heads."""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from kjax import backend as K
from kjax import regularizers
from kjax._core import naming
from kjax.engine.base_layer import Layer, shape_of
from kjax.layers import _roles
from kjax.layers._attention import causal, without_masked
from kjax.layers._einsum_dense import EinsumDense

_LETTERS = string.ascii_lowercase


class MultiHeadAttention(Layer):
    """Several attentions at once, each on projections of its own, projected back together.

    `softmax(query_h · key_hᵀ / sqrt(key_dim)) · value_h` for each head h.

    Arguments:
        num_heads: number of heads.
        key_dim: size of each head's query and key.
        value_dim: size of each head's value; `key_dim` if None.
        dropout: share of the weights that is dropped while training.
        use_bias: whether the projections have biases.
        output_shape: shape of a step of the output; that of a step of the query if None.
        attention_axes: the axes of the query that attend, without batch, heads and features; all if None.
        kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, kernel_constraint,
            bias_constraint: of the projections.
        activity_regularizer: penalty on the output.

    Called as `layer(query, value)`, or `layer(query, value, key)`, and with these by name:
        attention_mask: (batch, queries, keys), true where a query may see a key.
        return_attention_scores: whether the weights (batch, heads, queries, keys) are returned beside the output.
        use_causal_mask: whether no step of the query sees later ones.
        training: the learning phase.

    Masks of query, value and key count too; the output has the mask of the query.

    Reference: Vaswani et al., Attention Is All You Need, 2017.
    """

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: Any = None,
        attention_axes: Any = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        self._shapes: Any = {key: kwargs.pop(key, None) for key in ("query_shape", "value_shape", "key_shape")}
        kwargs.pop("softmax_robust_masking", None)
        super().__init__(**kwargs)
        self.supports_masking = True
        self.num_heads, self.key_dim, self.value_dim = num_heads, key_dim, value_dim or key_dim
        self.dropout, self.use_bias = dropout, use_bias
        self._output = (output_shape,) if isinstance(output_shape, int) else output_shape
        self._given_axes = (attention_axes,) if isinstance(attention_axes, int) else attention_axes
        _roles.take(
            self,
            kernel=(kernel_initializer, kernel_regularizer, kernel_constraint),
            bias=(bias_initializer, bias_regularizer, bias_constraint),
        )
        self.activity_regularizer = regularizers.get(activity_regularizer)

    def __call__(self, query: Any, value: Any = None, key: Any = None, **kwargs: Any) -> Any:
        """Apply the layer.

        Raises:
            ValueError: if there is no value.
        """
        if value is None:
            raise ValueError(
                f"MultiHeadAttention layer {self.name} needs a query and a value: `layer(query, value)`. For "
                "self-attention pass the same tensor twice."
            )
        shapes = [shape_of(query), shape_of(value), shape_of(value if key is None else key)]
        if not self.built:
            self._shapes = dict(zip(self._shapes, shapes, strict=True))
        given = {"value": value, "key": key, **kwargs}
        return super().__call__(query, **{name: x for name, x in given.items() if x is not None})

    def build(self, input_shape: Any) -> None:
        query, value, key = (tuple(shape or input_shape) for shape in self._shapes.values())
        self._attends = tuple(axis % len(query) for axis in self._given_axes or range(1, len(query) - 1))
        self._query_dense = self._projection("query", query, self.key_dim)
        self._key_dense = self._projection("key", key, self.key_dim)
        self._value_dense = self._projection("value", value, self.value_dim)
        free = _LETTERS[: len(query) - 1]
        wanted = tuple(self._output or query[-1:])
        ends = _LETTERS[len(query) + 1 : len(query) + 1 + len(wanted)]
        equation = f"{free}yz,yz{ends}->{free}{ends}"
        shape = (*query[:-1], self.num_heads, self.value_dim)
        self._output_dense = self._dense("attention_output", equation, (*query[1:-1], *wanted), ends, shape)
        self.built = True

    def _projection(self, name: str, shape: Sequence[Any], size: int) -> EinsumDense:
        free = _LETTERS[: len(shape) - 1]
        equation = f"{free}x,xyz->{free}yz"
        return self._dense(name, equation, (*shape[1:-1], self.num_heads, size), "yz", shape)

    def _dense(self, name: str, equation: str, output: Any, bias_axes: str, shape: Any) -> EinsumDense:
        roles = {key: v for key, v in _roles.serialized(self, "kernel", "bias").items() if "activity" not in key}
        wanted = (None,) * (len(equation.partition("->")[2]) - 1 - len(output)) + tuple(output)
        layer = EinsumDense(equation, wanted, bias_axes=bias_axes if self.use_bias else None, name=name, **roles)
        with naming.scope(name):
            layer.build(tuple(shape))
        return layer

    def call(
        self,
        query: Any,
        value: Any = None,
        key: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        training: Any = None,
        use_causal_mask: bool = False,
        masks: Any = (None, None, None),
    ) -> Any:
        value = query if value is None else value
        seen = _seen(query, value, attention_mask, use_causal_mask, masks)
        q, k, v = self._query_dense(query), self._key_dense(value if key is None else key), self._value_dense(value)
        q = q * jnp.asarray(self.key_dim**-0.5, q.dtype)
        # Heads stand before the axes that attend, the others before the heads.
        apart = [axis for axis in range(query.ndim - 1) if axis not in self._attends]
        letters = "".join(_LETTERS[axis] for axis in apart)
        asking = "".join(_LETTERS[axis] for axis in self._attends)
        asked = asking.upper()
        of_query = _LETTERS[: query.ndim - 1]
        of_key = "".join(c.upper() if c in asking else c for c in of_query)
        scores = jnp.einsum(f"{of_query}yz,{of_key}yz->{letters}y{asking}{asked}", q, k)
        for mask in seen:
            scores = without_masked(scores, _spread(mask, scores.ndim, len(self._attends)))
        last = tuple(range(scores.ndim - len(self._attends), scores.ndim))
        weights = jax.nn.softmax(scores, axis=last)
        kept = weights
        if self.dropout:
            kept = K.in_train_phase(lambda: K.dropout(weights, self.dropout), weights, training)
        gathered = jnp.einsum(f"{letters}y{asking}{asked},{of_key}yz->{of_query}yz", kept, v)
        output = self._output_dense(gathered)
        return (output, weights) if return_attention_scores else output

    def run(self, args: tuple[Any, ...], kwargs: dict[str, Any], masks: tuple[Any, ...]) -> tuple[Any, list[Any]]:
        """As for other layers, with the masks of value and key, which are passed by name."""
        named = masks[-1]
        found = (masks[0], named.get("value"), named.get("key"))
        if any(mask is not None for mask in found):
            kwargs = {**kwargs, "masks": found}
        return super().run(args, kwargs, masks)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask of the query."""
        return mask

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "key_dim": self.key_dim,
            "value_dim": self.value_dim,
            "dropout": self.dropout,
            "use_bias": self.use_bias,
            "output_shape": self._output,
            "attention_axes": self._given_axes,
            **_roles.serialized(self, "kernel", "bias"),
        }


def _seen(query: Any, value: Any, attention_mask: Any, use_causal_mask: bool, masks: Any) -> list[Any]:
    """Masks of (queries, keys) that say what may be seen; none where all may."""
    of_query, of_value, of_key = masks
    parts: list[Any] = []
    if of_query is not None:
        parts.append(jnp.asarray(of_query, bool)[:, :, None])
    parts += [jnp.asarray(mask, bool)[:, None, :] for mask in (of_value, of_key) if mask is not None]
    if use_causal_mask:
        parts.append(causal(query.shape[1], value.shape[1]))
    if attention_mask is not None:
        parts.append(jnp.asarray(attention_mask, bool))
    rank = max((part.ndim for part in parts), default=0)
    together: Any = None
    for part in (jnp.expand_dims(part, range(rank - part.ndim)) for part in parts):
        together = part if together is None else jnp.logical_and(together, part)
    return [] if together is None else [together]


def _spread(mask: Any, rank: int, attending: int) -> Any:
    """A mask with an axis of length 1 for the heads, and for what else the scores have before the axes that attend."""
    place = max(0, mask.ndim - 2 * attending)
    return jnp.expand_dims(mask, range(place, place + rank - mask.ndim))
