"""An independent reader of what a bank delivered, and of what was decided and published from it.

It says the rules of `docs/rules.md` once more, in SQL for DuckDB, and shares no code with the
packages that decide: it reads the files of `landing/`, those of a campaign's lists, its decisions
as Parquet, and the configuration that its run has recorded. `xsell offers check` runs it.

Three things are told: rows of lists that break a rule, decisions that do not belong together, and
gates that stop an offer by the decisions and not by what was delivered, or the other way round. Not
looked at are minima of quotas, what an offer is worth, contacts of households of which branches
have returned a result, income, balance and events of who is not active, and rules of the bank that
ask for other facts than branch, segment, age, income and balance; a report names them.

Who is withheld, so that anybody can compute it again: take SHA-256 of these texts in UTF-8, joined
by `|`, and of its hexadecimal form the first 13 digits as a number. Withheld is who is below the
share times 16^13.

- global holdout: `campaign.salt`, `global_holdout`, `customer_id`; `campaign.global_holdout_share`
- control of a campaign: `campaign.salt`, `campaign.campaign_id`, as-of date as YYYY-MM-DD,
  `customer_id`; `campaign.control_share`
"""
