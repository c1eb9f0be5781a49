"""`tf.errors`: TensorFlow's exception classes, as far as kjax raises them."""

from __future__ import annotations

from typing import Any

# Numbers of the error codes, which scripts compare with `e.error_code`.
INVALID_ARGUMENT, NOT_FOUND, FAILED_PRECONDITION, OUT_OF_RANGE = 3, 5, 9, 11


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


__all__ = ["FailedPreconditionError", "InvalidArgumentError", "NotFoundError", "OpError", "OutOfRangeError"]
