"""Why a solver stopped."""

from __future__ import annotations

from enum import Enum


class StopReason(Enum):
    """The reason; its value is the template of its message."""

    CONVERGED = "converged, gradient {gradient_norm:.1e}"
    ITERATION_LIMIT = "stopped after {n} iterations, gradient {gradient_norm:.1e}"
    NO_DECREASE = (
        "stopped after {n} iterations, where no step decreases the objective, "
        "gradient {gradient_norm:.1e}"
    )
    NO_GAIN = "stopped after {n} epochs, {without_gain} without gain; epoch {best} kept"
    EPOCH_LIMIT = "stopped after {n} epochs, still gaining; epoch {best} kept"
