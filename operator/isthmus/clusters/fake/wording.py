"""Kinds and times in the API server's words."""

from datetime import UTC, datetime

from isthmus.clusters.resources import Resource


def full_name(resource: Resource) -> str:
    """`jobs.batch`, as the API server calls a kind in its messages."""
    return f"{resource.plural}.{resource.group}" if resource.group else resource.plural


def stamp(instant: datetime) -> str:
    """RFC 3339 in UTC, whole seconds, as the API server writes times."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
