"""The documentation is true: its programs run, its tables are complete, its links lead somewhere."""

from __future__ import annotations

import pathlib
import re
import sys
import urllib.parse
from collections.abc import Iterator

import matplotlib
import pytest

from kjax import compat
from kjax.legacy import convolutional, layers, models, preprocessing, recurrent, utils
from kjax.legacy._convert import Table

ROOT = pathlib.Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

# Names that a page of fragments takes for granted.
GIVEN = {
    "optimizers.md": """
import jax, jax.numpy as jnp, numpy as np, optax
from kjax import backend as K
from kjax.layers import Dense
from kjax.models import Sequential
from kjax.optimizers import SGD

model = Sequential([Dense(1, input_shape=(2,))])
params = {"kernel": jnp.ones((2, 1))}
x, y, rate = jnp.ones((3, 2)), jnp.zeros((3, 1)), 0.1

def loss(params, x, y):
    return jnp.mean(jnp.square(x @ params["kernel"] - y))

grads = jax.grad(loss)(params, x, y)
""",
}

_BLOCK = re.compile(r"(?P<skip><!-- no-run -->\n)?^```python\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")


def name(page: pathlib.Path) -> str:
    """A page's path from the root of the repository."""
    return str(page.relative_to(ROOT))


def blocks(page: pathlib.Path) -> Iterator[str]:
    """The programs of a page, each preceded by empty lines so that errors show the page's line numbers."""
    text = page.read_text(encoding="utf-8")
    for match in _BLOCK.finditer(text):
        if not match["skip"]:
            yield "\n" * text.count("\n", 0, match.start("code")) + match["code"]


@pytest.fixture
def as_found(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Runs in an empty folder, without windows, and takes the aliases away again."""
    monkeypatch.chdir(tmp_path)
    matplotlib.use("Agg")
    yield
    compat.uninstall()
    # A second import must install them again.
    sys.modules.pop("kjax.compat.keras_alias", None)


@pytest.mark.lenient
@pytest.mark.usefixtures("as_found")
@pytest.mark.parametrize("page", [page for page in PAGES if any(blocks(page))], ids=name)
def test_programs_run(page: pathlib.Path) -> None:
    names: dict[str, object] = {"__name__": "__main__"}
    exec(GIVEN.get(page.name, ""), names)
    for code in blocks(page):
        exec(compile(code, name(page), "exec"), names)


def test_programs_are_found() -> None:
    found = {name(page): len(list(blocks(page))) for page in PAGES}
    assert found["README.md"] >= 1
    assert found["docs/getting-started.md"] >= 7
    assert found["docs/optimizers.md"] >= 3


TABLES = {
    owner: table
    for module in (layers, models, convolutional, recurrent, utils, preprocessing)
    for owner, table in module.TABLES.items()
}


def rows(tables: dict[str, Table]) -> Iterator[str]:
    """How each row of the legacy tables begins in the page."""
    for owner, table in tables.items():
        for old, new in table.names.items():
            yield f"| `{owner}` | `{old}` | `{new}` |"
        for argument, values in table.values.items():
            for old, new in values.items():
                yield f"| `{owner}` | `{argument}={old!r}` | `{argument}={new!r}` |"
        for argument in table.removed:
            yield f"| `{owner}` | `{argument}` | ignored"
        for order in table.orders:
            yield f"| `{owner}` | in the order `({', '.join(order.names)})` |"


def listed() -> list[str]:
    """The rows of the page's tables of old arguments."""
    text = (ROOT / "docs" / "porting.md").read_text(encoding="utf-8")
    arguments = text.partition("## Old arguments")[2].partition("### Classes, functions and modules")[0]
    return [line for line in arguments.splitlines() if line.startswith("| `")]


def test_every_old_argument_is_in_the_page() -> None:
    missing = [row for row in rows(TABLES) if not any(line.startswith(row) for line in listed())]
    assert not missing, "\n".join(missing)


def test_the_page_names_no_argument_that_is_not_understood() -> None:
    known = list(rows(TABLES))
    # What a table's function rewrites has no row to compare with: one line of the page for each such table.
    free = [line for line in listed() if not any(line.startswith(row) for row in known)]
    owners = [line.split("`")[1] for line in free]
    assert sorted(owners) == sorted(owner for owner, table in TABLES.items() if table.rewrite)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: pathlib.Path) -> None:
    text = _FENCED.sub("", page.read_text(encoding="utf-8"))
    targets = [target for target in _LINK.findall(text) if not re.match(r"[a-z]+:|#", target)]
    paths = [page.parent / urllib.parse.unquote(target.partition("#")[0]) for target in targets]
    missing = [str(path) for path in paths if not path.exists()]
    assert not missing, missing


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    linked = {target.partition("#")[0] for target in _LINK.findall(index)}
    assert {page.name for page in (ROOT / "docs").glob("*.md")} - {"README.md"} <= linked
