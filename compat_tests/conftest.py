"""Strictness and isolation for every test.

Users may mix ranks and dtypes freely. kjax itself must not do it by accident, so that inside the tests JAX
raises; `@pytest.mark.lenient` lifts that for tests that run users' scripts or other libraries.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator

# The recorded numbers are of a CPU, and an accelerator multiplies float32 matrices in lower precision.
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("KERAS_BACKEND", "jax")
# A third of the suite's time was LLVM's. Programs are small here, so they are compiled quickly, also in the processes
# that tests start; tests that are marked `optimized` have them as users do.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
# Each run starts with an empty home folder, so that neither caches nor settings of the user decide a result.
if "KJAX_HOME" not in os.environ:
    os.environ["KJAX_HOME"] = tempfile.mkdtemp(prefix="kjax-tests-")
    atexit.register(shutil.rmtree, os.environ["KJAX_HOME"], ignore_errors=True)

import jax
import numpy as np
import pytest


@pytest.fixture(autouse=True)
def strict_promotion(request: pytest.FixtureRequest) -> Iterator[None]:
    """Makes implicit promotion of ranks and dtypes an error, also on the engine's own threads."""
    if request.node.get_closest_marker("lenient"):
        yield
        return
    strict = {"jax_numpy_rank_promotion": "raise", "jax_numpy_dtype_promotion": "strict"}
    before = {name: getattr(jax.config, name) for name in strict}
    for name, value in strict.items():
        jax.config.update(name, value)
    yield
    for name, value in before.items():
        jax.config.update(name, value)


@pytest.fixture(autouse=True)
def optimized(request: pytest.FixtureRequest) -> Iterator[None]:
    """Compiles as users do, where a test asks for it."""
    if request.node.get_closest_marker("optimized") is None:
        yield
        return
    before = jax.config.read("jax_disable_most_optimizations")
    jax.config.update("jax_disable_most_optimizations", False)
    yield
    jax.config.update("jax_disable_most_optimizations", before)


@pytest.fixture(autouse=True)
def fresh_start() -> None:
    """Seeds numpy, and forgets names given so far: the first Dense of each test is `dense_1`."""
    np.random.seed(0)
    # Without the backend loaded, nothing has been named.
    if "kjax.backend" in sys.modules:
        sys.modules["kjax.backend"].clear_session()
