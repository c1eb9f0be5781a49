"""`tf.errors`: TensorFlow's exception classes, as far as kjax raises them."""

from __future__ import annotations

from typing import Any

# Numbers of the error codes, which scripts compare with `e.error_code`.
CANCELLED, INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS = 1, 3, 5, 6
FAILED_PRECONDITION, ABORTED, OUT_OF_RANGE = 9, 10, 11


# What was raised on the host while a program ran: JAX raises an error of its own for it.
raised: list[Exception] = []


class OpError(Exception):
    """An operation failed.

    Arguments:
        node_def: not used; None.
        op: the operation, or None.
        message: what happened.
        error_code: its number.
    """

    code = 2

    def __init__(self, node_def: Any, op: Any, message: str, error_code: int | None = None) -> None:
        super().__init__(message)
        self.node_def, self.op, self.message = node_def, op, message
        self.error_code = self.code if error_code is None else error_code


class CancelledError(OpError):
    """What was running was stopped."""

    code = CANCELLED


class AbortedError(OpError):
    """What was running was given up."""

    code = ABORTED


class AlreadyExistsError(OpError):
    """Something is there already."""

    code = ALREADY_EXISTS


class InvalidArgumentError(OpError):
    """An operation received what it cannot work with."""

    code = INVALID_ARGUMENT


class NotFoundError(OpError):
    """A file or a value in it does not exist."""

    code = NOT_FOUND


class FailedPreconditionError(OpError):
    """Something had to be done before, such as initializing a variable."""

    code = FAILED_PRECONDITION


class OutOfRangeError(OpError):
    """A source of data has come to its end."""

    code = OUT_OF_RANGE


__all__ = [
    "AbortedError", "AlreadyExistsError", "CancelledError", "FailedPreconditionError", "InvalidArgumentError",
    "NotFoundError", "OpError", "OutOfRangeError",
]  # fmt: skip
