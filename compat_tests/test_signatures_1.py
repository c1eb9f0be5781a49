"""Every name of Keras 1 is there, and every argument that it took is understood, under its old name."""

from __future__ import annotations

import ast
import inspect

from compat_tests import recorded_calls as calls
from kjax._check import _calls
from kjax._check._values import Opaque, Real

LINES = calls.lines("signatures_1.txt")

# What is meant to differ, with the reason; `*` stands for anything. A line that agrees by now has to leave.
MUSIC = "a network for sounds, which Keras 2 dropped with its weights"
INSIDE = "how Keras 1's graph of layers was built and kept; the graph here is another"
FORM = "given by its place in scripts, or not at all"
EXCEPTIONS: dict[str, str] = {
    "applications.audio_conv_utils.*": MUSIC,
    "applications.music_tagger_crnn.*": MUSIC,
    "applications.inception_v3.conv2d_bn": FORM,
    "backend.atrous_conv2d": "`conv2d` has a `dilation_rate`",
    "backend.ctc_decode": "dictionaries of words were never implemented",
    "backend.*legacy_weight_ordering": "weights are saved in Keras 2's order",
    "constraints.MinMaxNorm": "Keras 2 named its bounds otherwise; by place they are understood",
    "*.get": "keywords of `get` beside the name; a config holds them",
    "engine.topology.*": INSIDE,
    "engine.training.GeneratorEnqueuer.start": "its arguments are called `workers` and `max_queue_size`",
    "engine.training.check_loss_and_target_compatibility": FORM,
    "engine.training.collect_trainable_weights": INSIDE,
    "engine.training.generator_queue": "a queue of Keras 1.0; `GeneratorEnqueuer` came after it",
    "engine.training.slice_X": FORM,
    "layers.ConvRecurrent2D": "a base class",
    "layers.Embedding.input_ndim": INSIDE,
    "models.Sequential.*": INSIDE,
    "optimizers.TFOptimizer.get_updates": "wraps an optimizer of TensorFlow; one of optax is wrapped instead",
    "preprocessing.image.array_to_img": "understood in a run, where the value is known",
    "preprocessing.image.img_to_array": "understood in a run, where the value is known",
    "preprocessing.image.random_barrel_transform": "raised NotImplementedError",
    "preprocessing.image.random_channel_shift": FORM,
    "utils.generic_utils.Progbar.update": FORM,
    "utils.generic_utils.display_table": "printed `summary` in Keras 1.0",
    "utils.io_utils.*_array": "files of PyTables",
    "utils.layer_utils.count_total_params": INSIDE,
    "utils.layer_utils.print_summary": "took layers; it takes a model",
    "utils.np_utils.convert_kernel": FORM,
    "wrappers.scikit_learn.*": FORM,
}


def complaint(line: str) -> str | None:
    """What of a recorded call, its arguments given by name, is not understood."""
    name = calls.name_of(line)
    found = calls.reached(name)
    if found is None:
        return f"{name} is not there"
    if "(" not in line or "*args" in line:
        return None
    node = ast.parse("f()", mode="eval").body
    assert isinstance(node, ast.Call)
    values = {parameter: Opaque(node) for parameter, _ in calls.wanted(line)}
    real = Real(found.obj, name, inspect.isclass(found.owner))
    told = _calls.check(real, _calls.Call(node, (), values, False)).told
    missing = [what for kind, what, _ in told if kind == "missing"]
    return f"{line}: {missing}" if missing else None


def test_every_old_name_and_argument_is_understood_or_has_a_reason() -> None:
    complaints = {calls.name_of(line): said for line in LINES if (said := complaint(line)) is not None}
    excepted = {name: calls.pattern_of(name, EXCEPTIONS) for name in complaints}
    wrong = [said for name, said in complaints.items() if excepted[name] is None]
    assert not wrong, "\n".join(wrong)
    assert set(EXCEPTIONS) == set(excepted.values()), "understood by now"
    assert len(LINES) > 200
