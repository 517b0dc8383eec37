"""Protected groups of test customers: as known then, in the order asked for."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import pyarrow as pa

from conf.model_settings import FairnessSettings
from jobs.campaigns.protected_groups import age_bands, group_labels, protected_groups

COHORT = date(2024, 3, 1)


def test_an_age_is_in_completed_years_and_an_unknown_one_a_group_of_its_own() -> None:
    born = [date(1999, 3, 1), date(1999, 3, 2), date(1984, 2, 29), date(1958, 1, 1), None,
            date(1899, 1, 1), date(2024, 2, 1)]  # fmt: skip
    bands = age_bands(pa.chunked_array([pa.array(born, pa.date32())]), COHORT, (25, 40, 65))
    assert bands.tolist() == [
        "25–39", "0–24", "40–64", "65 and over", "unknown", "65 and over", "0–24",
    ]  # fmt: skip


def test_customers_keep_their_order_and_who_is_not_known_is_unknown() -> None:
    people = pa.table(
        {
            "customer_id": ["C1", "C2", "C3"],
            "birth_date": pa.array([date(1990, 1, 1), None, date(1950, 1, 1)], pa.date32()),
            "gender": ["f", None, "m"],
        }
    )
    asked: list[tuple[str, date]] = []

    class Known:
        def known_before(self, table: Any, cohort: date) -> Any:
            asked.append((table.name, cohort))
            return SimpleNamespace(
                select=lambda *names: SimpleNamespace(toArrow=lambda: people.select(names))
            )

    settings = FairnessSettings(
        attributes=("gender", "age_band"), genders=("f", "m"), age_bands=(40,), min_customers=20
    )
    config = SimpleNamespace(models=SimpleNamespace(fairness=settings))
    run: Any = SimpleNamespace(config=config, store=Known())
    found = protected_groups(run, COHORT, pa.chunked_array([["C3", "C9"], ["C1", "C2"]]))
    assert {name: labels.tolist() for name, labels in found.items()} == {
        "gender": ["m", "unknown", "f", "unknown"],
        "age_band": ["40 and over", "unknown", "0–39", "unknown"],
    }
    assert asked == [("customers", COHORT)]


def test_what_is_no_configured_word_names_no_group() -> None:
    values = pa.chunked_array([["f", "Anna, b. 1980", None, "m"], ["F"]], pa.string())
    assert group_labels(values, ("f", "m")).tolist() == ["f", "other", "unknown", "m", "other"]
    languages = pa.chunked_array([["de", "German", None, "d1"]], pa.string())
    assert group_labels(languages, None).tolist() == ["de", "other", "unknown", "other"]
