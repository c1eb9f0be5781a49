"""Attention of one head: each step of a query gathers values, weighed by how its key answers to the query."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kjax import backend as K
from kjax._core import operators
from kjax.engine.base_layer import Layer
from kjax.layers._merging import as_list


def without_masked(scores: Any, mask: Any) -> Any:
    """Scores so low where a mask is false that nothing comes from there."""
    lowest = 65504.0 if scores.dtype == jnp.float16 else 1e9
    # Added, not put in its place: where all is masked, the scores decide as without a mask.
    return operators.subtract(scores, operators.multiply(jnp.logical_not(mask).astype(scores.dtype), lowest))


def causal(queries: int, keys: int) -> Any:
    """True where a key is not later than the query: `(1, queries, keys)`."""
    return jnp.asarray(np.tril(np.ones((1, queries, keys), bool)))


class _DenseAttention(Layer):
    """What both kinds share; `_scores(query, key)` is theirs."""

    def __init__(self, **kwargs: Any) -> None:
        self.causal: bool = kwargs.pop("causal", False)
        self.dropout: float = kwargs.pop("dropout", 0.0)
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        shapes = as_list(input_shape)
        if shapes is None or len(shapes) not in (2, 3):
            raise ValueError(
                f"{type(self).__name__} layer must be called on a list of inputs, namely [query, value] or "
                f"[query, value, key]. Received: {input_shape}."
            )
        self._build_weights(shapes)
        self.built = True

    def _build_weights(self, shapes: list[tuple[Any, ...]]) -> None:
        raise NotImplementedError

    def _scores(self, query: Any, key: Any) -> Any:
        raise NotImplementedError

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        training: Any = None,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        query, value, key = (inputs[0], inputs[1], inputs[-1])
        query_mask, value_mask = (None, None) if mask is None else self._masks(inputs, mask)
        scores = self._scores(query, key)
        if value_mask is not None:
            scores = without_masked(scores, jnp.asarray(value_mask, bool)[:, None, :])
        if self.causal or use_causal_mask:
            scores = without_masked(scores, jnp.broadcast_to(causal(*scores.shape[-2:]), scores.shape))
        weights = jax.nn.softmax(scores, axis=-1)
        if self.dropout:
            weights = K.in_train_phase(lambda: K.dropout(weights, self.dropout), weights, training)
        result = jnp.einsum("bts,bsd->btd", weights, value)
        if query_mask is not None:
            result = result * jnp.asarray(query_mask, result.dtype)[:, :, None]
        return (result, weights) if return_attention_scores else result

    def _masks(self, inputs: Any, mask: Any) -> tuple[Any, Any]:
        if not isinstance(mask, (list, tuple)) or not 2 <= len(mask) <= len(inputs):
            raise ValueError(
                f"{type(self).__name__} layer mask must be a list of as many masks as inputs: [query_mask, "
                f"value_mask], each a tensor or None. Received: {mask}."
            )
        return mask[0], mask[1]

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask of the query."""
        return None if mask is None else self._masks(inputs, mask)[0]

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "causal": self.causal, "dropout": self.dropout}
        return config if self.causal else {key: value for key, value in config.items() if key != "causal"}


class Attention(_DenseAttention):
    """Attention by products, as of Luong: `softmax(query · keyᵀ) · value`.

    Arguments:
        use_scale: whether the scores are multiplied by a number that is learned.
        score_mode: `'dot'`; or `'concat'`, where a score is the sum of `tanh(query + key)`, times a number that
            is learned.
        causal: whether no step of the query sees later values; also an argument of the call, `use_causal_mask`.
        dropout: share of the weights that is dropped while training.

    Input shape:
        A list: query (batch, queries, dim), value (batch, keys, dim), and, unless it is the value, key
        (batch, keys, dim). Masks, also as `mask=[query_mask, value_mask]`: steps of the value that are masked
        count for nothing, steps of the query that are masked give zeros.

    Output shape:
        (batch, queries, dim). With `return_attention_scores=True` in the call, the weights beside it.

    Reference: Luong et al., Effective Approaches to Attention-based Neural Machine Translation, 2015.
    """

    def __init__(self, use_scale: bool = False, score_mode: str = "dot", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.use_scale = use_scale
        self.score_mode = score_mode
        if score_mode not in ("dot", "concat"):
            raise ValueError(f"Received: score_mode={score_mode}. Acceptable values are: ['dot', 'concat']")

    def _build_weights(self, shapes: list[tuple[Any, ...]]) -> None:
        self.scale = self.add_weight("scale", (), initializer="ones") if self.use_scale else None
        concat = self.score_mode == "concat"
        self.concat_score_weight = self.add_weight("concat_score_weight", (), initializer="ones") if concat else None

    def _scores(self, query: Any, key: Any) -> Any:
        scale = None if self.scale is None else self.scale.value.astype(query.dtype)
        if self.concat_score_weight is None:
            scores = jnp.einsum("btd,bsd->bts", query, key)
            return scores if scale is None else operators.multiply(scores, scale)
        both = query[:, :, None, :] + key[:, None, :, :]
        both = jnp.tanh(both if scale is None else operators.multiply(both, scale))
        return operators.multiply(jnp.sum(both, -1), self.concat_score_weight.value.astype(query.dtype))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "use_scale": self.use_scale, "score_mode": self.score_mode}


class AdditiveAttention(_DenseAttention):
    """Attention by sums, as of Bahdanau: `softmax(sum(scale * tanh(query + key))) · value`.

    Arguments:
        use_scale: whether each feature's part of the sum is multiplied by a number that is learned.
        causal, dropout: as for `Attention`, and so are the inputs and the output.

    Reference: Bahdanau, Cho, Bengio: Neural Machine Translation by Jointly Learning to Align and Translate, 2014.
    """

    def __init__(self, use_scale: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.use_scale = use_scale

    def _build_weights(self, shapes: list[tuple[Any, ...]]) -> None:
        size = (shapes[-1][-1],)
        self.scale = self.add_weight("scale", size, initializer="glorot_uniform") if self.use_scale else None

    def _scores(self, query: Any, key: Any) -> Any:
        both = jnp.tanh(query[:, :, None, :] + key[:, None, :, :])
        if self.scale is not None:
            both = operators.multiply(both, self.scale.value.astype(both.dtype))
        return jnp.sum(both, -1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "use_scale": self.use_scale}
