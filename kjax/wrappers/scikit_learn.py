"""Models as estimators of scikit-learn: for its grid searches, cross validations and pipelines.

scikit-learn itself is imported by nobody but itself: it asks these classes for what they are.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from kjax._core import aliases, arguments
from kjax._core.arguments import accepts_old_names
from kjax.models import Sequential
from kjax.utils.generic_utils import has_arg, to_list
from kjax.utils.np_utils import to_categorical


class BaseWrapper:
    """Base of the estimators. Use `KerasClassifier` or `KerasRegressor`.

    `build_fn` makes and compiles a model: a function, an object that can be called, or, if it is None, the method
    `__call__` of a subclass. Its arguments, and those of the model's `fit`, `predict` and `evaluate`, are the
    estimator's parameters: each is given to the functions that have an argument of its name.

    Arguments:
        build_fn: makes a compiled model.
        **sk_params: values of parameters, such as `epochs=10`.

    Attributes:
        model: the model, once `fit` has made it.

    Raises:
        ValueError: for a parameter that none of these functions has.
    """

    _estimator_type = ""

    @accepts_old_names("BaseWrapper")
    def __init__(self, build_fn: Callable[..., Any] | None = None, **sk_params: Any) -> None:
        self.build_fn = build_fn
        self.sk_params = sk_params
        self.check_params(sk_params)

    def _builder(self) -> Callable[..., Any]:
        return self.__call__ if self.build_fn is None else self.build_fn  # type: ignore[attr-defined]  # a subclass's

    def check_params(self, params: Mapping[str, Any]) -> None:
        """Check that each parameter is an argument of a function that would get it.

        Raises:
            ValueError: naming one that is not.
        """
        legal = [Sequential.fit, Sequential.predict, Sequential.predict_classes, Sequential.evaluate, self._builder()]
        for name in params:
            if not any(has_arg(function, name) for function in legal):
                raise ValueError(
                    f"{name} is not a legal parameter: neither `build_fn` nor the model's `fit`, `predict` and "
                    "`evaluate` have an argument of this name."
                )

    def get_params(self, **params: Any) -> dict[str, Any]:
        """The parameters by name, `build_fn` included."""
        # The values themselves: `clone` looks whether the constructor kept what it was given.
        return {**self.sk_params, "build_fn": self.build_fn}

    @accepts_old_names("BaseWrapper.set_params")
    def set_params(self, **params: Any) -> BaseWrapper:
        """Set parameters.

        Raises:
            ValueError: for one that is not known.
        """
        if "build_fn" in params:
            self.build_fn = params.pop("build_fn")
        self.check_params(params)
        self.sk_params.update(params)
        return self

    def fit(self, x: Any, y: Any, **kwargs: Any) -> Any:
        """Make the model anew and train it. Returns the history.

        Arguments:
            x: samples.
            y: targets; class numbers become one-hot vectors for a categorical crossentropy.
            **kwargs: arguments of the model's `fit`.
        """
        builder = self._builder()
        self.model: Any = builder(**self.filter_sk_params(builder))
        arguments = copy.deepcopy(self.filter_sk_params(Sequential.fit))
        return self.model.fit(x, self._targets(y), **{**arguments, **kwargs})

    def _targets(self, y: Any) -> Any:
        loss = self.model.loss
        name = loss if isinstance(loss, str) else getattr(loss, "__name__", getattr(loss, "name", ""))
        one_hot = np.ndim(y) == 2 and np.shape(y)[1] > 1
        return to_categorical(y) if name == "categorical_crossentropy" and not one_hot else y

    def filter_sk_params(self, fn: Callable[..., Any], override: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The parameters that a function takes, with those of `override` in their place or beside them."""
        return {**{name: value for name, value in self.sk_params.items() if has_arg(fn, name)}, **(override or {})}

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model")

    def __sklearn_tags__(self) -> Any:
        # Called by scikit-learn 1.6 and later alone.
        from sklearn.utils import ClassifierTags, RegressorTags, Tags, TargetTags

        classifies = self._estimator_type == "classifier"
        return Tags(
            estimator_type=self._estimator_type or None,
            target_tags=TargetTags(required=True),
            transformer_tags=None,
            classifier_tags=ClassifierTags() if classifies else None,
            regressor_tags=RegressorTags() if self._estimator_type == "regressor" else None,
        )

    def __reduce__(self) -> Any:
        return _restored, (_Aliases(aliases.installed()), type(self), self.__dict__)


