"""Logging of the entry points: structlog's lines and those of libraries, in one form."""

import logging
import sys

import structlog
from structlog.typing import EventDict

from isthmus.api.reference import reference


def configure_logs(form: str, level: str) -> None:
    """Log to standard error, as JSON or for people; `level` is debug, info or warning."""
    shared: list[structlog.typing.Processor] = [
        _with_reference,
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    final: list[structlog.typing.Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if form == "json"
        else [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    )
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *final],
        )
    )
    logging.captureWarnings(capture=True)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # kopf tells of each handler call; what matters of it is told by conditions.
    logging.getLogger("kopf").setLevel(logging.WARNING)


def _with_reference(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Name the object that a line of kopf's is about as our own lines do."""
    record = event.get("_record")
    about = getattr(record, "k8s_ref", None)
    if isinstance(about, dict):
        event.update({"kind": about.get("kind", ""), **reference(about.get("kind", ""), about)})
    return event
