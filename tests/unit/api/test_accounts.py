import pytest

from isthmus.api.accounts import HALF_LIFE_SECONDS, AccountsConfig


def test_an_empty_file_is_all_defaults() -> None:
    """Nothing said is that every account weighs the same and none is limited."""
    for content in (None, {}, {"named": None, "default": None}):
        config = AccountsConfig.read(content)
        assert (config.half_life_seconds, config.named) == (HALF_LIFE_SECONDS, {})
        assert (config.default.weight, config.default.ceiling, config.default.quota.gpus) == (1, None, {})


def test_whole_numbers_need_no_quotes() -> None:
    """Cores, memory and money are exact: a whole number is taken as it stands."""
    quota = {"gpus": {"A100": 8}, "cores": 64, "memory": "512Gi"}
    config = AccountsConfig.read({"named": {"team-a": {"weight": 3, "quota": quota, "ceiling": 120}}})
    team = config.named["team-a"]
    assert (team.weight, team.ceiling, team.quota.cores, team.quota.memory) == (3, "120", "64", "512Gi")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param([], "the file: ", id="a list"),
        pytest.param({"nmaed": {}}, "nmaed: there is no such setting", id="unknown key"),
        pytest.param({"named": {"a": {"quotas": {}}}}, "named.a.quotas: there is no such setting", id="deeper"),
        pytest.param({"named": {"a": {"weight": 0}}}, "named.a.weight: ", id="weight 0"),
        pytest.param({"named": {"a": {"weight": "3"}}}, "named.a.weight: ", id="weight in quotes"),
        pytest.param({"named": {"a": {"weight": True}}}, "named.a.weight: ", id="weight true"),
        pytest.param({"named": {"a b": {}}}, "named.a b: ", id="a name that no account can have"),
        pytest.param(
            {"default": {"ceiling": 1.5}}, "default.ceiling: a number with a fraction must stand in quotes", id="float"
        ),
        pytest.param({"default": {"ceiling": "-1"}}, "default.ceiling: ", id="negative money"),
        pytest.param({"default": {"quota": {"cores": "many"}}}, "default.quota.cores: ", id="no quantity"),
        pytest.param({"default": {"quota": {"gpus": {"A100": -1}}}}, "default.quota.gpus.A100: ", id="negative GPUs"),
        pytest.param({"halfLifeSeconds": 0}, "halfLifeSeconds: ", id="no half-life"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(content: object, told: str) -> None:
    """Each fault says where it stands."""
    with pytest.raises(ValueError, match=r"^\S") as caught:
        AccountsConfig.read(content)
    assert told in str(caught.value)


def test_a_flood_of_faults_is_cut() -> None:
    """However much is wrong, the message stays short."""
    with pytest.raises(ValueError, match="and 984 more"):
        AccountsConfig.read({"named": {f"a{n}": {"weight": 0} for n in range(1000)}})
