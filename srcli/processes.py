"""This process's rank among several, from the variables that torchrun sets: RANK, WORLD_SIZE, LOCAL_RANK.

Only commands that split their work between processes read them.
"""

import os
from dataclasses import dataclass
from typing import TypeVar

from srcli.errors import UserError

RANK, WORLD_SIZE, LOCAL_RANK = "RANK", "WORLD_SIZE", "LOCAL_RANK"

Item = TypeVar("Item")


@dataclass(frozen=True)
class Share:
    """This process's share of the work.

    Attributes:
        rank: Counted from 0.
        count: The number of processes.
    """

    rank: int = 0
    count: int = 1

    @property
    def is_whole(self) -> bool:
        """Whether this process works alone."""
        return self.count == 1

    def rows(self, total: int) -> slice:
        """This process's block of `total` rows; in order of rank, the blocks make up all rows."""
        return slice(total * self.rank // self.count, total * (self.rank + 1) // self.count)

    def every_nth(self, items: list[Item]) -> list[Item]:
        """This process's items when they are dealt out in turn."""
        return items[self.rank :: self.count]


ALONE = Share()
"""All of the work."""


def read_share() -> Share:
    """The share given by RANK and WORLD_SIZE; all of the work if neither is set.

    Raises:
        UserError: Only one of the two is set, or they are not a rank and a number of processes.
    """
    rank, count = os.environ.get(RANK), os.environ.get(WORLD_SIZE)
    if rank is None and count is None:
        return ALONE
    if rank and count and rank.isdecimal() and count.isdecimal() and int(rank) < int(count):
        return Share(int(rank), int(count))
    raise UserError(
        f"RANK={rank or ''} and WORLD_SIZE={count or ''} in the environment do not fit together",
        "Set both, with RANK from 0 to WORLD_SIZE - 1, or neither.",
    )


def read_local_rank() -> int:
    """This process's number on its machine, from LOCAL_RANK; 0 if that is not set.

    Raises:
        UserError: It is not a number.
    """
    number = os.environ.get(LOCAL_RANK, "0")
    if not number.isdecimal():
        raise UserError(f"LOCAL_RANK={number} in the environment is not a number", "Set it to one, from 0.")
    return int(number)
