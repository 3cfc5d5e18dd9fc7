"""How the service is reached, checked before it is."""

import ipaddress
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from icefloe.errors import IcefloeError

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Options(BaseModel):
    """Where the service listens, and how browsers reach it.

    Attributes
    ----------
    host, port
        Address to bind.
    names
        Host names and addresses that requests may be for, beside those of this machine's loopback.
    behind_proxy
        Whether a proxy in front of it speaks TLS; `names` then are the proxy's.
    certificate, key
        Files of a TLS certificate and its key.
    no_auth
        Let everybody in as an admin: for one person on her own machine.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8080
    names: tuple[str, ...] = ()
    behind_proxy: bool = False
    certificate: str | None = None
    key: str | None = None
    no_auth: bool = False

    @model_validator(mode="after")
    def _nobody_listens_in(self) -> "Options":
        if bool(self.certificate) != bool(self.key):
            raise IcefloeError("TLS needs a certificate and its key. Name both files.")
        if is_loopback(self.host):
            return self
        if self.no_auth:
            raise IcefloeError(
                f"{self.host}: others would reach a service that asks nobody who they are. "
                "Leave --no-auth out, or bind 127.0.0.1."
            )
        if not self.secure:
            raise IcefloeError(
                f"{self.host}: passwords would cross the network unencrypted. Give --tls-certificate and "
                "--tls-key, or name the proxy that speaks TLS with --behind-proxy."
            )
        if not self.hosts - set(LOOPBACK):
            raise IcefloeError(f"{self.host}: say by which name it is reached: --name segment.example.org.")
        return self

    @property
    def secure(self) -> bool:
        """Whether browsers speak TLS."""
        return self.certificate is not None or self.behind_proxy

    @property
    def hosts(self) -> set[str]:
        """Names that requests may be for."""
        own = {self.host} if not means_all(self.host) else set()
        return {*LOOPBACK, *own, *self.names}

    @property
    def url(self) -> str:
        """Where a browser on this machine, or else on others, finds it."""
        scheme = "https" if self.secure else "http"
        if self.behind_proxy:
            return f"{scheme}://{self.names[0]}"
        name = self.names[0] if self.names else self.host
        return f"{scheme}://{f'[{name}]' if ':' in name else name}:{self.port}"


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    if host in LOOPBACK:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def means_all(host: str) -> bool:
    """Whether an address means all of the machine's."""
    return host in ("0.0.0.0", "::", "")
