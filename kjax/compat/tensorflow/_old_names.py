"""Names of the top level from before TensorFlow 1.0."""

from __future__ import annotations

from kjax.compat.tensorflow.arrays import where as select
from kjax.compat.tensorflow.math import matmul as batch_matmul
from kjax.compat.tensorflow.math import reciprocal as inv
from kjax.compat.tensorflow.summary import histogram as histogram_summary
from kjax.compat.tensorflow.summary import image as image_summary
from kjax.compat.tensorflow.summary import merge as merge_summary
from kjax.compat.tensorflow.summary import merge_all as merge_all_summaries
from kjax.compat.tensorflow.summary import scalar as scalar_summary

__all__ = [
    "batch_matmul", "histogram_summary", "image_summary", "inv", "merge_all_summaries", "merge_summary",
    "scalar_summary", "select",
]  # fmt: skip
