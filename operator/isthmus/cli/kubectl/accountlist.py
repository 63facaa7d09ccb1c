"""The accounts as a table: what each weighs, has had, holds, may hold, and has waiting."""

from collections.abc import Iterable, Mapping
from typing import Any

from isthmus.cli.table import Table

Object = Mapping[str, Any]
HEADINGS = ("ACCOUNT", "WEIGHT", "SHARE", "GPUS", "CPU", "MEMORY", "PER-HOUR", "WAITING", "QUOTA")


def account_table(accounts: Iterable[Object]) -> Table:
    """A row for each account, the one with the largest share for its weight first."""
    ordered = sorted(accounts, key=lambda each: (-_share(each) / int(each.get("weight") or 1), _name(each)))
    return Table(HEADINGS, [_row(each) for each in ordered])


def _row(account: Object) -> tuple[str, ...]:
    holding: Mapping[str, str] = account.get("holding") or {}
    gpus = sum(int(amount) for name, amount in holding.items() if "/" in name)
    ceiling, currency = account.get("ceilingPerHour"), account.get("currency", "")
    spend = _plain(str(account.get("spendPerHour", "0")))
    return (
        _name(account),
        str(account.get("weight", "")),
        f"{_share(account):.1%}",
        str(gpus),
        str(holding.get("cpu", "0")),
        str(holding.get("memory", "0")),
        f"{spend}/{_plain(str(ceiling))} {currency}" if ceiling is not None else f"{spend} {currency}",
        str(account.get("waitingJobs", 0)),
        ", ".join(f"{each['resource']} {each['held']}/{each['limit']}" for each in account.get("quota") or ()) or "-",
    )


def _name(account: Object) -> str:
    return str((account.get("metadata") or {}).get("name", ""))


def _share(account: Object) -> float:
    return float(account.get("share") or 0)


def _plain(amount: str) -> str:
    return amount.rstrip("0").rstrip(".") if "." in amount else amount
