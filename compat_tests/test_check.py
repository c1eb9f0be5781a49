"""`kjax check` finds what kjax lacks, what it translates, and nothing where all is there."""

from __future__ import annotations

import json
import pathlib

import pytest

from compat_tests import golden
from kjax import cli
from kjax._check import check_source
from kjax._check._findings import MISSING, NOTE, TRANSLATED

HEAD = """import keras
from keras.models import Sequential
from keras.layers import Dense, LSTM, Convolution2D, Activation
"""


def told(source: str, kind: str) -> list[tuple[int, str]]:
    """Line and name of what is found; lines are counted from 1 at the first line of `source`."""
    report = check_source(source)
    assert report.problem is None, report.problem
    return [(finding.line, finding.name) for finding in report.of(kind)]


MISSING_CASES = {
    "from keras.layers.core import Dense, Nowhere": "keras.layers.core.Nowhere",
    "import keras.layers.nowhere": "keras.layers.nowhere",
    "from keras.nowhere import *": "keras.nowhere",
    "import keras\nkeras.layers.Nowhere(3)": "keras.layers.Nowhere",
    "import tensorflow as tf\ntf.keras.layers.Nowhere(3)": "tensorflow.keras.layers.Nowhere",
    "import tensorflow as tf\ntf.nowhere()": "tensorflow.nowhere",
    "from tensorflow.python.keras.models import Nowhere": "tensorflow.python.keras.models.Nowhere",
    "from keras import backend as K\nK.mean(x, keepdim=True)": "mean(keepdim=)",
    "from keras.layers import *\nl2(0.1)": "l2",
    HEAD + "Dense(3, actvation='relu')": "Dense(actvation=)",
    HEAD + "Dense()": "Dense(units)",
    HEAD + "LSTM(3, initializer='one')": "LSTM(initializer=)",
    HEAD + "Activation('reluu')": "activation='reluu'",
    HEAD + "Dense(3, init='nowhere')": "kernel_initializer='nowhere'",
    HEAD + "name = 'nowhere'\nDense(3, activation=name)": "activation='nowhere'",
    HEAD + "keras.optimizers.Adam(lr=1, momentum=2)": "Adam(momentum=)",
    HEAD + "Sequential().compile('sgd', 'mse', metrics=['acc', 'f1'])": "metrics='f1'",
    HEAD + "model = Sequential()\nmodel.sumary()": "Sequential.sumary",
    HEAD + "model = Sequential()\nmodel.fit(x, y, verbos=1)": "Sequential.fit(verbos=)",
    HEAD + "def f(model):\n  model.fit(x, y, epochs=3, verbos=1)": "Model.fit(verbos=)",
    HEAD + "def f():\n  m = Sequential()\n  return m\nf().sumary()": "Sequential.sumary",
    "from keras.callbacks import EarlyStopping as E\nE(patience=1, patients=2)": "EarlyStopping(patients=)",
    "from keras.callbacks import Callback\nclass Mine(Callback):\n  def on_epoch_end(self, epoch, logs):\n"
    "    self.set_modl(3)": None,
    "from keras.models import Model\nclass A(Model):\n  def go(self):\n    self.fit(x, verbos=3)": "Model.fit(verbos=)",
}


@pytest.mark.parametrize("source", MISSING_CASES)
def test_what_is_missing_is_told_at_its_line(source: str) -> None:
    name = MISSING_CASES[source]
    assert told(source, MISSING) == ([] if name is None else [(source.count("\n") + 1, name)])


TRANSLATED_CASES = {
    "Dense(output_dim=3, init='uniform')": (
        "Dense(init=, output_dim=)",
        "init -> kernel_initializer, output_dim -> units",
    ),
    "n = 8\nConvolution2D(n, 3, 3, border_mode='same')": (
        "Convolution2D(border_mode=)",
        "-> Convolution2D(8, (3, 3), padding='same')",
    ),
    "LSTM(n, inner_init='one')": ("LSTM(inner_init=)", "inner_init -> recurrent_initializer"),
    "keras.layers.BatchNormalization(mode=0)": ("BatchNormalization(mode=)", "mode has no effect"),
    "model.fit_generator(f(), samples_per_epoch=10, nb_epoch=3)": (
        "Model.fit_generator(nb_epoch=, samples_per_epoch=)",
        "nb_epoch -> epochs, samples_per_epoch -> steps_per_epoch",
    ),
    "keras.models.Model(input=a, output=b)": ("Model(input=, output=)", "input -> inputs, output -> outputs"),
}


