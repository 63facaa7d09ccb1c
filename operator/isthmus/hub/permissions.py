"""What the hub must be allowed to do in its own cluster, and the question to its API server what of that it is not."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

import structlog

from isthmus.api.core import Manifest
from isthmus.api.names import GROUP, QUERY_GROUP, QUERY_VERSION
from isthmus.clusters import SELFSUBJECTACCESSREVIEWS, ClusterError, KubernetesApi
from isthmus.errors import MissingPermissionError

logger = structlog.get_logger(__name__)

# A role that was taken away is noticed by what it breaks; one that is seldom needed, by a review.
REVIEW_SECONDS = 120.0
# Roles that were given take effect at once; whoever gives them waits for the hub.
MISSING_SECONDS = 5.0
# Each question that is under way holds a connection, and at the start none is there yet.
AT_ONCE = 4

ROLES = "give it the roles of the chart: helm upgrade"


@dataclass(frozen=True, slots=True)
class Rule:
    """Verbs on a resource (`jobs`, or `computejobs/status`), in the hub's own namespace alone or anywhere."""

    group: str
    resource: str
    verbs: tuple[str, ...]
    own_namespace: bool = False
    names: tuple[str, ...] = ()
    """Only the objects of these names; none is all."""
    namespace: str | None = None
    """A namespace that is not the hub's own, where it is needed in that alone."""


# The roles of the hub hold exactly this; a test compares them.
RULES = (
    Rule(GROUP, "settlements", ("get", "list", "watch")),
    Rule(GROUP, "computenodes", ("list", "watch", "patch")),
    Rule(GROUP, "computejobs", ("get", "list", "watch", "patch", "delete")),
    Rule(GROUP, "dispatches", ("get", "list", "watch", "create", "patch", "delete")),
    Rule(GROUP, "computenodes/status", ("patch",)),
    Rule(GROUP, "computejobs/status", ("patch",)),
    Rule(GROUP, "dispatches/status", ("patch",)),
    Rule(GROUP, "settlements/status", ("patch",)),
    Rule("", "namespaces", ("get", "list", "watch", "create", "delete")),
    Rule("", "events", ("create",)),
    Rule("", "secrets", ("list", "watch"), own_namespace=True),
    Rule("batch", "jobs", ("create",), own_namespace=True),
)
# Beside these, where it serves the query API.
QUERY_RULES = (
    Rule("authorization.k8s.io", "subjectaccessreviews", ("create",)),
    Rule("apiregistration.k8s.io", "apiservices", ("get", "patch"), names=(f"{QUERY_VERSION}.{QUERY_GROUP}",)),
    Rule("", "configmaps", ("list", "watch"), names=("extension-apiserver-authentication",), namespace="kube-system"),
)


@dataclass(frozen=True, slots=True)
class Permission:
    """One verb on one resource; `namespace` None is every one, or a cluster-scoped resource."""

    verb: str
    group: str
    resource: str
    namespace: str | None = None
    name: str | None = None

    @property
    def place(self) -> str:
        """What it is on, as kubectl names that."""
        plural, _, subresource = self.resource.partition("/")
        what = f"{plural}.{self.group}" if self.group else plural
        what += f"/{subresource}" if subresource else ""
        what += f" {self.name}" if self.name else ""
        return what + (f" in namespace {self.namespace}" if self.namespace else "")

    def review(self) -> Manifest:
        """The question whether we have it."""
        plural, _, subresource = self.resource.partition("/")
        asked = {
            "verb": self.verb,
            "group": self.group,
            "resource": plural,
            "subresource": subresource,
            "namespace": self.namespace,
            "name": self.name,
        }
        return {"spec": {"resourceAttributes": {key: value for key, value in asked.items() if value}}}


def permissions_of(rules: tuple[Rule, ...], system_namespace: str) -> tuple[Permission, ...]:
    """The single permissions that the rules stand for."""
    return tuple(
        Permission(verb, rule.group, rule.resource, system_namespace if rule.own_namespace else rule.namespace, name)
        for rule in rules
        for verb in rule.verbs
        for name in rule.names or (None,)
    )


def in_words(permissions: Iterable[Permission]) -> tuple[str, ...]:
    """One text for each resource, such as `list, watch secrets in namespace isthmus-system`."""
    verbs: dict[str, list[str]] = {}
    for permission in permissions:
        verbs.setdefault(permission.place, []).append(permission.verb)
    return tuple(f"{', '.join(names)} {place}" for place, names in verbs.items())


class Permissions:
    """What of the needed permissions the hub lacks, as of the last review."""

    def __init__(self, hub: KubernetesApi, needed: tuple[Permission, ...]) -> None:
        self.missing: tuple[Permission, ...] = ()
        self._hub = hub
        self._needed = needed
        self._doubt = asyncio.Event()
        self._turns = asyncio.Semaphore(AT_ONCE)

    def doubt(self) -> None:
        """Something was refused: review soon."""
        self._doubt.set()

    async def review(self) -> tuple[Permission, ...]:
        """Ask for all of them; those that are missing. Raises ClusterError."""
        answers = await asyncio.gather(*(self._allowed(each) for each in self._needed))
        self.missing = tuple(each for each, allowed in zip(self._needed, answers, strict=True) if not allowed)
        return self.missing

    async def require(self) -> None:
        """Return once a review found that nothing is missing. Raises MissingPermissionError, ClusterError."""
        if await self.review():
            raise MissingPermissionError(in_words(self.missing), ROLES)

    async def _allowed(self, permission: Permission) -> bool:
        async with self._turns:
            answer = await self._hub.create(SELFSUBJECTACCESSREVIEWS, permission.review())
        return bool(answer["status"]["allowed"])

    async def run(self) -> None:
        """Review until cancelled, and log what has changed.

        Where reviews find nothing, what is refused is so for another reason; the pause after each is longer.
        """
        pause = MISSING_SECONDS
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(0 if self.missing else REVIEW_SECONDS):
                    await self._doubt.wait()
            before, doubted = self.missing, self._doubt.is_set()
            try:
                await self.review()
            except ClusterError as error:
                task = asyncio.current_task()
                if task is not None and task.cancelling():  # of both, gather may tell the error alone
                    raise asyncio.CancelledError from error
                logger.debug("permissions could not be reviewed", error=str(error))
            self._doubt.clear()
            if self.missing and self.missing != before:
                logger.error("permissions are missing", permissions=in_words(self.missing), mend=ROLES)
            elif before and not self.missing:
                logger.info("no permission is missing any more")
            vain = doubted and not before and not self.missing
            if not vain:
                pause = MISSING_SECONDS
            await asyncio.sleep(pause)
            pause = min(2 * pause, REVIEW_SECONDS)
