"""How base, environment and --set become one validated whole."""

import shutil
from decimal import Decimal
from pathlib import Path

import pytest

import conf.load
from conf.load import ConfigError, config_hash, config_json, load_config


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the base settings with an empty environment `prod`."""
    shutil.copytree(conf.load.CONF / "base", tmp_path / "conf" / "base")
    (tmp_path / "conf" / "prod").mkdir()
    return tmp_path / "conf"


def problems(env: str, *overrides: str, folder: Path | None = None) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        load_config(env, overrides, folder)
    return caught.value.problems


@pytest.mark.parametrize("env", ["berka", "local", "prod"])
def test_every_environment_of_the_repository_is_valid(env):
    assert load_config(env).products


def test_a_configuration_error_ends_the_program_with_2():
    assert ConfigError(["x"]).exit_code == 2


def test_the_environment_wins_over_base_and_set_wins_over_both(folder):
    (folder / "prod" / "limits.yaml").write_text(
        "campaign: {branch_capacity: 7, control_share: 0.2}"
    )
    campaign = load_config("prod", ["campaign.control_share=0.3"], folder).campaign
    assert (campaign.branch_capacity, campaign.control_share) == (7, 0.3)
    assert campaign.max_offers_per_household == 2


def test_replace_takes_the_place_of_the_mapping_below(folder):
    policy = "contact_policy: {cool_off_days_after: !replace {sold: 5, opt_out: 3650}}"
    (folder / "prod" / "policy.yaml").write_text(policy)
    days = load_config("prod", (), folder).contact_policy.cool_off_days_after
    assert days == {"sold": 5, "opt_out": 3650}
    (folder / "prod" / "policy.yaml").write_text(policy.replace("!replace ", ""))
    assert load_config("prod", (), folder).contact_policy.cool_off_days_after["refused"] == 90


def test_an_unknown_environment_is_told_with_the_nearest_one():
    assert problems("prd") == ("env 'prd' does not exist; did you mean prod?",)
    assert "there are" in problems("sources")[0]
    assert "'../conf/prod' does not exist" in problems("../conf/prod")[0]


def test_an_unknown_key_is_told_with_its_file_and_the_nearest_name(folder):
    (folder / "prod" / "policy.yaml").write_text("contact_policy: {cool_off_days_aftr: {}}")
    assert problems("prod", folder=folder) == (
        "conf/prod/policy.yaml: contact_policy.cool_off_days_aftr is unknown;"
        " did you mean cool_off_days_after?",
    )


def test_a_missing_key_is_told_with_the_file_of_its_section(folder):
    (folder / "base" / "time.yaml").write_text("time: {gap_days: 7, outcome_months: 2}")
    (folder / "base" / "partners.yaml").unlink()
    assert set(problems("prod", folder=folder)) == {
        "conf/base/time.yaml: time.observation_months is missing",
        "conf/base/time.yaml: time.train_cohorts is missing",
        "conf/base: partners is missing",
    }


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ("campaign.control_share=2", "is 2; it must be at least 0 and at most 1"),
        ("models.learning_rate=0", "is 0; it must be above 0 and at most 1"),
        ("campaign.branch_capacity_overrides={'001': -1}", "is -1; it must be at least 0"),
        ("products.mortgage.margin_per_sale=-1", "is -1; it must be at least 0"),
        ("campaign.min_expected_profit=0.001", "it must have no more than 2 decimal places"),
        ("campaign.branch_capacity=true", "is true; it must be a valid integer"),
        ("campaign.min_expected_profit=true", "is true; it must be an integer"),
        ("campaign.control_share='0.5'", "is 0.5; it must be a valid number"),
        ("models.auto_promote='true'", "it must be true or false"),
        ("time.gap_days=1.5", "is 1.5; it must be a valid integer"),
        ("time.gap_days=null", "is null; it must be a valid integer"),
        ("engine.kind=sprak", "'embedded', 'spark' or 'connect'; did you mean spark?"),
        ("care.treatments.vulnerabl=talk", "did you mean vulnerable?"),
        ("care.no_contact=fraud_watch", "is fraud_watch; it must be a list"),
        ("offers=3", "is 3; it must be a mapping"),
        ("products=!replace {}", "it must have at least 1 item"),
        ("campaign.salt=abc", "it must have at least 4 characters"),
        ("campain.salt=abcd", "campain is unknown; did you mean campaign?"),
        ("bank.name=no", "no means different things to different readers"),
        ("bank.name=", "is empty"),
        ("bank.name", "is not of the form a.b.c=value"),
        ("bank..name=x", "is not of the form a.b.c=value"),
    ],
)
def test_a_bad_value_is_told_with_its_source_the_value_and_the_rule(override, problem):
    (told,) = problems("local", override)
    assert told.startswith(f"--set {override}")
    assert problem in told


def test_all_problems_are_told_at_once(folder):
    (folder / "prod" / "a.yaml").write_text("time: {gap_days: -1}")
    told = problems("prod", "campaign.control_share=2", "bank.nam=x", folder=folder)
    assert len(told) == 3
    (folder / "prod" / "b.yaml").write_text("bank: {name: no}")
    (folder / "prod" / "c.yaml").write_text("bank: {name: 010}")
    told = problems("prod", "foo", folder=folder)
    assert len(told) == 3


def test_one_section_in_two_files_of_a_folder_is_refused(folder):
    (folder / "prod" / "a.yaml").write_text("time: {gap_days: 1}")
    (folder / "prod" / "b.yaml").write_text("time: {gap_days: 2}")
    assert problems("prod", folder=folder) == (
        "conf/prod/b.yaml: time stands in conf/prod/a.yaml too; keep one",
    )


@pytest.mark.parametrize("name", ["campaign.yml", "notes.txt", "more"])
def test_a_file_that_would_be_passed_over_is_refused(folder, name):
    (folder / "prod" / name).mkdir()
    assert f"conf/prod/{name}: is no setting" in problems("prod", folder=folder)[0]


def test_a_file_without_sections_is_refused(folder):
    (folder / "prod" / "a.yaml").write_text("[1, 2]")
    assert problems("prod", folder=folder) == (
        "conf/prod/a.yaml: has no sections; write name: value",
    )


def test_the_hash_depends_on_meaning_not_on_spelling_or_order(folder):
    before = config_hash(load_config("prod", (), folder))
    (folder / "prod" / "a.yaml").write_text(
        "offers: {mortgage_2026: {contact_cost: 12}}\n"
        "products: {term_deposit: {eligibility: {min_balance: 2000}}}"
    )
    campaign = (folder / "base" / "campaign.yaml").read_text().splitlines()
    (folder / "base" / "campaign.yaml").write_text("\n".join([campaign[0], *campaign[:0:-1]]))
    config = load_config("prod", (), folder)
    assert config_hash(config) == before
    assert config.offers["mortgage_2026"].contact_cost == Decimal("12.00")


def test_the_order_of_products_in_a_file_has_no_effect():
    products = load_config("local").products
    assert list(products) == sorted(products)


def test_any_other_setting_gives_another_hash():
    overrides = ["engine.kind=spark", "models.seed=1", "bank.name=Other", "time.gap_days=8"]
    hashes = [config_hash(load_config("local", [override])) for override in overrides]
    assert len({*hashes, config_hash(load_config("local"))}) == 5


def test_canonical_json_is_stable_and_keeps_money_exact():
    text = config_json(load_config("local"))
    assert text.startswith('{"bank":{"base_currency":"EUR",')
    assert '"contact_cost":"12.00"' in text
