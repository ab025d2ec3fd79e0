"""Policy around an inventory; whatever is wrapped cannot tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from cctv.errors import InventoryError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cctv.model import Record
    from cctv.seams import Inventory


class Retrying:
    """An inventory that is asked again, after a short pause, unless its error is `lasting`.

    A read takes at most `attempts` of the inventory's own deadlines and the pauses between them.
    """

    def __init__(
        self, inventory: Inventory, *, attempts: int = 3, longest_pause: float = 4.0
    ) -> None:
        self._inventory = inventory
        self._attempts = attempts
        self._longest_pause = longest_pause

    async def records(self) -> Sequence[Record]:
        """The rows of the first attempt that succeeds.

        Raises:
            InventoryError: the last attempt's.
        """
        retrying = AsyncRetrying(
            retry=retry_if_exception(_may_pass),
            stop=stop_after_attempt(self._attempts),
            wait=wait_random_exponential(max=self._longest_pause),
            reraise=True,
        )
        return await retrying(self._inventory.records)


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, InventoryError) and not error.lasting
