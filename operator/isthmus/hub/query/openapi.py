"""The API's OpenAPI documents, which the API server fetches from every API that it passes requests on to."""

from isthmus.api.core import Manifest

from .refusals import ACCOUNTS, API_VERSION, GROUP, PLURAL

_INFO: Manifest = {"title": "Isthmus query API", "version": "v1alpha1"}
_PLACE = ("namespace", "Namespace of the ComputeJob."), ("name", "Name of the ComputeJob.")
_LOG_QUERY = (
    ("index", "integer", "The completion index whose pod's log is wanted; needed where the job has several."),
    ("follow", "boolean", "Go on as more is written, until the container ends."),
    ("tailLines", "integer", "So many lines from the end."),
    ("sinceSeconds", "integer", "Only what was written in the last so many seconds."),
    ("limitBytes", "integer", "At most so many bytes."),
    ("timestamps", "boolean", "Begin each line with the time at which it was written."),
    ("previous", "boolean", "Of the container's run before its last restart."),
    ("container", "string", "The container; needed where the pod has several."),
)


def _operation(kind: str, summary: str, media: str, query: tuple[tuple[str, str, str], ...] = ()) -> Manifest:
    in_path = [
        {"name": name, "in": "path", "required": True, "description": text, "schema": {"type": "string"}}
        for name, text in _PLACE
    ]
    in_query = [
        {"name": name, "in": "query", "description": text, "schema": {"type": form}} for name, form, text in query
    ]
    content = {media: {"schema": {"type": "string" if media == "text/plain" else "object"}}}
    return {
        "get": {
            "operationId": f"readQueryV1alpha1NamespacedComputeJob{kind}",
            "description": summary,
            "parameters": [*in_path, *in_query],
            "responses": {"200": {"description": "OK", "content": content}},
        }
    }


_PREFIX = f"/apis/{API_VERSION}/namespaces/{{namespace}}/{PLURAL}/{{name}}"
V3: Manifest = {
    "openapi": "3.0.0",
    "info": _INFO,
    "paths": {
        f"{_PREFIX}/explanation": _operation(
            "Explanation", "Why a ComputeJob stands where it does: all nodes.", "application/json"
        ),
        f"{_PREFIX}/log": _operation("Log", "The log of one of a ComputeJob's pods.", "text/plain", _LOG_QUERY),
        f"/apis/{API_VERSION}/{ACCOUNTS}": {
            "get": {
                "operationId": "listQueryV1alpha1Account",
                "description": "Where all accounts stand: weights, shares, what they hold and may hold.",
                "responses": {
                    "200": {"description": "OK", "content": {"application/json": {"schema": {"type": "object"}}}}
                },
            }
        },
    },
}
# What reads the older form looks for kinds that can be listed and written, of which there are none.
V2: Manifest = {"swagger": "2.0", "info": _INFO, "paths": {}}
DOCUMENTS: dict[str, Manifest] = {
    "/openapi/v2": V2,
    "/openapi/v3": {"paths": {f"apis/{API_VERSION}": {"serverRelativeURL": f"/openapi/v3/apis/{API_VERSION}"}}},
    f"/openapi/v3/apis/{GROUP}/v1alpha1": V3,
}
