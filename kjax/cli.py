"""The command `kjax`: run an old Keras script as it stands, check one, or train the demonstration."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

_RUN_USAGE = "kjax run [-h] script.py [args ...]\n       kjax run [-h] -m module [args ...]"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns the exit code.

    `run` takes the process over, as `python script.py` would: `sys.argv`, `sys.path[0]`, `__main__` and the
    aliases stay as the script had them, and its `sys.exit` goes through.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["run"]:
        return _run(words[1:])
    arguments = _parser().parse_args(words)
    if arguments.command == "demo":
        from kjax import _demo

        return _demo.main(arguments.epochs)
    if arguments.command == "check":
        from kjax import _check

        return _check.check_files(arguments.script, arguments.json)
    _parser().print_help()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kjax", description="The Keras of 2015-2021, running on JAX.", allow_abbrev=False
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and leave")
    commands = parser.add_subparsers(dest="command", metavar="command")
    commands.add_parser("run", help="run a script; its keras and tensorflow.keras are kjax", add_help=False)
    check = commands.add_parser(
        "check",
        help="say what a script uses that kjax does not have, without running it",
        description="Reads scripts and says which names and arguments kjax does not have, and which it translates.",
        epilog="Exit code: 0 if all is there, 1 if something is missing, 2 if a file cannot be read.",
    )
    check.add_argument("script", nargs="+", help="a file of Python")
    check.add_argument("--json", action="store_true", help="print what was found for programs to read")
    demo = commands.add_parser("demo", help="train and test a network on MNIST's handwritten digits")
    demo.add_argument("--epochs", type=_positive, default=5, metavar="N", help="passes over the data (default 5)")
    return parser


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        from kjax._version import __version__

        print(f"kjax {__version__} (jax {version('jax')}, Python {sys.version.split()[0]})")
        parser.exit()


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is not a positive number")
    return value


def _run(words: list[str]) -> int:
    """Splits by hand: what follows the script's name belongs to the script, `--help` and `--` included."""
    parser = argparse.ArgumentParser(
        prog="kjax run",
        usage=_RUN_USAGE,
        allow_abbrev=False,
        description="Runs a script as `python script.py` does; keras and tensorflow.keras are kjax for it.",
        epilog="KJAX_TRACEBACK=full shows the frames inside kjax and other packages in tracebacks too.",
    )
    parser.add_argument("-m", action="store_true", dest="module", help="run a module instead, as `python -m` does")
    own = 0
    while own < len(words) and words[own].startswith("-") and words[own] not in ("-", "--"):
        own += 1
    options = parser.parse_args(words[:own])
    if not words[own:]:
        parser.error("the name of a module is missing" if options.module else "the name of a script is missing")

    from kjax.compat import _script

    run = _script.run_module if options.module else _script.run_file
    return run(words[own], words[own + 1 :])


if __name__ == "__main__":
    sys.exit(main())
