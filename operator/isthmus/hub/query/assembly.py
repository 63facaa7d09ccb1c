"""The query API over the hub's stores, where one is to be served."""

from collections.abc import Callable
from datetime import datetime

from isthmus.clusters import Client
from isthmus.hub.dispatches import DispatchStore
from isthmus.hub.fleet import Fleet
from isthmus.hub.scheduler import Scheduler
from isthmus.hub.settings import HubSettings

from .accounts import AccountList
from .explanations import Explanations
from .jobs import JobReader
from .logs import Logs
from .queryapi import QueryApi
from .refusals import ACCOUNTS


def query_api(
    settings: HubSettings,
    client: Client,
    hub_uid: str,
    *,
    asking: Client,
    dispatches: DispatchStore,
    fleet: Fleet,
    scheduler: Scheduler,
    account_of: Callable[[str], str],
    member_of: Callable[[str], Client | None],
    now: Callable[[], datetime],
) -> QueryApi | None:
    """What serves explanations, logs and accounts; None where the settings give no address for it.

    What callers cause is asked through `asking`, so that no flood of theirs takes a turn from the hub's own requests.
    """
    if settings.query is None:
        return None
    jobs = JobReader(asking)
    explanations = Explanations(
        jobs, dispatches=dispatches, fleet=fleet, scheduler=scheduler, account_of=account_of, now=now
    )
    logs = Logs(jobs, hub_uid=hub_uid, dispatches=dispatches, member_of=member_of)
    return QueryApi(
        client,
        {"explanation": explanations.answer, "log": logs.answer},
        listings={ACCOUNTS: AccountList(fleet, scheduler).answer},
        reviews=asking,
        address=settings.query,
        service=settings.query_service,
        namespace=settings.system_namespace,
        now=now,
    )
