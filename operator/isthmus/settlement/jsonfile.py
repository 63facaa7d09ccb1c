"""A statement as JSON values: camelCase, decimals as strings, instants in RFC 3339."""

from typing import Any

from isthmus.api.instants import instant_text

from .lines import Line
from .money import plain
from .statement import Statement


def statement_json(statement: Statement) -> dict[str, Any]:
    """The statement with its lines, ready for `json.dumps`."""
    return {
        "account": statement.account,
        "node": statement.node,
        "periodStart": instant_text(statement.start),
        "periodEnd": instant_text(statement.end),
        "currency": statement.currency,
        "total": format(statement.total, "f"),
        "exactTotal": plain(statement.exact_total),
        "adjustment": plain(statement.adjustment),
        "unpricedLines": statement.unpriced,
        "meters": [
            {
                "meter": each.meter,
                "model": each.model,
                "quantity": each.quantity,
                "pricingQuantity": plain(each.pricing_quantity),
                "unit": each.unit,
                "amount": None if each.amount is None else plain(each.amount),
            }
            for each in statement.meters
        ],
        "lines": [_line(each) for each in statement.lines],
    }


def _line(line: Line) -> dict[str, Any]:
    usage = line.usage
    return {
        "identity": usage.identity.to_manifest() if usage.identity else None,
        "account": usage.account,
        "node": usage.node,
        "job": usage.job.to_manifest(),
        "dispatchUid": usage.dispatch_uid,
        "attempt": usage.attempt,
        "sequence": usage.sequence,
        "intervalStart": instant_text(usage.start),
        "intervalEnd": instant_text(usage.end),
        "estimated": usage.estimated,
        "meter": usage.meter,
        "model": usage.model,
        "quantity": usage.quantity,
        "pricingQuantity": plain(line.pricing_quantity),
        "unit": line.unit,
        "unitPrice": None if line.unit_price is None else plain(line.unit_price),
        "amount": None if line.amount is None else plain(line.amount),
        "unpricedReason": line.unpriced_reason,
        "tariffVersion": line.tariff_version,
        "tariffDigest": line.tariff_digest,
    }
