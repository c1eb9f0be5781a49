"""`tf.contrib.legacy_seq2seq`: losses and decoders of lists of steps."""

from __future__ import annotations

from typing import Any

from kjax.compat.tensorflow import _missing, nn
from kjax.compat.tensorflow._init_values import variable_scope
from kjax.compat.tensorflow.arrays import cast, reshape, shape
from kjax.compat.tensorflow.math import add_n, reduce_sum


def sequence_loss_by_example(
    logits: Any,
    targets: Any,
    weights: Any,
    average_across_timesteps: bool = True,
    softmax_loss_function: Any = None,
    name: str | None = None,
) -> Any:
    """The weighted cross entropy of each sample, from lists with the scores, classes and weights of each step."""
    entropy = softmax_loss_function or nn.sparse_softmax_cross_entropy_with_logits
    each = [
        entropy(labels=reshape(t, [-1]), logits=score) * w for score, t, w in zip(logits, targets, weights, strict=True)
    ]
    total = add_n(each)
    return total / (add_n(list(weights)) + 1e-12) if average_across_timesteps else total


def sequence_loss(
    logits: Any,
    targets: Any,
    weights: Any,
    average_across_timesteps: bool = True,
    average_across_batch: bool = True,
    softmax_loss_function: Any = None,
    name: str | None = None,
) -> Any:
    """The sum of `sequence_loss_by_example`, divided by the number of samples."""
    cost = reduce_sum(
        sequence_loss_by_example(logits, targets, weights, average_across_timesteps, softmax_loss_function)
    )
    return cost / cast(shape(targets[0])[0], "float32") if average_across_batch else cost


def rnn_decoder(
    decoder_inputs: Any, initial_state: Any, cell: Any, loop_function: Any = None, scope: Any = None
) -> tuple[list[Any], Any]:
    """Outputs of each step, and the last state; `loop_function(output, i)` makes each input but the first, if given."""
    with variable_scope(scope or "rnn_decoder") as opened:
        state, outputs, before = initial_state, [], None
        for i, x in enumerate(decoder_inputs):
            if loop_function is not None and before is not None:
                x = loop_function(before, i)
            if i:
                opened.reuse_variables()
            output, state = cell(x, state)
            outputs.append(output)
            before = output
    return outputs, state


__all__ = ["rnn_decoder", "sequence_loss", "sequence_loss_by_example"]
__getattr__ = _missing.attribute("tensorflow.contrib.legacy_seq2seq", __all__)
