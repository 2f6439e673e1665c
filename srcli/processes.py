"""Which of several processes this is, by the environment that torchrun sets: RANK of WORLD_SIZE.

Only commands that share out their work ask; to all others these variables mean nothing.
"""

import os
from dataclasses import dataclass
from typing import TypeVar

from srcli.errors import UserError

RANK, WORLD_SIZE, LOCAL_RANK = "RANK", "WORLD_SIZE", "LOCAL_RANK"

Item = TypeVar("Item")


@dataclass(frozen=True)
class Share:
    """What is one process's of the work of several.

    Attributes:
        rank: Counted from 0.
        count: How many processes there are.
    """

    rank: int = 0
    count: int = 1

    @property
    def is_whole(self) -> bool:
        """Whether this process works alone."""
        return self.count == 1

    def rows(self, total: int) -> slice:
        """This process's block of `total` rows; the blocks of all are all rows, in order."""
        return slice(total * self.rank // self.count, total * (self.rank + 1) // self.count)

    def every_nth(self, items: list[Item]) -> list[Item]:
        """This process's items when they are dealt out one by one."""
        return items[self.rank :: self.count]


ALONE = Share()
"""All of the work."""


def read_share() -> Share:
    """The share that the environment names; all of it where RANK and WORLD_SIZE are not set.

    Raises:
        UserError: Only one of the two is set, or they are no rank of a number of processes.
    """
    rank, count = os.environ.get(RANK), os.environ.get(WORLD_SIZE)
    if rank is None and count is None:
        return ALONE
    if rank and count and rank.isdecimal() and count.isdecimal() and int(rank) < int(count):
        return Share(int(rank), int(count))
    raise UserError(
        f"the environment says RANK={rank or ''} and WORLD_SIZE={count or ''}",
        "Set both, RANK counted from 0 and below WORLD_SIZE, or neither.",
    )


def read_local_rank() -> int:
    """This process's number on its machine, by LOCAL_RANK; 0 where that is not set.

    Raises:
        UserError: It is not a number.
    """
    number = os.environ.get(LOCAL_RANK, "0")
    if not number.isdecimal():
        raise UserError(f"the environment says LOCAL_RANK={number}", "Set it to a number counted from 0.")
    return int(number)
