"""Which columns of lists somebody may see, and the rows of whom (`conf/base/roles.yaml`)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from conf.schema import RunConfig
from tables.errors import UserError

RoleName = Literal["campaign", "branch", "science", "compliance"]


def may_see(role: RoleName, config: RunConfig) -> tuple[str, ...]:
    """The columns that a role may see, in the order in which they are shown."""
    columns: tuple[str, ...] = getattr(config.roles, role).list_columns
    return columns


def check_columns(role: RoleName, asked: Collection[str], config: RunConfig) -> None:
    """A role may see what is asked for.

    Raises:
        UserError: It may not.
    """
    seen = may_see(role, config)
    hidden = [name for name in asked if name not in seen]
    if hidden:
        raise UserError(
            f"role {role} may not see {hidden[0]} (roles.{role}.list_columns);"
            f" it may see {', '.join(seen)}"
        )


def check_rows(role: RoleName, branch: str | None, config: RunConfig) -> None:
    """Where a role sees the clients of one branch only, that branch is named.

    Raises:
        UserError: It is not.
    """
    if is_of_one_branch(role, config) and branch is None:
        raise UserError(f"role {role} sees the clients of one branch: say --branch")


def is_of_one_branch(role: RoleName, config: RunConfig) -> bool:
    """Whether a role sees the clients of one branch only."""
    return bool(getattr(config.roles, role).rows == "own_branch")
