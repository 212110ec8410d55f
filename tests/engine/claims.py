"""One field, as sides claim it."""

from typing import Any

from sync_engine.reconcile import Change, Policy, Side, reconcile
from sync_engine.values import UNSET, Author

ORDER = ("sales", "service", "profiles")
PREFER = {"mail": Policy("prefer", ORDER)}


def side(base: Any = UNSET, seen: Any = UNSET, **more: Any) -> Side:
    values = {} if seen is UNSET else {"mail": seen}
    return Side(base={} if base is UNSET else {"mail": base}, seen=values, claims=("mail",), **more)


def decide(
    golden: Any, sides: dict[str, Side], policy: str = "prefer", author: Author | None = None
) -> tuple[Any, Change | None]:
    values = {} if golden is UNSET else {"mail": golden}
    decision = reconcile(
        values,
        sides,
        {"mail": Policy(policy, ORDER)},
        {"mail": author} if author else {},
    )
    assert len(decision.changes) <= 1
    return decision.golden.get("mail", UNSET), next(iter(decision.changes), None)
