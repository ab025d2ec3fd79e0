"""The error tree: a class exists only because somebody acts differently on it.

    CctvError
    ├── ConfigError      a setting is wrong: all faults at once, exit status 2
    ├── InventoryError   the list of cameras could not be read: the last good one stays
    ├── CaptureError     a camera gave no whole picture: the fallback image goes up
    ├── StoreError       the store did not take an object: tried again, no camera is blamed
    ├── TooLateError     a picture grew too old before it was public: the fallback image goes up
    └── HoldError        the orders not to publish cannot be read: nothing is published

What is none of these is a bug and keeps its traceback. A message says what was found, in words
a technician can act on, and never holds a secret or a URL with a login.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cctv.reasons import Reason


class CctvError(Exception):
    """Everything this program raises on purpose."""


class ConfigError(CctvError):
    """Settings that cannot be used; `faults` holds one sentence for each."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


class InventoryError(CctvError):
    """The inventory could not be read, or answered something that is no list of cameras.

    `lasting` tells that reading again as it is will not help: the file or the setting is wrong.
    """

    def __init__(self, message: str, *, lasting: bool = False) -> None:
        self.lasting = lasting
        super().__init__(message)


class CaptureError(CctvError):
    """A camera gave no whole picture, for exactly one `reason`; the message says what was found.

    `asked` is False where the device was left alone on purpose: that says nothing new of it.
    `again` is False where it should not be asked again at once.
    """

    def __init__(
        self, reason: Reason, found: str, *, asked: bool = True, again: bool = True
    ) -> None:
        self.reason = reason
        self.asked = asked
        self.again = again
        super().__init__(found)

    def bare(self) -> CaptureError:
        """The same finding without where it was raised: for keeping.

        A kept traceback keeps its stack, and a stack that keeps the error makes a knot that only
        the garbage collector unties: hundreds of failing cameras then make it stop the loop.
        """
        return CaptureError(self.reason, str(self), asked=self.asked, again=self.again)


class StoreError(CctvError):
    """The store did not confirm an object; it may or may not have taken it.

    `passing` tells that the same PUT may succeed in a moment: a busy store, a lost connection.
    """

    def __init__(self, message: str, *, passing: bool = True) -> None:
        self.passing = passing
        super().__init__(message)


class TooLateError(CctvError):
    """An object is out of date before the store has confirmed it; it may still have taken it."""


class HoldError(CctvError):
    """What stands among the holds is no hold: what it orders cannot be told."""
