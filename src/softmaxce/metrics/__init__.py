"""How good predictions are: scores, intervals, calibration, prediction sets, comparison."""
