"""Training on batches that several workers prepare: order, equality, failures, ends of epochs, processes."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
import pytest

from compat_tests.feeding_helper import Failing, Killed, Printing, Regression
from compat_tests.fit_helper import linear, same_bits
from kjax import callbacks
from kjax._core import child, workers
from kjax.layers import Dense, Dropout
from kjax.models import Sequential

ROOT = pathlib.Path(__file__).parents[1]


def trained(source: Any = None, epochs: int = 3, dropout: bool = False, **how: Any) -> list[np.ndarray]:
    """The weights after training on a Sequence, from the same seed each time."""
    np.random.seed(4)
    model = linear()
    if dropout:
        model = Sequential([Dense(8, input_dim=3), Dropout(0.5), Dense(1)])
        model.compile("sgd", "mse")
    model.fit_generator(Regression() if source is None else source, epochs=epochs, verbose=0, **how)
    return model.get_weights()


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize(
    "how", [{"workers": 4}, {"workers": 0}, {"workers": 3, "max_queue_size": 1}, {"workers": 2, "max_queue_size": 100}]
)
def test_the_number_of_workers_changes_no_bit(shuffle: bool, how: dict[str, Any]) -> None:
    source = Regression()
    assert same_bits(trained(shuffle=shuffle), trained(source, shuffle=shuffle, **how))
    assert source.threads <= ({"MainThread"} if how["workers"] == 0 else {"kjax-feed"})


def test_processes_change_no_bit_either() -> None:
    source = Regression()
    one = trained(dropout=True)
    assert same_bits(one, trained(source, dropout=True, workers=2, use_multiprocessing=True))
    assert source.asked == []  # by this process
    assert same_bits(one, trained(dropout=True, workers=4))


def test_fit_and_fit_generator_are_the_same() -> None:
    np.random.seed(4)
    model = linear()
    model.fit(Regression(), epochs=3, verbose=0, workers=2)
    assert same_bits(trained(), model.get_weights())


def test_each_epoch_shuffles_the_order_of_the_one_before() -> None:
    source, model = Regression(), linear()
    np.random.seed(9)
    model.fit_generator(source, epochs=3, verbose=0, workers=1)
    np.random.seed(9)
    np.random.randint(2**31 - 1)  # the seed of the training programs
    order, wanted = list(range(6)), []
    for _ in range(3):
        np.random.shuffle(order)
        wanted += order
    assert source.asked == wanted


def test_no_more_batches_are_asked_for_than_are_used() -> None:
    source = Regression()
    model = linear()
    model.fit_generator(source, epochs=2, verbose=0, workers=4, shuffle=False)
    assert sorted(source.asked) == sorted([*range(6)] * 2)
    batches = iter([(np.full((1, 3), i), np.zeros((1, 1))) for i in range(6)])
    model.evaluate_generator(batches, 2)
    assert [round(float(x[0, 0])) for x, _ in batches] == [2, 3, 4, 5]


class Ends(Regression):
    """Notes how many batches the model had been trained on at the end of each epoch of the source."""

    def __init__(self, model: Any, length: int = 6) -> None:
        super().__init__(length)
        self.model, self.seen = model, []

    def on_epoch_end(self) -> None:
        self.seen.append((int(self.model.optimizer.iterations), threading.current_thread().name))


def test_the_sequence_is_told_after_each_epoch_before_the_next_begins() -> None:
    model = linear()
    source = Ends(model)
    model.fit_generator(source, epochs=3, verbose=0, workers=3)
    assert source.seen == [(6, "MainThread"), (12, "MainThread"), (18, "MainThread")]
    source = Ends(model)
    before = int(model.optimizer.iterations)
    model.fit_generator(source, steps_per_epoch=4, epochs=3, verbose=0, workers=3)  # 12 batches: two passes of six
    assert [number - before for number, _ in source.seen] == [6, 12]
    source = Ends(model)
    model.evaluate_generator(source)
    model.predict_generator(Ends(model))
    assert len(source.seen) == 1


class Shrinks(Ends):
    """Has one batch less after each pass."""

    def on_epoch_end(self) -> None:
        super().on_epoch_end()
        self.length -= 1


class Lengths(callbacks.Callback):
    """Notes how many batches an epoch was said to have, and had."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[int] = []
        self.had: list[int] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.said.append(self.params["steps"])
        self.had.append(0)

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        self.had[-1] += 1


