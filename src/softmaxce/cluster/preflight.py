"""Which workers are usable: they have the same program versions as here, and can read the data."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import cloudpickle
from distributed import Client

from softmaxce.cluster import probe
from softmaxce.cluster.probe import worker_versions
from softmaxce.cluster.worker import fault_of

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
        self._here = worker_versions()
        self._kernels = {self._here["kernels"]}
        self._hosts: dict[str, str] = {}

    def usable(self, addresses: set[str]) -> set[str]:
        """Those of these workers that are usable; the others are refused now or were before."""
        for address, versions in self._ask(addresses - self.refused, worker_versions).items():
            self._hosts[address] = versions["host"] if isinstance(versions, dict) else address
            fault = self._fault(versions)
            if fault:
                self._refuse(address, fault)
        return self.with_data(addresses, self.paths)

    def with_data(self, addresses: set[str], paths: tuple[str, ...]) -> set[str]:
        """Those of these workers that can read all of these files; the others are refused."""
        if paths:
            for address, fault in self._ask(addresses - self.refused, fault_of, paths).items():
                if fault is not None:
                    self._refuse(address, f"cannot read the data: {fault}")
        return addresses - self.refused

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
        if not addresses:
            return {}
        order = sorted(addresses)

        async def ask(address: str) -> Any:
            answering = self.client.run(
                function, *arguments, workers=[address], on_error="return", asynchronous=True
            )
            try:
                return (await asyncio.wait_for(answering, _SECONDS)).get(address, "no answer")
            except Exception as error:
                return str(error) or type(error).__name__

        async def ask_all() -> dict[str, Any]:
            return dict(zip(order, await asyncio.gather(*map(ask, order)), strict=True))

        return dict(self._wait_for(ask_all(), _SECONDS + 5))


cloudpickle.register_pickle_by_value(probe)  # a worker may have no softmaxce, or another
