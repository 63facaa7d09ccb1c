"""What a Settlement's condition gives as its reasons, and why a line has no price."""

from .reason import Reason, ReasonTable

CURRENT = ReasonTable(
    "Settlement",
    "Current",
    "Whether the sums are those of the ledger.",
    (
        Reason("Current", "The sums are those of the ledger."),
        Reason("CurrencyMismatch", "The hub bills in another currency.", "Make a Settlement in the hub's currency."),
    ),
)
UNPRICED = ReasonTable(
    "Settlement",
    "lines without a price",
    "Why a line of a statement has no amount, in `unpricedReason`.",
    (
        Reason(
            "NoTariff",
            "The job was dispatched when the node had no tariff.",
            "Set `spec.tariff` of the node, for the jobs to come.",
        ),
        Reason("NoPrice", "The tariff has no price for that model.", "Add one, or one for `*`, for the jobs to come."),
        Reason(
            "CurrencyMismatch",
            "The tariff is in another currency than the statement.",
            "Ask for the statement in the hub's currency.",
        ),
        Reason(
            "UnknownTariff",
            "The ledger does not have that tariff.",
            "Look whether the ledger is the one that the job was booked in, or a backup from before it.",
        ),
    ),
)
