"""Why a solver stopped."""

from __future__ import annotations

from enum import Enum

_GRADIENT = "gradient {gradient_norm:.1e}"


class StopReason(Enum):
    """The reason; its value is the template of its message."""

    CONVERGED = f"converged, {_GRADIENT}"
    ITERATION_LIMIT = f"stopped after {{n}} iterations, {_GRADIENT}"
    NO_DECREASE = (
        f"stopped after {{n}} iterations, where no step decreases the objective, {_GRADIENT}"
    )
    NO_GAIN = "stopped after {n} epochs, {without_gain} without gain; epoch {best} kept"
    EPOCH_LIMIT = "stopped after {n} epochs, still gaining; epoch {best} kept"

    @property
    def is_converged(self) -> bool:
        """Whether the solver finished, rather than reaching a limit or getting stuck."""
        return self in (StopReason.CONVERGED, StopReason.NO_GAIN)

    def message(self, **numbers: float) -> str:
        """The reason in words, with the numbers that its template names."""
        return self.value.format(**numbers)
