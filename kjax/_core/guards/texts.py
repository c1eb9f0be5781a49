"""JSON and YAML from files and strings, with limits for their size and for how deep they are nested."""

from __future__ import annotations

import json
from typing import Any

from kjax._core.guards._budget import Refused, open_file

MAX_BYTES = 8 << 20
_MAX_DEPTH = 200
_MAX_ITEMS = 1_000_000


def read(path: Any, max_bytes: int = MAX_BYTES) -> bytes:
    """A small file whole.

    Raises:
        OSError: if it cannot be opened.
        Refused: if it has more than `max_bytes`.
    """
    with open_file(path) as file:
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise Refused(f"{path} has more than {max_bytes:,} bytes.")
    return data


def parse_json(text: str | bytes, source: str = "The JSON text", max_bytes: int = MAX_BYTES) -> Any:
    """The value of a JSON text.

    Arguments:
        text: the text, in UTF-8 if it is bytes.
        source: what error messages call it.
        max_bytes: how long it may be.

    Raises:
        Refused: if it is too long, too deep, or no JSON.
    """
    _check_length(text, source, max_bytes)
    try:
        value = json.loads(text)
    except RecursionError:
        raise _too_deep(source) from None
    except (ValueError, MemoryError) as error:
        raise Refused(f"{source} is not JSON: {error}.") from error
    _check_tree(value, source)
    return value


def parse_yaml(text: str | bytes, source: str = "The YAML text", max_bytes: int = MAX_BYTES // 8) -> Any:
    """The value of a YAML text. Of the tags that name Python types only tuples and texts are understood.

    Raises:
        ImportError: without PyYAML.
        Refused: if it is too long, too deep, names anything else, or is no YAML.
    """
    import yaml

    _check_length(text, source, max_bytes)

    class Loader(yaml.SafeLoader):
        """Plain values, and the tuples that Keras wrote."""

        def flatten_mapping(self, node: Any) -> None:
            # A short text can merge long mappings many times, and they are copied before anything could count them.
            if any(key.tag == "tag:yaml.org,2002:merge" for key, _ in node.value):
                raise yaml.YAMLError("it merges mappings (`<<`), which no Keras writes")

    def as_tuple(loader: Any, node: Any) -> tuple[Any, ...]:
        return tuple(loader.construct_sequence(node, deep=True))

    # What PyYAML writes of tuples, and of the texts and numbers of Python 2.
    made: dict[str, Any] = {
        "tuple": as_tuple,
        "unicode": yaml.SafeLoader.construct_yaml_str,
        "str": yaml.SafeLoader.construct_yaml_str,
        "long": yaml.SafeLoader.construct_yaml_int,
        "int": yaml.SafeLoader.construct_yaml_int,
    }
    for name, constructor in made.items():
        Loader.add_constructor(f"tag:yaml.org,2002:python/{name}", constructor)
    try:
        value = yaml.load(text, Loader)
    except RecursionError:
        raise _too_deep(source) from None
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, KeyError, IndexError, MemoryError) as error:
        raise Refused(f"{source} is not YAML of plain values: {' '.join(str(error).split())[:300]}") from error
    _check_tree(value, source)
    return value


def _check_length(text: str | bytes, source: str, max_bytes: int) -> None:
    if not isinstance(text, (str, bytes)):
        raise TypeError(f"{source} must be a str or bytes. Found: {type(text).__name__}")
    if len(text) > max_bytes:
        raise Refused(f"{source} has {len(text):,} characters, more than {max_bytes:,}.")


def _too_deep(source: str) -> Refused:
    return Refused(f"{source} is nested more than {_MAX_DEPTH} levels deep.")


def _check_tree(value: Any, source: str) -> None:
    """Depth, and the number of items as a reader meets them: YAML can name one list many times."""
    level: list[Any] = [value]
    items = 0
    for _ in range(_MAX_DEPTH):
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item.values())
            elif isinstance(item, (list, tuple, set)):
                below.extend(item)
            if items + len(below) > _MAX_ITEMS:
                raise Refused(f"{source} holds more than {_MAX_ITEMS:,} entries.")
        if not below:
            return
        items += len(below)
        level = below
    raise _too_deep(source)
