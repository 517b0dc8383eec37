"""A year of campaigns as a home has them, drawn by number: what `bench/measured_year.py` measures.

Every client is decided about for every offer in every month, as in a campaign; one in ten is
offered something and a tenth of those who made the cut are withheld; all are scored for every
product, so that models are held against purchases. The rows are those of the declared tables; what
measuring does not read, such as the reasons for which all others were left out, is empty. The
models that are said to have scored are in the registry (`measurement_models.py`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from measurement_models import (
    TABLE as TRAINING,
    label_parts,
    register,
    report_features,
    training_rows,
)

from conf.load import config_json, load_config
from extracts.deliveries import MANIFEST
from features.catalogue import customer_features_table
from jobs.home import Home
from jobs.runs.identity import code_version
from tables.arrow import arrow_schema
from tables.base import Table
from tables.delta import commit_files, data_files, files_of, latest_version
from tables.derived import DECISIONS, DELIVERIES, LABELS, PROPENSITY_SCORES
from tables.runs import RunRecord, Runs
from tables.sources import CONSENTS, CONTACTS, CUSTOMERS, HOLDINGS, stored
from tables.windows import months_before

AS_OF, MONTHS = date(2026, 11, 1), 12
TRAINED = months_before(AS_OF, 9)  # before the first scores that are held against purchases
CHUNK = 50_000  # clients whose rows are made at a time
CONFIG = load_config("local")
OFFERS = sorted(CONFIG.offers)
PRODUCTS = sorted(CONFIG.products)
FEATURES = customer_features_table(tuple(CONFIG.products))
LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)
EPOCH = date(1970, 1, 1)
DAY = 86_400_000_000  # microseconds
OFFERED, CONTROL = 0.1, 0.1  # of clients; of those who made the cut
HOLDOUT = 0.02
SCORED, HIGHEST = 8, 0.014  # months; propensity: twice the share that buys in an outcome window
HELD, CONSENTED = 3, 5  # products held, and consents, of a client
GRANTED, REACHED = 0.95, 0.8
FIRST_DAYS = (7, 12)  # after the as-of date, of contact
SEGMENTS = ["mass", "affluent", "private", "vip"]


def make_home(folder: Path, customers: int) -> Home:
    """A home with a year of campaigns and all that followed them until ``AS_OF``."""
    home = Home(folder)
    home.create()
    digest = _landed(home)
    pins = {}
    for table, parts in (
        (stored(CUSTOMERS), _customers),
        (stored(HOLDINGS), _holdings),
        (stored(CONSENTS), _consents),
        (stored(CONTACTS), _contacts),
    ):
        pins[table.name] = _commit(home, table, parts(customers), AS_OF)
    pins[DELIVERIES.name] = _commit(home, DELIVERIES, _deliveries(), AS_OF)
    _record(home, "ingest", AS_OF, pins, inputs={str(AS_OF): digest})
    for ago in range(MONTHS, 0, -1):
        as_of = months_before(AS_OF, ago)
        run_id = _run_id("campaign", as_of)
        version = _commit(home, DECISIONS, _decisions(customers, as_of, run_id, ago), as_of)
        _record(home, "campaign", as_of, {DECISIONS.name: version}, run_id=run_id)
    models = _trained(home)
    for ago in range(SCORED, 0, -1):
        as_of = months_before(AS_OF, ago)
        own = {CUSTOMERS.name: pins[CUSTOMERS.name]}
        for table, rows in ((FEATURES, _features), (PROPENSITY_SCORES, _scores)):
            own[table.name] = _commit(home, table, rows(customers, as_of, ago), as_of)
        features = _run_id("features", as_of)
        report_features(home, as_of, features, customers, TRAINED)
        _record(home, "score", as_of, own, inputs={"features": features} | models)
    return home


def _trained(home: Home) -> dict[str, str]:
    """Models in the registry, and the run that trained them."""
    rows, pins = training_rows(TRAINED), {}
    for table, parts in (
        (TRAINING, iter([rows.select(arrow_schema(TRAINING).names)])),
        (LABELS, label_parts(rows, TRAINED)),
    ):
        shaped = (part.cast(arrow_schema(table)) for part in parts)
        pins[table.name] = _commit(home, table, shaped, TRAINED)
    _record(home, "train", TRAINED, pins)
    return register(home, rows, TRAINED, _run_id("train", TRAINED))


def _run_id(step: str, as_of: date) -> str:
    return hashlib.sha256(f"{step} {as_of}".encode()).hexdigest()


def _landed(home: Home) -> str:
    folder = home.landing / str(AS_OF)
    folder.mkdir()
    text = f'{{"delivery": "{AS_OF}", "files": {{}}}}'.encode()
    (folder / MANIFEST).write_bytes(text)
    return hashlib.sha256(text).hexdigest()


def _record(
    home: Home,
    step: str,
    as_of: date,
    pins: dict[str, int],
    *,
    inputs: dict[str, str] | None = None,
    run_id: str = "",
) -> None:
    Runs(home.tables).append(
        RunRecord(
            run_id=run_id or _run_id(step, as_of),
            step=step,
            as_of=as_of,
            campaign_id="monthly",
            supersedes=None,
            inputs=inputs or {},
            pins=pins,
            outputs={name: {} for name in pins},
            counts={},
            config_hash="",
            config=config_json(CONFIG),
            code_version=code_version(),
            engine="none",
            seconds=0.0,
        )
    )


def _commit(home: Home, table: Table, parts: Iterator[pa.Table], day: date) -> int:
    """Write rows as they come and commit them beside those that are there."""
    folder = home.tables / table.name
    below = folder / "data" / day.isoformat() if table.kind != "whole" else folder / "data" / "one"
    below.mkdir(parents=True)
    with pq.ParquetWriter(below / "part.parquet", arrow_schema(table), compression="zstd") as file:
        for part in parts:
            file.write_table(part, row_group_size=1 << 18)
    present = files_of(folder, latest_version(folder))
    return commit_files(folder, table, [*present, *data_files(folder, below)], "0" * 64)


def _chunks(customers: int) -> Iterator[np.ndarray]:
    for first in range(0, customers, CHUNK):
        yield np.arange(first, min(first + CHUNK, customers))


def _names(letter: str, numbers: np.ndarray) -> pa.Array:
    """Identifiers of these numbers; each different one is written once and then repeated."""
    used, place = np.unique(numbers, return_inverse=True)
    return pa.array([f"{letter}{number:09d}" for number in used]).take(pa.array(place))


def _drawn(who: np.ndarray, *salts: int) -> np.random.Generator:
    return np.random.default_rng([int(who[0]), *salts])


def _table(table: Table, rows: int, **columns: object) -> pa.Table:
    """Rows of a table; a column is an array, or one value for all rows, or null."""
    found = []
    for field in arrow_schema(table):
        value = columns.get(field.name)
        if isinstance(value, np.ndarray):
            value = pa.array(value)
        if not isinstance(value, pa.Array | pa.ChunkedArray):
            value = pa.repeat(pa.scalar(value, field.type), rows)
        found.append(value.cast(field.type))
    return pa.table(found, schema=arrow_schema(table))


def _of(words: list[str], places: np.ndarray) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(places, pa.int32()), pa.array(words)).cast(
        pa.string()
    )


def _days(day: date, more: np.ndarray) -> pa.Array:
    return pa.array(((day - EPOCH).days + more).astype("int32"), pa.int32()).cast(pa.date32())


def _known(days: pa.Array) -> pa.Array:
    """Recorded the day after."""
    micros = (days.cast(pa.int32()).to_numpy().astype("int64") + 1) * DAY
    return pa.array(micros, pa.int64()).cast(pa.timestamp("us", tz="UTC"))


def _customers(customers: int) -> Iterator[pa.Table]:
    for who in _chunks(customers):
        yield _table(
            stored(CUSTOMERS),
            len(who),
            customer_id=_names("C", who),
            branch_id=_names("B", who % 200),
            advisor_id=_names("A", who % 2_000),
            segment=_of(SEGMENTS, np.minimum(who % 13 // 4, 3)),
            birth_date=date(1980, 1, 1),
            joined_on=date(2015, 1, 1),
            is_employee=False,
            recorded_at=LONG_AGO,
            delivery=LONG_AGO.date(),
            is_deleted=False,
        )


def _holdings(customers: int) -> Iterator[pa.Table]:
    """What was held long ago, one in six bought within the year, one in thirty of those closed."""
    for who in _chunks(customers):
        random, rows = _drawn(who, 1), HELD * len(who)
        is_new = random.random(rows) < 1 / 6
        opened = np.where(is_new, random.integers(0, 365, rows), -random.integers(1, 2_000, rows))
        days = _days(months_before(AS_OF, MONTHS), opened)
        closed = pa.array(
            days.cast(pa.int32()).to_numpy() + random.integers(1, 90, rows),
            pa.int32(),
            mask=random.random(rows) > 1 / 30,
        )
        yield _table(
            stored(HOLDINGS),
            rows,
            holding_id=_names("H", HELD * int(who[0]) + np.arange(rows)),
            customer_id=_names("C", np.repeat(who, HELD)),
            product_id=_of(PRODUCTS, random.integers(0, len(PRODUCTS), rows)),
            opened_on=days,
            closed_on=closed.cast(pa.date32()),
            recorded_at=_known(days),
            delivery=AS_OF,
            is_deleted=False,
        )


def _consents(customers: int) -> Iterator[pa.Table]:
    for who in _chunks(customers):
        random, rows = _drawn(who, 2), CONSENTED * len(who)
        channels = ["branch", "phone", "email", "sms", "app"]
        days = _days(months_before(AS_OF, 24), random.integers(0, 700, rows))
        yield _table(
            stored(CONSENTS),
            rows,
            customer_id=_names("C", np.repeat(who, CONSENTED)),
            purpose="marketing_internal",
            channel=_of(channels, np.tile(np.arange(CONSENTED), len(who))),
            changed_at=days.cast(pa.timestamp("us")).cast(pa.timestamp("us", tz="UTC")),
            is_granted=random.random(rows) < GRANTED,
            recorded_at=_known(days),
            delivery=AS_OF,
            is_deleted=False,
            is_revision=False,
        )


def _contacts(customers: int) -> Iterator[pa.Table]:
    """Of each month's offers, four of five are made."""
    words = ["contacted", "no_answer", "interested", "sold", "refused"]
    for ago in range(MONTHS, 0, -1):
        as_of = months_before(AS_OF, ago)
        for who in _chunks(customers):
            made = _Made(who, ago)
            random, reached = _drawn(who, 3, ago), np.flatnonzero(made.is_offered)
            reached = reached[random.random(len(reached)) < REACHED]
            days = _days(as_of, random.integers(*FIRST_DAYS, len(reached)))
            yield _table(
                stored(CONTACTS),
                len(reached),
                contact_id=_names(f"T{ago:02d}", who[reached]),
                customer_id=_names("C", who[reached]),
                product_id=_of(_products(), made.offer[reached]),
                channel="phone",
                contacted_on=days,
                disposition=_of(words, random.integers(0, len(words), len(reached))),
                recorded_at=_known(days),
                delivery=AS_OF,
                is_deleted=False,
                is_revision=False,
            )


