"""Which cluster, and how long to wait for it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from softmaxce.errors import InputError

_TLS_FILES = {"tls_ca_file": "ca.pem", "tls_client_cert": "cert.pem", "tls_client_key": "key.pem"}


@dataclass(frozen=True)
class ClusterSettings:
    """address: tcp://host:port, tls://host:port, or a scheduler's JSON file; tls: a folder with
    ca.pem, cert.pem and key.pem; timeout: seconds to wait for the scheduler and for min_workers;
    eval_timeout: seconds without any result after which a silent worker counts as hung;
    ignore_memory_check: train even if this machine seems to have too little memory."""

    address: str
    tls: str | Path | None = None
    min_workers: int = 1
    timeout: float = 60.0
    eval_timeout: float = 30.0
    ignore_memory_check: bool = False

    def check(self) -> None:
        """Raise InputError for settings that cannot work."""
        if "://" in self.address:
            if not self.address.startswith(("tcp://", "tls://")):
                raise InputError(f"--dask {self.address}: use tcp://, tls:// or a JSON file")
        elif not os.path.isfile(self.address):
            raise InputError(f"--dask {self.address}: not a file, nor an address tcp://host:port")
        if self.address.startswith("tls://") and self.tls is None:
            raise InputError(
                "--dask tls://… needs --dask-tls, the folder with ca.pem, cert.pem and key.pem"
            )
        for name in _TLS_FILES.values() if self.tls else ():
            if self.tls and not Path(self.tls, name).is_file():
                raise InputError(f"--dask-tls {self.tls}: it does not contain {name}")

    def security(self) -> Any:
        """`tls` as Dask's Security object, or None."""
        if self.tls is None:
            return None
        from distributed.security import Security

        files = {name: str(Path(self.tls, file)) for name, file in _TLS_FILES.items()}
        return Security(**files, require_encryption=True)
