"""Which workers are usable: they have the same program versions as here, and can read the data."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import cloudpickle
from distributed import Client

from softmaxce.cluster import probe, ranges

_SECONDS = 20.0  # for a probe, which imports everything
_MUST_BE_EQUAL = ("softmaxce", "NumPy", "Pillow", "libjpeg")


class Preflight:
    """Probes each worker once. paths: files that every worker must be able to read; refused: the
    addresses of unusable workers; reason: why the last of them is unusable, in one line."""

    def __init__(
        self, client: Client, notify: Callable[[str], None], wait_for: Callable[..., Any]
    ) -> None:
        self.client, self.notify, self._wait_for = client, notify, wait_for
        self.paths: tuple[str, ...] = ()
        self.refused: set[str] = set()
        self.reason = ""
        self._here = probe.worker_versions()
        self._kernels = {self._here["kernels"]}
        self._hosts: dict[str, str] = {}

    def fit(self, addresses: set[str]) -> set[str]:
        """Those of these workers that are usable, apart from workers refused before."""
        new = addresses - self.refused
        if not new:
            return set()
        passed = set()
        for address, versions in self._ask(new, probe.worker_versions).items():
            self._hosts[address] = versions["host"] if isinstance(versions, dict) else address
            fault = self._fault(versions)
            if fault:
                self._refuse(address, fault)
            else:
                passed.add(address)
        if self.paths and passed:
            passed -= self.without_data(passed, self.paths)
        return passed

    def without_data(self, addresses: set[str], paths: tuple[str, ...]) -> set[str]:
        """Those of these workers that cannot read all of these files; they are refused."""
        faults = self._ask(addresses, ranges.fault_of, paths)
        without = {address for address, fault in faults.items() if fault is not None}
        for address in sorted(without):
            self._refuse(address, f"cannot read the data: {faults[address]}")
        return without

    def _refuse(self, address: str, fault: str) -> None:
        self.refused.add(address)
        self.reason = f"worker {address} on {self._hosts[address]}: {fault}"
        self.notify(f"{self.reason}; not used")

    def _fault(self, versions: Any) -> str | None:
        """Why a worker is unusable, None if it is usable. Different kernels are only reported."""
        if not isinstance(versions, dict):
            return f"it does not answer ({versions})"
        for name in _MUST_BE_EQUAL:
            if versions[name] != self._here[name]:
                return f"{name} is {versions[name]} there and {self._here[name]} here"
        kernels, own = versions["kernels"], self._here["kernels"]
        if kernels not in self._kernels:
            self._kernels.add(kernels)
            self.notify(
                f"{versions['host']} computes with {kernels}, this machine with {own}: "
                "the last bits may differ from run to run"
            )
        return None

    def _ask(self, addresses: set[str], function: Any, *arguments: Any) -> dict[str, Any]:
        """Each worker's answer, or the error as text."""

        async def ask(address: str) -> Any:
            answering = self.client.run(
                function, *arguments, workers=[address], on_error="return", asynchronous=True
            )
            try:
                return (await asyncio.wait_for(answering, _SECONDS)).get(address, "no answer")
            except Exception as error:
                return str(error) or type(error).__name__

        async def ask_all() -> list[Any]:
            return await asyncio.gather(*map(ask, order))

        order = sorted(addresses)
        return dict(zip(order, self._wait_for(ask_all(), _SECONDS + 5), strict=True))


cloudpickle.register_pickle_by_value(probe)  # a worker may have no softmaxce, or another
