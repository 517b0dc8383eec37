"""Labels, training, calibration, scoring, evaluation, registry."""