@pytest.mark.parametrize("workers", [0, 2])
def test_a_sequence_is_asked_for_its_length_in_each_epoch(workers: int) -> None:
    model, noted = linear(), Lengths()
    source = Shrinks(model, 4)
    model.fit_generator(source, epochs=3, verbose=0, workers=workers, callbacks=[noted])
    assert noted.said == noted.had == [4, 3, 2]
    assert [count for count, _ in source.seen] == [4, 7, 9]
    with pytest.raises(ValueError, match="became empty"):
        model.fit_generator(source, epochs=9, verbose=0, workers=workers)


def test_validation_continues_where_the_generator_was() -> None:
    taken = []

    def batches() -> Iterator[Any]:
        for i in range(1000):
            taken.append(i)
            yield np.full((1, 3), i, "float32"), np.zeros((1, 1), "float32")

    model = linear()
    history = model.fit_generator(
        Regression(), epochs=3, validation_data=batches(), validation_steps=2, verbose=0, workers=2
    )
    assert taken == list(range(6))
    assert len(history.history["val_loss"]) == 3
    source = Ends(model)
    model.fit(np.zeros((4, 3)), np.zeros((4, 1)), epochs=2, validation_data=source, verbose=0, workers=2)
    assert len(source.seen) == 2
    assert sorted(source.asked) == sorted([*range(6)] * 2)


def test_batches_are_on_the_device_before_they_are_used() -> None:
    model = linear()
    _, trainer = model._ready()
    kinds = []
    original = trainer.one_batch

    def one_batch(batch: Any, *rest: Any) -> Any:
        kinds.extend(type(array) for array in jax.tree.leaves(batch))
        return original(batch, *rest)

    trainer.one_batch = one_batch  # type: ignore[method-assign]
    model.fit_generator(Regression(), epochs=1, verbose=0)
    assert len(kinds) == 12
    assert all(issubclass(kind, jax.Array) for kind in kinds)


def test_batches_are_prepared_while_the_model_trains() -> None:
    source, ready = Regression(), []

    class Slow(callbacks.Callback):
        def on_batch_end(self, batch: int, logs: Any = None) -> None:
            time.sleep(0.05)
            ready.append(len(source.asked) - batch - 1)

    linear().fit_generator(source, epochs=1, verbose=0, workers=2, max_queue_size=3, callbacks=[Slow()])
    assert max(ready) >= 3


def test_stopping_early_stops_the_workers() -> None:
    class Stop(callbacks.Callback):
        model: Any

        def on_batch_end(self, batch: int, logs: Any = None) -> None:
            self.model.stop_training = True

    source = Regression(length=1000)
    linear().fit_generator(source, epochs=2, verbose=0, workers=3, callbacks=[Stop()])
    assert len(source.asked) <= 20
    assert not [thread for thread in threading.enumerate() if thread.name == "kjax-feed"]


RUNS = {
    "fit": lambda m, s, **k: m.fit(s, verbose=0, **k),
    "fit_generator": lambda m, s, **k: m.fit_generator(s, verbose=0, **k),
    "evaluate": lambda m, s, **k: m.evaluate_generator(s, **k),
    "predict": lambda m, s, **k: m.predict_generator(s, **k),
    "validation": lambda m, s, **k: m.fit_generator(Regression(), validation_data=s, verbose=0, **k),
}


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("threads", [0, 4])
def test_what_a_worker_raises_reaches_the_caller(name: str, threads: int) -> None:
    model = linear()
    with pytest.raises(KeyError, match=r"photo_3\.png"):
        RUNS[name](model, Failing(), workers=threads)
    assert not [thread for thread in threading.enumerate() if thread.name == "kjax-feed"]
    assert np.isfinite(model.evaluate(np.zeros((2, 3)), np.zeros((2, 1)), verbose=0))


def test_a_process_that_is_killed_is_told_of_promptly() -> None:
    began = time.monotonic()
    with pytest.raises(RuntimeError, match=r"worker process died when it prepared batch 3: it ended by signal SIGKILL"):
        linear().fit_generator(Killed(), verbose=0, shuffle=False, workers=2, use_multiprocessing=True)
    assert time.monotonic() - began < 30
    with pytest.raises(KeyError, match=r"photo_3\.png"):
        linear().fit_generator(Failing(), verbose=0, workers=1, use_multiprocessing=True)


