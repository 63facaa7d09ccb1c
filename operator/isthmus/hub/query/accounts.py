"""Answers where the accounts stand: weights, shares, what they hold and may hold."""

from collections.abc import Mapping

from aiohttp import web

from isthmus.api.core import Manifest
from isthmus.api.quantities import CPU, MEMORY, text, texts
from isthmus.hub.fleet import Fleet
from isthmus.hub.scheduler import Scheduler
from isthmus.placement import AccountsView, capacity_of
from isthmus.placement.allowance import of_model

from .refusals import API_VERSION
from .server import json_response


class AccountList:
    """Of the accounts that the file names, and of others that hold something, held something of late, or wait."""

    def __init__(self, fleet: Fleet, scheduler: Scheduler) -> None:
        self._fleet = fleet
        self._scheduler = scheduler

    async def answer(self, _: web.Request) -> web.StreamResponse:
        """The list."""
        accounting = self._fleet.accounting
        capacity = capacity_of(known.profile for known in self._fleet.all())
        waiting = self._scheduler.waiting_by_account()
        names = sorted({*accounting.view().known, *waiting})
        return json_response(document(accounting.view(), names, capacity, waiting))


def document(view: AccountsView, names: list[str], capacity: Mapping[str, int], waiting: Mapping[str, int]) -> Manifest:
    """The list as it is answered."""
    items = [_item(view, name, capacity, waiting.get(name, 0)) for name in names]
    return {"apiVersion": API_VERSION, "kind": "AccountList", "metadata": {}, "items": items}


def _item(view: AccountsView, name: str, capacity: Mapping[str, int], waiting: int) -> Manifest:
    account = view.of(name)
    limits, holding = account.limits, account.holding
    quota = [
        {"resource": model, "limit": str(limit), "held": str(of_model(holding, model))}
        for model, limit in limits.gpus.items()
    ]
    quota += [
        {
            "resource": resource,
            "limit": text(resource, limit),
            "held": text(resource, holding.resources.get(resource, 0)),
        }
        for resource, limit in limits.resources.items()
        if resource in {CPU, MEMORY}
    ]
    return {
        "apiVersion": API_VERSION,
        "kind": "Account",
        "metadata": {"name": name},
        "weight": limits.weight,
        "share": f"{view.share(name, capacity):.4f}",
        "holding": texts(holding.resources),
        "quota": quota,
        "spendPerHour": f"{holding.per_hour:f}",
        **({} if limits.ceiling is None else {"ceilingPerHour": f"{limits.ceiling:f}"}),
        "currency": view.currency,
        "waitingJobs": waiting,
    }
