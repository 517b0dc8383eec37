"""Campaign lists after their publication: export, comparison, results that come back, recalls."""
