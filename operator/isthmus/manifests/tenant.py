"""A tenant's own namespace in a member, and what stands in it before any work does."""

from typing import Any, Literal

from isthmus.api import names
from isthmus.api.core import Manifest

PodSecurity = Literal["privileged", "baseline", "restricted"]

JOB_LIMIT = 20_000
POD_LIMIT = 100_000
_POD_SECURITY = "pod-security.kubernetes.io"


def tenant_objects(
    hub_uid: str, namespace: str, account: str, *, pod_security: PodSecurity = "baseline"
) -> tuple[Manifest, ...]:
    """The objects to apply server-side for the hub namespace `namespace`, in this order, before its first Job.

    Namespace, default-deny-ingress NetworkPolicy, ResourceQuota on counts (so that a loop in one tenant can't fill
    the member's etcd), and the ServiceAccount default without a mounted token. `pod_security` is the level that the
    member enforces; `baseline` runs templates as they are written for a Job, while `restricted`, which pods without
    a securityContext fail, is only warned of.
    """
    name = names.tenant_namespace(hub_uid, namespace)
    labels = {names.LABEL_MANAGED_BY: names.MANAGED_BY, names.LABEL_HUB: hub_uid}

    def inside(api_version: str, kind: str, object_name: str, **fields: Any) -> Manifest:  # noqa: ANN401  # JSON
        metadata = {"name": object_name, "namespace": name, "labels": labels}
        return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}

    return (
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {
                "name": name,
                "labels": {
                    **labels,
                    names.LABEL_JOB_NAMESPACE: namespace,
                    names.LABEL_ACCOUNT: account,
                    f"{_POD_SECURITY}/enforce": pod_security,
                    f"{_POD_SECURITY}/warn": "restricted",
                },
            },
        },
        inside(
            "networking.k8s.io/v1",
            "NetworkPolicy",
            "isthmus-deny-ingress",
            spec={"podSelector": {}, "policyTypes": ["Ingress"]},
        ),
        inside(
            "v1",
            "ResourceQuota",
            "isthmus-counts",
            spec={"hard": {"count/jobs.batch": str(JOB_LIMIT), "count/pods": str(POD_LIMIT)}},
        ),
        inside("v1", "ServiceAccount", "default", automountServiceAccountToken=False),
    )