@pytest.mark.parametrize("call", TRANSLATED_CASES)
def test_what_is_translated_is_told_in_todays_spelling(call: str) -> None:
    report = check_source(HEAD + call)
    assert report.of(MISSING) == []
    (finding,) = report.of(TRANSLATED)
    assert (finding.name, finding.message) == TRANSLATED_CASES[call]


FINE = """
import os, tensorflow as tf
from keras import backend as K
from keras.utils import np_utils
from keras.utils.generic_utils import get_custom_objects
try:
    from keras.layers.core import Merged
except ImportError:
    from keras.layers import Dense as Merged
try:
    from keras.layers import Flatten
except ImportError:
    from keras.nowhere import Flatten
get_custom_objects().update({'swish': Activation(lambda x: x * K.sigmoid(x))})

class Scale(keras.layers.Layer):
    def build(self, input_shape):
        self.w = self.add_weight('w', (3,), initializer='ones')
        self.built = True
    def call(self, x):
        return x * self.w

def net(units=3, **more):
    model = Sequential([Dense(units, input_dim=4, activation='swish', **more), Scale()])
    model.compile(loss={'a': 'mse'}, optimizer=keras.optimizers.SGD(lr=0.1, clipnorm=1.0), metrics=['acc', mine])
    return model

def mine(y_true, y_pred):
    return K.mean(y_true, axis=-1)

model = net()
history = model.fit(x, y, epochs=3, validation_data=(x, y), **settings)
print(history.history['acc'], model.optimizer.lr, model.layers[0].kernel, model.stop_training)
model.mine = 3
print(model.mine, tf.keras.layers.Dense(3).name)
classifier.fit(x, y)
pattern.compile('x')
"""


def test_nothing_is_told_where_all_is_there() -> None:
    report = check_source(HEAD + FINE)
    assert [*report.of(MISSING), *report.of(TRANSLATED), *report.of(NOTE)] == []


def test_recorded_sources_have_all_they_need() -> None:
    """Every one of these runs in kjax, so that whatever is told missing would be wrong."""
    sources = {
        name: f"{case.head}\n{case.meta['build']}\n{case.meta['compile']}"
        for group in golden.GROUPS
        for name, case in golden.load(group).items()
        if "build" in case.meta
    }
    assert len(sources) > 150
    wrong = {name: found for name, source in sources.items() if (found := told(source, MISSING))}
    assert not wrong


def test_a_text_of_no_python_is_told_with_its_line(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "broken.py"
    path.write_text("import keras\nprint 'loss', = 3\n")
    assert cli.main(["check", str(path)]) == 2
    said = capsys.readouterr().out
    assert f"{path}:2:" in said
    assert "cannot be parsed as Python 3" in said


def test_absent_packages_and_python_2_are_notes() -> None:
    assert told("import nowhere_to_be_found\nfor i in xrange(3):\n  pass", NOTE) == [
        (1, "Python 2"),
        (1, "nowhere_to_be_found"),
    ]


def test_exit_codes_and_text(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = tmp_path / "good.py", tmp_path / "bad.py"
    good.write_text("import bad\nfrom keras.layers import Dense\nDense(output_dim=3)\n")
    bad.write_text("import keras\nkeras.Nowhere\nkeras.Nowhere\n")
    assert cli.main(["check", str(good)]) == 0
    assert capsys.readouterr().out == (
        f"{good}: kjax has all that it uses, 1 older spelling understood\n"
        "  line 3  translated  Dense(output_dim=): output_dim -> units\n"
    )
    assert cli.main(["check", str(good), str(bad)]) == 1
    assert capsys.readouterr().out.endswith(
        f"{bad}: 1 thing that kjax does not have\n  lines 2, 3  missing     there is no `keras.Nowhere`\n"
    )
    assert cli.main(["check", str(tmp_path / "absent.py")]) == 2


def test_json(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.py"
    path.write_text("from keras.layers import Dense\nDense(output_dim=3, foo=2)\n")
    assert cli.main(["check", str(path), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told == {
        "exit_code": 1,
        "files": [
            {
                "path": str(path),
                "problem": None,
                "missing": [
                    {"line": 2, "column": 1, "name": "Dense(foo=)", "message": "`Dense` has no argument `foo`"}
                ],
                "translated": [
                    {"line": 2, "column": 1, "name": "Dense(output_dim=)", "message": "output_dim -> units"}
                ],
                "notes": [],
            }
        ],
    }


def test_the_script_is_not_run(tmp_path: pathlib.Path) -> None:
    (tmp_path / "beside.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    path = tmp_path / "a.py"
    path.write_text(f"import beside\nopen({str(tmp_path / 'ran')!r}, 'w')\n")
    assert cli.main(["check", str(path)]) == 0
    assert not (tmp_path / "ran").exists()