def _deliveries() -> Iterator[pa.Table]:
    yield _table(
        DELIVERIES,
        1,
        delivery=AS_OF,
        table_name=HOLDINGS.name,
        manifest_sha256="0",
        rows_in=0,
        rows_accepted=0,
        rows_quarantined=0,
    )


class _Made:
    """Who was offered what in a month: one offer of each client who made the cut."""

    def __init__(self, who: np.ndarray, ago: int) -> None:
        random = _drawn(who, 4, ago)
        makes_the_cut = random.random(len(who)) < OFFERED / (1 - CONTROL)
        is_withheld = random.random(len(who)) < CONTROL
        self.offer = random.integers(0, len(OFFERS), len(who))
        self.is_holdout = _drawn(who, 5).random(len(who)) < HOLDOUT
        self.is_offered = makes_the_cut & ~is_withheld & ~self.is_holdout
        self.is_control = makes_the_cut & is_withheld & ~self.is_holdout


def _products() -> list[str]:
    return [CONFIG.offers[name].product for name in OFFERS]


def _decisions(customers: int, as_of: date, run_id: str, ago: int) -> Iterator[pa.Table]:
    outcomes = ["ineligible", "suppressed", "outranked", "offered", "control"]
    several = len(OFFERS)
    margins = [CONFIG.products[name].expected_margin for name in _products()]
    moves = [_move(name) for name in OFFERS]
    for who in _chunks(customers):
        made, random, rows = _Made(who, ago), _drawn(who, 6, ago), several * len(who)
        offer = np.tile(np.arange(several), len(who))
        is_chosen = offer == np.repeat(made.offer, several)
        outcome = random.choice(3, rows, p=[0.6, 0.35, 0.05])
        outcome[is_chosen & np.repeat(made.is_offered, several)] = 3
        outcome[is_chosen & np.repeat(made.is_control, several)] = 4
        is_renewal = np.array([move == "renewal" for move in moves])[offer]
        propensity = random.random(rows) / 10
        yield _table(
            DECISIONS,
            rows,
            as_of=as_of,
            run_id=run_id,
            campaign_id="monthly",
            customer_id=_names("C", np.repeat(who, several)),
            offer_id=_of(OFFERS, offer),
            product_id=_of(_products(), offer),
            branch_id=_names("B", np.repeat(who % 200, several)),
            move=_of(moves, offer),
            channel="phone",
            outcome=_of(outcomes, outcome),
            failed_gates=[],
            propensity=propensity,
            margin=pa.array(margins, pa.decimal128(18, 2)).take(pa.array(offer)),
            contact_cost=5,
            is_in_global_holdout=np.repeat(made.is_holdout, several),
            is_in_control_group=np.repeat(made.is_control, several),
            contacts_left_30d=1,
            consent_checked_at=LONG_AGO,
            response=propensity,
            event_on=pa.array(
                _days(as_of, np.full(rows, 20)).to_numpy(zero_copy_only=False), mask=~is_renewal
            ),
            is_exploration=False,
        )


