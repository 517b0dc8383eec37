"""DataFrame in, DataFrame out: facts about customers known before the as-of date."""
