"""What stands around models, as Keras 1 spelled it: queues, labels, data sets, wrappers for scikit-learn."""

from __future__ import annotations

from kjax.legacy._convert import Table

_LOAD = Table(
    names={"nb_words": "num_words"},
    renamed="The `{old}` argument in `load_data` has been renamed `{new}`.",
)

_WRAPPER = Table(names={"nb_epoch": "epochs"})

TABLES = {
    "GeneratorEnqueuer": Table(names={"generator": "sequence", "pickle_safe": "use_multiprocessing"}),
    "to_categorical": Table(names={"nb_classes": "num_classes"}),
    "imdb.load_data": _LOAD,
    "reuters.load_data": _LOAD,
    "BaseWrapper": _WRAPPER,
    "BaseWrapper.set_params": _WRAPPER,
}
