# %% [markdown]
"""The data scientist's workbench, from a stored training set to a registered challenger.

Opens as a notebook in VS Code and Jupyter (percent cells), and runs as a script:
`python docs/workbench.py --home var --as-of 2026-11-01 --product mortgage`. With `--by NAME` it
registers the variant it ends with. Nothing here promotes a model: `xsell models promote` does.
"""

# %%
import argparse
import sys
from pathlib import Path

import pandas as pd

from jobs.arguments import month_first
from jobs.workbench import in_one_line, open_workbench

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--home", type=Path, default=Path("var"))
parser.add_argument("--as-of", type=month_first, default="2026-11-01", help="of xsell train")
parser.add_argument("--product", default="mortgage")
parser.add_argument("--by", help="who registers the variant; recorded")
parser.add_argument("--why", default="fewer features do as well", help="why; recorded")
# In a notebook change the defaults above.
options = parser.parse_args([] if "ipykernel" in sys.modules else None)
sys.excepthook = in_one_line

# %% [markdown]
# ## The training set
# What `xsell train` published: the sampled customers of several cohorts with their features, in
# three parts by date. A row stands for `weight` customers. An engine reads it and is stopped again.

# %%
workbench = open_workbench(options.home, options.as_of)
customers = workbench.customers.to_pandas()
print(customers.groupby(["part", "cohort"])["weight"].agg(["size", "sum"]))

# %% [markdown]
# ## Looking around
# `outcomes` gives the training cohorts. Ask for the others only if you know why: who chooses
# features by the test cohort has trained on it.

# %%
bought = workbench.outcomes(options.product).to_pandas()
seen = bought.merge(customers, on=["cohort", "customer_id", "weight"], validate="one_to_one")
seen["buyers"] = seen["weight"] * seen["has_bought"]
by_rank = seen.groupby("segment_rank")[["buyers", "weight"]].sum()
print(by_rank.assign(rate=by_rank["buyers"] / by_rank["weight"]))

# %% [markdown]
# ## A variant with parameters of its own
# Names are those of `conf/base/models.yaml` or of LightGBM. Sampling, prior correction, early
# stopping over customers of the training cohorts, calibration and test are production's.

# %%
deeper = workbench.train(options.product, parameters={"num_leaves": 8, "path_smooth": 5.0})
print(workbench.compare(deeper))

# %% [markdown]
# ## A variant with a column of its own
# A row for each row of `customers`, made only of what was known before its cohort. It can be
# compared; before it can be registered, it has to become a feature (docs/feature_catalogue.md, "Add
# a feature"), because scoring must be able to compute it.

# %%
rent_to_income = customers["rent_amount_3m"] / customers["income_amount_3m"].where(lambda x: x > 0)
own = pd.DataFrame(
    {
        "cohort": customers["cohort"],
        "customer_id": customers["customer_id"],
        "rent_to_income_3m": rent_to_income,
    }
)
with_own = workbench.train(options.product, extra=own)
print(workbench.compare(with_own))

# %% [markdown]
# ## A variant with fewer features

# %%
kept = [name for name in workbench.features if not name.startswith(("has_", "months_since_"))]
fewer = workbench.train(options.product, features=kept)
print(workbench.compare(fewer))
print("Card:", workbench.card(fewer))

# %% [markdown]
# ## Registering
# Choose before you look too often: each comparison says how many variants were looked at on this
# test cohort. A registered variant is a challenger with card, SHA-256 and record like any other.

# %%
if options.by:
    registered = workbench.register(fewer, by=options.by, why=options.why)
    print(f"{options.product} version {registered.version} is the challenger.")
    print(f"Gate: {registered.tags['gate']}; {registered.tags['against_champion']}")
    print(f"Next: xsell models compare {options.product} --home {options.home}")
workbench.close()
