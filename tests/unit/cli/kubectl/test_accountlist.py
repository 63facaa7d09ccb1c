from isthmus.api.quantities import GIBIBYTE
from isthmus.cli.kubectl.accountlist import account_table
from isthmus.cli.table import lines
from isthmus.hub.query.accounts import document
from isthmus.placement import AccountLimits, AccountsView, AccountView, Holding, Usage

GPU = "nvidia.com/gpu"


def test_accounts_stand_in_a_table() -> None:
    """What the hub answers is shown, the largest share for its weight first, quotas as what is held of what may be."""
    small = AccountView(
        AccountLimits(
            3, {"A100": 8, "*": 16}, {"cpu": 64_000, "memory": 512 * GIBIBYTE}, ceiling=Holding().per_hour + 120
        ),
        Holding({"cpu": 12_500, "memory": 3 * GIBIBYTE, GPU: 4}, {("NVIDIA-A100",): 4}, Holding().per_hour + 30),
        Usage(0.0, {GPU: 3.0}),
    )
    other = AccountView(usage=Usage(0.0, {"cpu": 16_000.0}))
    view = AccountsView({"acme": small, "other": other}, half_life=10.0, currency="CNY")
    answer = document(view, ["acme", "new", "other"], {GPU: 10, "cpu": 64_000}, {"new": 7})
    assert [line.split() for line in lines(account_table(answer["items"]))] == [
        ["ACCOUNT", "WEIGHT", "SHARE", "GPUS", "CPU", "MEMORY", "PER-HOUR", "WAITING", "QUOTA"],
        ["other", "1", "25.0%", "0", "0", "0", "0", "CNY", "0", "-"],
        [
            "acme",
            "3",
            "30.0%",
            "4",
            "12500m",
            "3Gi",
            "30/120",
            "CNY",
            "0",
            "A100",
            "4/8,",
            "*",
            "4/16,",
            "cpu",
            "12500m/64,",
            "memory",
            "3Gi/512Gi",
        ],
        ["new", "1", "0.0%", "0", "0", "0", "0", "CNY", "7", "-"],
    ]
