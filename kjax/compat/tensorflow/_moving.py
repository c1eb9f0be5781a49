"""`moving_averages.assign_moving_average`, which layers that normalize took from inside of TensorFlow."""

from __future__ import annotations

from typing import Any

from kjax import backend as K


def assign_moving_average(variable: Any, value: Any, decay: Any, zero_debias: bool = True, name: Any = None) -> Any:
    """`decay * variable + (1 - decay) * value`, written to the variable; an average is not corrected for its start."""
    return K.moving_average_update(variable, value, decay)


__all__ = ["assign_moving_average"]
