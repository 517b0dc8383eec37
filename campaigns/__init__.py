"""Gates, value, choice, control group, lists and offer log: policy, independent of the models."""
