"""Rules between settings that the type of one value cannot say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from conf.errors import did_you_mean
from conf.move_rules import broken_moves
from conf.schema import EligibilityRules, Product, RunConfig
from conf.way_rules import broken_way_rules
from conf.wording import ANY_LANGUAGE

SHORTEST_MONTH = 28  # days
Path = tuple[str, ...]
Broken = Iterator[tuple[Path, str]]


def broken_rules(config: RunConfig) -> Broken:
    """Every broken rule: where the value stands, and what is wrong with it."""
    for product_id in config.products:
        yield from _product(config, product_id)
    yield from _same_but_for_case(config.products)
    for offer_id, offer in config.offers.items():
        yield from _unknown(("offers", offer_id, "product"), [offer.product], config.products)
    yield from broken_moves(config)
    for name in config.rules:
        yield from _bank_rule(config, name)
    yield from _limits(config)
    yield from _care(config)
    yield from _quotas(config)
    yield from broken_way_rules(config)
    yield from _jurisdiction(config)
    yield from _models(config)
    yield from _engine(config)


def _product(config: RunConfig, product_id: str) -> Broken:
    product = config.products[product_id]
    path = ("products", product_id)
    yield from _partner(path, product, config)
    yield from _margin(path, product)
    yield from _eligibility((*path, "eligibility"), product_id, product.eligibility, config)
    for field, others in (
        ("upgrade_of", [product.upgrade_of] if product.upgrade_of else []),
        ("complements", product.complements),
    ):
        yield from _other_products((*path, field), product_id, others, config)
    if _upgrades_to_itself(config, product_id):
        yield (*path, "upgrade_of"), "leads back to the product itself"
    language = config.bank.language
    for field, languages in (
        ("name", (language,) if ANY_LANGUAGE in product.name else product.name),
        ("client_benefit", product.client_benefit),
    ):
        if language not in languages:
            yield (*path, field), f"has no text in the bank's language {language}"
    if product.fatigue_class not in config.contact_policy.max_contacts_90d_by_fatigue_class:
        yield (
            ("contact_policy", "max_contacts_90d_by_fatigue_class"),
            f"has no cap for {product.fatigue_class}, the fatigue class of {product_id}",
        )


def _partner(path: Path, product: Product, config: RunConfig) -> Broken:
    if product.kind == "partner" and product.partner is None:
        yield (*path, "partner"), "is missing, and kind is partner"
    if product.kind == "internal" and product.partner is not None:
        yield (*path, "partner"), f"is {product.partner}, but kind is internal"
    yield from _unknown(
        (*path, "partner"), [product.partner] if product.partner else [], config.partners
    )


def _margin(path: Path, product: Product) -> Broken:
    if product.margin_per_sale is None and product.margin_per_year is None:
        yield path, "has neither margin_per_sale nor margin_per_year"
    if (product.margin_per_year is None) != (product.horizon_months is None):
        yield path, "needs margin_per_year and horizon_months together"


def _eligibility(path: Path, product_id: str, rules: EligibilityRules, config: RunConfig) -> Broken:
    if rules.min_age is not None and rules.max_age is not None and rules.min_age > rules.max_age:
        yield (*path, "min_age"), f"is {rules.min_age}, above max_age {rules.max_age}"
    yield from _other_products((*path, "requires_any"), product_id, rules.requires_any, config)
    yield from _other_products((*path, "excludes"), product_id, rules.excludes, config)
    for both in sorted(set(rules.requires_any) & set(rules.excludes)):
        yield (*path, "excludes"), f"has {both}, which requires_any asks for"


def _bank_rule(config: RunConfig, name: str) -> Broken:
    rule, path = config.rules[name], ("rules", name)
    for field, named, known in (
        ("offers", rule.applies_to.offers, config.offers),
        ("products", rule.applies_to.products, config.products),
        ("partners", rule.applies_to.partners, config.partners),
    ):
        yield from _unknown((*path, "applies_to", field), named, known)
    if config.bank.language not in rule.description:
        yield (*path, "description"), f"has no text in the bank's language {config.bank.language}"


def _limits(config: RunConfig) -> Broken:
    checks, campaign = config.checks, config.campaign
    if checks.min_base_rate >= checks.max_base_rate:
        yield (
            ("checks", "min_base_rate"),
            f"is {checks.min_base_rate}, not below max_base_rate {checks.max_base_rate}",
        )
    withheld = campaign.control_share + campaign.global_holdout_share
    if withheld >= 1:
        yield (
            ("campaign", "control_share"),
            f"and global_holdout_share withhold {withheld:g} of all; leave some to contact",
        )


def _care(config: RunConfig) -> Broken:
    care, language = config.care, config.bank.language
    for flag in care.no_contact:
        if flag in care.treatments:
            yield ("care", "no_contact"), f"has {flag}, which also has a treatment"
    for flag, treatment in care.treatments.items():
        if language not in care.why.get(flag, {}):
            yield (
                ("care", "why"),
                f"has no text for {flag} in the bank's language {language}; say what a branch is"
                " told",
            )
        instruction = care.instructions.get(treatment)
        if instruction is None:
            yield (
                ("care", "instructions"),
                f"lacks {treatment}, the treatment of {flag}; say what a branch does",
            )
            continue
        for field in ("name", "what_to_do", "contact"):
            if language not in getattr(instruction, field):
                path = ("care", "instructions", treatment, field)
                yield path, f"has no text in the bank's language {language}"


def _quotas(config: RunConfig) -> Broken:
    campaign = config.campaign
    for field, quotas, known in (
        ("product_quotas", campaign.product_quotas, tuple(config.products)),
        ("partner_quotas", campaign.partner_quotas, tuple(config.partners)),
    ):
        yield from _unknown(("campaign", field), quotas, known)
        for name, quota in quotas.items():
            if quota.max is not None and quota.min > quota.max:
                yield ("campaign", field, name, "min"), f"is {quota.min}, above max {quota.max}"


def _jurisdiction(config: RunConfig) -> Broken:
    law, policy = config.jurisdiction, config.contact_policy
    path = ("jurisdiction", "profile")
    if law.profile not in law.profiles:
        yield from _unknown(path, [law.profile], law.profiles)
        return
    opt_out = policy.cool_off_days_after.get("opt_out", 0)
    if opt_out < law.in_force.min_opt_out_days:
        yield (
            ("contact_policy", "cool_off_days_after", "opt_out"),
            f"is {opt_out}; the jurisdiction profile {law.profile} asks for at least"
            f" {law.in_force.min_opt_out_days}",
        )
    bound = law.in_force.max_contacts_30d
    if bound is not None and policy.max_contacts_30d > bound:
        yield (
            ("contact_policy", "max_contacts_30d"),
            f"is {policy.max_contacts_30d}; the jurisdiction profile {law.profile} allows at most"
            f" {bound}",
        )
    yield from _retention(config)
    for name in law.profiles:
        yield from _judged_attributes(config, name)
    for name, period in law.quiet_periods.items():
        if period.last_day < period.first_day:
            yield (
                ("jurisdiction", "quiet_periods", name, "last_day"),
                f"is {period.last_day}, before first_day {period.first_day}",
            )


def _retention(config: RunConfig) -> Broken:
    """Whether a lever still cools off is read from the decisions of past campaigns."""
    profile = config.jurisdiction.profile
    months = config.jurisdiction.in_force.retention.decisions
    if months is None:
        return
    for code, lever in config.levers.items():
        if lever.once_in_days > months * SHORTEST_MONTH:
            yield (
                ("jurisdiction", "profiles", profile, "retention", "decisions"),
                f"is {months}; lever {code} is offered once in {lever.once_in_days} days, and with"
                " the decisions it would be forgotten that it was",
            )


def _judged_attributes(config: RunConfig, profile: str) -> Broken:
    measured = config.models.fairness.attributes
    for attribute in config.jurisdiction.profiles[profile].fairness.stop:
        if attribute not in measured:
            yield (
                ("jurisdiction", "profiles", profile, "fairness", "stop", attribute),
                "is not measured: models.fairness.attributes does not name it",
            )


def _models(config: RunConfig) -> Broken:
    bands = config.models.fairness.age_bands
    if list(bands) != sorted(set(bands)):
        yield ("models", "fairness", "age_bands"), "do not rise"
    if config.models.four_eyes and config.models.auto_promote:
        yield (
            ("models", "four_eyes"),
            "asks for two persons, and auto_promote for none; set models.auto_promote to false",
        )


def _engine(config: RunConfig) -> Broken:
    kind, url = config.engine.kind, config.engine.url
    if kind == "embedded" and url:
        yield ("engine", "url"), f"is {url}, but the embedded engine has none"
    if kind == "connect" and not url.startswith("sc://"):
        yield ("engine", "url"), f"is {url!r}; the connect engine needs sc://host:port"


def _other_products(
    path: Path, product_id: str, others: Iterable[str], config: RunConfig
) -> Broken:
    yield from _unknown(path, others, config.products)
    if product_id in others:
        yield path, f"names {product_id} itself"


def _unknown(path: Path, names: Iterable[str], known: Iterable[str]) -> Broken:
    known = tuple(known)
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known) or f"; there are {', '.join(known)}"
            yield path, f"names {name}, which does not exist{hint}"


def _upgrades_to_itself(config: RunConfig, product_id: str) -> bool:
    seen, current = {product_id}, config.products[product_id].upgrade_of
    # the product naming itself directly is told by _other_products
    while current in config.products and current not in seen:
        seen.add(current)
        current = config.products[current].upgrade_of
    return current == product_id and len(seen) > 1


def _same_but_for_case(products: Iterable[str]) -> Broken:
    # product ids become column names, which engines compare without regard to case
    seen: dict[str, str] = {}
    for product_id in products:
        twin = seen.setdefault(product_id.lower(), product_id)
        if twin != product_id:
            yield ("products", product_id), f"differs from {twin} in upper and lower case only"