class _Aliases:
    """Unpickled before the estimator, makes `keras` mean kjax there too if it does here."""

    def __init__(self, installed: bool) -> None:
        self.installed = installed

    def __reduce__(self) -> Any:
        return aliases.install, (self.installed,)


def _restored(_: Any, cls: type[BaseWrapper], state: Mapping[str, Any]) -> BaseWrapper:
    wrapper = cls.__new__(cls)
    wrapper.__dict__.update(state)
    return wrapper


class KerasClassifier(BaseWrapper):
    """A model that classifies, as an estimator of scikit-learn. Arguments and parameters as in `BaseWrapper`.

    Attributes:
        classes_: the labels, in the order of the model's outputs.
        n_classes_: their number.
    """

    _estimator_type = "classifier"

    def fit(self, x: Any, y: Any, sample_weight: Any = None, **kwargs: Any) -> Any:
        """Make the model anew and train it. Returns the history.

        Arguments:
            x: samples.
            y: labels `(n,)` or `(n, 1)` of any kind, or one-hot vectors `(n, classes)`.
            sample_weight: weights of the samples.
            **kwargs: arguments of the model's `fit`.

        Raises:
            ValueError: for targets of another shape.
        """
        y = np.array(y)
        if y.ndim == 2 and y.shape[1] > 1:
            self.classes_ = np.arange(y.shape[1])
        elif y.ndim == 1 or (y.ndim == 2 and y.shape[1] == 1):
            self.classes_ = np.unique(y)
            y = np.searchsorted(self.classes_, y)
        else:
            raise ValueError(f"Invalid shape for y: {y.shape}. Labels (n,) or one-hot vectors (n, classes) fit.")
        self.n_classes_ = len(self.classes_)
        if sample_weight is not None:
            kwargs["sample_weight"] = sample_weight
        return super().fit(x, y, **kwargs)

    def predict(self, x: Any, **kwargs: Any) -> np.ndarray:
        """The labels of samples: `(n,)`, or `(n, 1)` from a model with one output, as in Keras."""
        scores = self.model.predict(x, **self.filter_sk_params(Sequential.predict_classes, kwargs))
        classes = scores.argmax(axis=-1) if scores.shape[-1] > 1 else (scores > 0.5).astype("int32")
        return self.classes_[classes]

    def predict_proba(self, x: Any, **kwargs: Any) -> np.ndarray:
        """The probability of each class, `(n, classes)`."""
        scores = self.model.predict(x, **self.filter_sk_params(Sequential.predict_classes, kwargs))
        return np.hstack([1 - scores, scores]) if scores.shape[1] == 1 else scores

    def score(self, x: Any, y: Any, **kwargs: Any) -> float:
        """The accuracy.

        Raises:
            ValueError: if the model was compiled without it.
        """
        arguments = self.filter_sk_params(Sequential.evaluate, kwargs)
        y = self._targets(np.searchsorted(self.classes_, y))
        values = to_list(self.model.evaluate(x, y, **arguments))
        for name, value in zip(self.model.metrics_names, values, strict=True):
            if name in ("acc", "accuracy"):
                return float(value)
        raise ValueError(
            'The model is not configured to compute accuracy. You should pass `metrics=["accuracy"]` to the '
            "`model.compile()` method."
        )


class KerasRegressor(BaseWrapper):
    """A model that predicts numbers, as an estimator of scikit-learn. Arguments and parameters as in `BaseWrapper`."""

    _estimator_type = "regressor"

    def predict(self, x: Any, **kwargs: Any) -> np.ndarray:
        """The numbers predicted: `(n,)` from a model with one output."""
        if len(x):
            values = self.model.predict(x, **self.filter_sk_params(Sequential.predict, kwargs))
        else:
            values = np.zeros((0, *self.model.output_shape[1:]))
        return np.squeeze(values, axis=-1) if values.shape[-1] == 1 else values

    def score(self, x: Any, y: Any, **kwargs: Any) -> float:
        """The loss with its sign reversed, so that more is better."""
        return -float(to_list(self.model.evaluate(x, y, **self.filter_sk_params(Sequential.evaluate, kwargs)))[0])


arguments.loaded(__name__)
