"""Why the same offer to the same client is worth more or less in another run."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from campaigns.change import Cause
from campaigns.moved import Key, Moved, Question, Valuer, in_words, shares_in_words
from campaigns.moves import LEAST_COMPONENT, RENEWAL_RATE
from campaigns.sides import Row, Side, configured, way
from campaigns.value import PROPENSITY, UPLIFT

Found = tuple[Cause, str]
PACKAGE = "a package goes by the least of several models: not told apart from the data"


def of_value(key: Key, before: Side, after: Side) -> list[Found]:
    """Why the same offer is worth more or less; nothing if it is not."""
    was, now = before.decided[key], after.decided[key]
    found: list[Found] = [
        (Cause.POLICY, f"{name} {was[name]} -> {now[name]}")
        for name in ("margin", "contact_cost")
        if was[name] != now[name]
    ]
    if was["response"] != now["response"]:
        found.append(_of_response(key, before, after))
    return found


def _of_response(key: Key, before: Side, after: Side) -> Found:
    was, now = before.decided[key], after.decided[key]
    answer = after.answers.get(key)
    if isinstance(answer, Moved):
        return Cause.MODEL if answer.is_by_model else Cause.DATA, in_words(answer)
    if _is_of_way(was, now):
        is_policy = configured(before.config, key[1]) != configured(after.config, key[1])
        return Cause.POLICY if is_policy else Cause.CAPACITY, f"{way(was)} -> {way(now)}"
    models = [_valuers(key, side) for side in (before, after)]
    if models[0] == models[1] or not all(models):
        return Cause.DATA, _response_in_words(was, now)
    named = " -> ".join(", ".join(f"{one.basis} {one.version}" for one in own) for own in models)
    return Cause.MODEL, f"{named}; {answer or PACKAGE}"


def _is_of_way(was: Row, now: Row) -> bool:
    """The client is as likely to want it; the channel, or what goes with it, is another."""
    is_plain = was["response_basis"] == now["response_basis"] in (PROPENSITY, RENEWAL_RATE)
    return is_plain and bool(was["propensity"] == now["propensity"])


def _response_in_words(was: Row, now: Row) -> str:
    """Who holds a product, or does not know it any more, is valued on another basis."""
    bases = list(dict.fromkeys(str(row["response_basis"]) for row in (was, now)))
    basis = " -> ".join(bases).replace("_", " ")
    if was["response"] is None or now["response"] is None:
        return f"{basis}, of which one is unknown"
    return f"{basis} {shares_in_words(was['response'], now['response'])}"


def questions(keys: Collection[Key], before: Side, after: Side) -> Iterator[Question]:
    """Of which it has to be found out what moved their response.

    Args:
        keys: Clients and offers whose change the response may have caused.
        before: The run before.
        after: The one after.
    """
    for key in sorted(keys):
        was, now = before.decided.get(key), after.decided.get(key)
        if was is None or now is None or was["response"] == now["response"]:
            continue
        if _is_of_one_model(was) and _is_of_one_model(now) and not _is_of_way(was, now):
            product_id = after.config.offers[key[1]].product
            propensities = (was["propensity"], now["propensity"])
            yield Question(key, product_id, (_valuer(was), _valuer(now)), propensities)


def _is_of_one_model(row: Row) -> bool:
    return row["response_basis"] in (PROPENSITY, UPLIFT)


def _valuers(key: Key, side: Side) -> list[Valuer]:
    """The models behind a response: none behind a renewal, of a package those of its products."""
    row, offers = side.decided[key], side.config.offers
    if _is_of_one_model(row):
        return [_valuer(row)]
    bundle = offers[key[1]].bundle
    if row["response_basis"] != LEAST_COMPONENT or bundle is None:
        return []
    # Each of its products is an offer of its own, which the same models have valued.
    others = {offer.product: side.decided.get((key[0], name)) for name, offer in offers.items()}
    return [_valuer(other) for name in bundle.products if (other := others.get(name)) is not None]


def _valuer(row: Row) -> Valuer:
    if row["uplift_version"] is not None:
        return Valuer(UPLIFT, row["uplift_version"])
    return Valuer(PROPENSITY, row["model_version"])