def _features(customers: int, as_of: date, ago: int) -> Iterator[pa.Table]:
    """What eligibility asks: everybody has an account, one in three each of the other products."""
    for who in _chunks(customers):
        random = _drawn(who, 7, ago)
        held = {f"has_{name}": random.random(len(who)) < 1 / 3 for name in PRODUCTS}
        held["has_current_account"] = np.ones(len(who), dtype=bool)
        amounts = dict.fromkeys(("balance_amount", "income_amount_3m"), 9_000)
        customer_id = _names("C", who)
        yield _table(FEATURES, len(who), as_of=as_of, customer_id=customer_id, **held, **amounts)


def _scores(customers: int, as_of: date, ago: int) -> Iterator[pa.Table]:
    for who in _chunks(customers):
        rows = len(PRODUCTS) * len(who)
        yield _table(
            PROPENSITY_SCORES,
            rows,
            as_of=as_of,
            customer_id=_names("C", np.repeat(who, len(PRODUCTS))),
            product_id=_of(PRODUCTS, np.tile(np.arange(len(PRODUCTS)), len(who))),
            propensity=_drawn(who, 8, ago).random(rows) * HIGHEST,
            model_name="drawn",
            model_version=1,
            model_kind="booster",
            feature_version=0,
        )


def _move(offer_id: str) -> str:
    offer = CONFIG.offers[offer_id]
    if offer.move or offer.bundle:
        return offer.move or "bundle"
    return f"cross_sell_{CONFIG.products[offer.product].kind}"
