"""`Model` and `Sequential`, and how they are copied, saved and loaded, where scripts import them from."""

from kjax.engine.input_layer import Input, InputLayer
from kjax.engine.sequential import Sequential
from kjax.engine.training import Model
from kjax.saving import (
    clone_model,
    load_model,
    model_from_config,
    model_from_json,
    model_from_yaml,
    save_model,
)
