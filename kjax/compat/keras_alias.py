"""Importing this module makes `keras`, `tensorflow.keras` and `tensorflow` resolve to kjax.

`uninstall()` puts everything back. A second `import` does not run this file again: call `install()` then.
"""

from __future__ import annotations

from kjax.compat import alias, install, installed, uninstall

install()

__all__ = ["alias", "install", "installed", "uninstall"]
