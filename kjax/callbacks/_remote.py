"""`RemoteMonitor`: the metrics of each epoch, sent to a server."""

from __future__ import annotations

import json
import urllib.parse
import warnings
from typing import Any

import numpy as np

from kjax.callbacks._base import Callback

# Seconds after which a server that does not answer is given up: training must go on.
_PATIENCE_S = 10.0


class RemoteMonitor(Callback):
    """Posts the number and the metrics of each epoch to a server, as JSON.

    What cannot be reached is warned of, and the training goes on.

    Arguments:
        root: address of the server (http or https).
        path: path on it.
        field: name of the form's field that holds the JSON, unless `send_as_json`.
        headers: dictionary of further HTTP headers, or None.
        send_as_json: whether the JSON is the body of the request itself, as `application/json`.

    Raises:
        ValueError: if `root` is no address of http or https.
    """

    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: dict[str, str] | None = None,
        send_as_json: bool = False,
    ) -> None:
        super().__init__()
        if urllib.parse.urlsplit(root).scheme not in ("http", "https"):
            raise ValueError(f"`root` must be the address of a server, `http://...` or `https://...`. Found: {root!r}")
        self.root = root
        self.path = path
        self.field = field
        self.headers = headers
        self.send_as_json = send_as_json

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        import http.client
        import urllib.parse
        import urllib.request

        text = json.dumps({"epoch": epoch, **{name: _plain(value) for name, value in (logs or {}).items()}})
        kind = "application/json" if self.send_as_json else "application/x-www-form-urlencoded"
        body = text if self.send_as_json else urllib.parse.urlencode({self.field: text})
        request = urllib.request.Request(
            self.root + self.path, body.encode(), {"Content-Type": kind, **(self.headers or {})}
        )
        try:
            with urllib.request.urlopen(request, timeout=_PATIENCE_S):
                pass
        except (OSError, http.client.HTTPException) as error:
            warnings.warn(
                f"Could not reach RemoteMonitor root server at {self.root}: {getattr(error, 'reason', error)}",
                stacklevel=2,
            )


def _plain(value: Any) -> Any:
    """A metric as JSON knows it: a number, or a list of them."""
    return value.tolist() if isinstance(value, (np.generic, np.ndarray)) else value
