"""What the API says of itself, as kubectl and the API server's aggregator ask it."""

from isthmus.api.core import Manifest

from .refusals import ACCOUNTS, API_VERSION, GROUP, PLURAL, VERSION

_VERSION = {"groupVersion": API_VERSION, "version": VERSION}

GROUP_DOCUMENT: Manifest = {
    "kind": "APIGroup",
    "apiVersion": "v1",
    "name": GROUP,
    "versions": [_VERSION],
    "preferredVersion": _VERSION,
}
GROUPS_DOCUMENT: Manifest = {"kind": "APIGroupList", "apiVersion": "v1", "groups": [GROUP_DOCUMENT]}
RESOURCES_DOCUMENT: Manifest = {
    "kind": "APIResourceList",
    "apiVersion": "v1",
    "groupVersion": API_VERSION,
    "resources": [
        {"name": f"{PLURAL}/{subresource}", "singularName": "", "namespaced": True, "kind": kind, "verbs": ["get"]}
        for subresource, kind in (("explanation", "Explanation"), ("log", "Log"))
    ]
    + [{"name": ACCOUNTS, "singularName": "account", "namespaced": False, "kind": "Account", "verbs": ["list"]}],
}
DOCUMENTS: dict[str, Manifest] = {
    "/apis": GROUPS_DOCUMENT,
    f"/apis/{GROUP}": GROUP_DOCUMENT,
    f"/apis/{API_VERSION}": RESOURCES_DOCUMENT,
}
