"""Gates, value, choice, control group, lists, offer log rows."""
