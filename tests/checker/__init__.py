"""An independent reader of what a bank delivered and of the lists made from it.

It says the rules of `docs/rules.md` once more, in SQL for DuckDB, shares no code with the packages
that make the lists, and reads neither their tables nor their log: the files of `landing/`, the
files of one campaign's lists, and the YAML of `conf/`.

`python -m tests.checker HOME` tells every row of a list that breaks a rule. Not looked at are what
branches returned by `xsell offers disposition`, which can only stop more offers, minima of quotas,
and rules of the bank that ask for other facts than branch, segment, age, income and balance: such
a rule is named as one that cannot be checked.

Who is withheld, so that anybody can compute it again: take SHA-256 of these texts in UTF-8, joined
by `|`, and of its hexadecimal form the first 13 digits as a number. Withheld is who is below the
share times 16^13.

- global holdout: `campaign.salt`, `global_holdout`, `customer_id`; `campaign.global_holdout_share`
- control of a campaign: `campaign.salt`, `campaign.campaign_id`, as-of date as YYYY-MM-DD,
  `customer_id`; `campaign.control_share`
"""
