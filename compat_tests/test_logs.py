"""Logs answer to `acc` and `accuracy` alike, and otherwise are a dictionary."""

from __future__ import annotations

import copy
import json
import pickle

import pytest

from kjax._core.logs import Logs

PAIRS = [
    ("acc", "accuracy"),
    ("val_acc", "val_accuracy"),
    ("out_acc", "out_accuracy"),
    ("val_dense_1_acc", "val_dense_1_accuracy"),
    ("weighted_acc", "weighted_accuracy"),
]


@pytest.mark.parametrize(("short", "long"), PAIRS)
def test_each_spelling_answers_for_the_other(short: str, long: str) -> None:
    for real, asked in ((short, long), (long, short)):
        logs = Logs({"loss": 1.0, real: 0.5})
        assert logs[asked] == logs[real] == logs.get(asked) == 0.5
        assert asked in logs
        assert real in logs
        assert list(logs) == list(logs.keys()) == ["loss", real]
        assert repr(logs) == repr({"loss": 1.0, real: 0.5}) == str(logs)
        assert logs == {"loss": 1.0, real: 0.5}
        assert len(logs) == 2


def test_a_key_that_is_there_answers_for_itself() -> None:
    logs = Logs(acc=1, accuracy=2)
    assert (logs["acc"], logs["accuracy"], logs.get("acc")) == (1, 2, 1)


@pytest.mark.parametrize("name", ["val_acc", "loss", "myacc", "accuracy_1", "", "acc_loss"])
def test_other_names_are_missing(name: str) -> None:
    logs = Logs(acc=1)
    assert name not in logs
    assert logs.get(name) is None
    assert logs.get(name, 7) == 7
    with pytest.raises(KeyError) as caught:
        logs[name]
    assert caught.value.args == (name,)


def test_keys_that_are_no_strings() -> None:
    logs = Logs({3: "three"})  # type: ignore[dict-item]
    assert 3 in logs
    assert None not in logs
    with pytest.raises(KeyError):
        logs[4]  # type: ignore[index]


@pytest.mark.parametrize("copied", [Logs.copy, copy.copy, copy.deepcopy, lambda logs: pickle.loads(pickle.dumps(logs))])
def test_copies_and_pickles_answer_too(copied) -> None:
    logs = Logs(val_acc=[0.5])
    twin = copied(logs)
    assert type(twin) is Logs
    assert twin == logs
    assert twin is not logs
    assert twin["val_accuracy"] == [0.5]


def test_json_writes_the_recorded_names() -> None:
    assert json.loads(json.dumps(Logs(acc=[0.5]))) == {"acc": [0.5]}