def test_garbage_is_told_of_in_its_turn() -> None:
    class Garbage(Regression):
        def __getitem__(self, index: int) -> Any:
            return None if index == 2 else super().__getitem__(index)

    model, seen = linear(), []
    count = callbacks.LambdaCallback(on_batch_end=lambda batch, logs: seen.append(batch))
    with pytest.raises(ValueError, match=r"should be a tuple .* Found: NoneType None"):
        model.fit_generator(Garbage(), verbose=0, shuffle=False, workers=4, callbacks=[count])
    assert seen == [0, 1]


def test_a_generator_that_stalls_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "STALL_S", 0.3)

    def stalls() -> Iterator[Any]:
        yield Regression()[0]
        time.sleep(0.8)
        yield Regression()[1]

    with pytest.warns(UserWarning, match=r"input 1 could not be retrieved for 0\.3 s, and is still waited for"):
        linear().fit_generator(stalls(), steps_per_epoch=2, verbose=0)


def test_the_same_generator_serves_one_call_after_the_other() -> None:
    def endless() -> Iterator[Any]:
        while True:
            time.sleep(0.002)
            yield Regression()[0]

    source, model = endless(), linear()
    for _ in range(5):
        model.fit_generator(source, steps_per_epoch=3, epochs=2, verbose=0, workers=3)
        model.evaluate_generator(source, 2)
        model.predict_generator(source, 2)


GUARDED = """
import numpy as np
from kjax.layers import Dense
from kjax.models import Sequential
from kjax.utils import Sequence
import os
{imports}

class Mine(Sequence):
    def __len__(self): return 4
    def __getitem__(self, i): return np.full((2, 1), os.getpid() % 97), np.zeros((2, 1))

{guard}
    model = Sequential([Dense(1, input_dim=1, kernel_initializer="ones")])
    model.compile("sgd", "mse")
    found = model.predict_generator({made}, workers=2, use_multiprocessing=True).ravel()
    print("others" if os.getpid() % 97 not in found else "own", len(found))
"""


def script(tmp_path: pathlib.Path, *command: str, **parts: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "script.py").write_text(GUARDED.format(**{"imports": "", "made": "Mine()", **parts}))
    return subprocess.run(
        [sys.executable, *command, str(tmp_path / "script.py")],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip


def test_a_script_whose_training_is_guarded_uses_processes(tmp_path: pathlib.Path) -> None:
    done = script(tmp_path, guard='if __name__ == "__main__":')
    assert (done.stdout, done.stderr) == ("others 8\n", "")


def test_a_script_without_guard_is_not_run_again(tmp_path: pathlib.Path) -> None:
    done = script(tmp_path, guard="if True:")
    assert done.stdout == "own 8\n"
    assert "which another process would have to run again" in done.stderr
    assert "Threads of this process are used instead" in done.stderr


def test_a_script_that_trains_beside_its_guard_is_not_run_again(tmp_path: pathlib.Path) -> None:
    done = script(tmp_path, guard='if __name__ == "__main__":\n    pass\nif True:')
    assert done.stdout == "own 8\n"
    assert "which another process would have to run again" in done.stderr


def test_worker_processes_start_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "_importing", True)
    with pytest.raises(RuntimeError, match="the script trains while it is imported"):
        linear().fit_generator(Regression(), verbose=0, use_multiprocessing=True)


def test_a_class_of_a_module_needs_no_guard_under_the_aliases(tmp_path: pathlib.Path) -> None:
    (tmp_path / "sources.py").write_text(
        "import os\nimport numpy as np\nfrom keras.utils import Sequence\n"
        "class Theirs(Sequence):\n    def __len__(self): return 4\n"
        "    def __getitem__(self, i): return np.full((2, 1), os.getpid() % 97), np.zeros((2, 1))\n"
    )
    done = script(
        tmp_path, "-m", "kjax", "run", imports="from sources import Theirs", made="Theirs()", guard="if True:"
    )
    assert (done.stdout, done.stderr) == ("others 8\n", "")


def test_what_workers_print_goes_to_the_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    linear().predict_generator(Printing(), workers=1, use_multiprocessing=True)
    out, err = capfd.readouterr()
    assert out == ""
    assert err.split("\n")[:-1] == [f"batch {i}" for i in range(6)]
