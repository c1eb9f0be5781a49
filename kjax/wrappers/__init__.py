"""Models as estimators of other libraries."""

from __future__ import annotations

from kjax.wrappers import scikit_learn
