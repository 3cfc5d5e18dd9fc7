"""Identity providers: OpenID Connect, authorization code with PKCE."""

import logging
import time
from collections.abc import Callable
from threading import Lock
from typing import Any

from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from pydantic import BaseModel, ConfigDict
from requests import RequestException

from icefloe.errors import IcefloeError
from icefloe.settings import IdentityProvider, Settings, is_private
from serving.auth.roles import Role
from serving.problems import RefusedError

logger = logging.getLogger(__name__)

WAIT_SECONDS = 10.0
KEPT_SECONDS = 3600.0
"""A provider's description and keys are asked for again after an hour, keys also when a new one is met."""

LEEWAY_SECONDS = 60
"""By which the clocks of the provider and of this machine may differ."""

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Signatures that only the provider can make; not `none`, and no secret that others share."""


class Identity(BaseModel):
    """Whom a provider has proved somebody to be.

    Attributes
    ----------
    issuer, subject
        Together they name a person, for good; names and e-mail addresses may pass to others.
    name
        What to call her.
    role
        The highest that her groups give; None: they give none.
    """

    model_config = ConfigDict(frozen=True)

    issuer: str
    subject: str
    name: str
    role: Role | None


class NotProvedError(RefusedError):
    """What came back from a provider proves nobody's identity."""

    def __init__(self, provider: str, why: str) -> None:
        super().__init__(403, f"{provider}: {why}. Sign in again; if that fails, tell an admin.")


class Provider:
    """An identity provider.

    Parameters
    ----------
    key
        Its name in the settings, and in the addresses of this service.
    settings
        How it is reached, and what its groups mean here.
    clock
        Seconds since the epoch.

    Raises
    ------
    IcefloeError
        If a role is none.
    """

    def __init__(self, key: str, settings: IdentityProvider, clock: Callable[[], float] = time.time) -> None:
        self.key, self.title, self.issuer = key, settings.title or key, settings.issuer
        self._settings, self._clock = settings, clock
        self._lock = Lock()
        self._about: tuple[float, dict[str, Any]] | None = None
        self._keys: tuple[float, KeySet] | None = None
        try:
            self._roles = {group: Role(role) for group, role in settings.roles.items()}
        except ValueError as error:
            known = ", ".join(Role)
            raise IcefloeError(f"oidc.{key}.roles: {error}. Choose of {known}.") from error

    def address(self, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """Where a browser goes to sign in.

        Raises
        ------
        RefusedError
            If the provider cannot be reached.
        """
        with self._session(redirect_uri) as session:
            url, _ = session.create_authorization_url(
                self._describe()["authorization_endpoint"], state=state, nonce=nonce, code_verifier=verifier
            )
        return str(url)

    def identify(self, code: str, redirect_uri: str, nonce: str, verifier: str) -> Identity:
        """Whom a code that a browser has brought back is for.

        Raises
        ------
        NotProvedError
            If the provider does not take the code, or its answer is not for this sign-in, or out of date.
        RefusedError
            If the provider cannot be reached.
        """
        about = self._describe()
        with self._session(redirect_uri) as session:
            try:
                token = session.fetch_token(
                    about["token_endpoint"], code=code, code_verifier=verifier, allow_redirects=False
                )
            except OAuthError as error:  # its description may repeat what was sent
                raise NotProvedError(self.title, f"it did not take the sign-in ({error.error})") from error
            except (RequestException, ValueError) as error:
                raise self._unreachable(error) from error
            claims = self._checked(token, nonce)
            groups = claims.get(self._settings.groups_claim)
            if groups is None and "userinfo_endpoint" in about:
                groups = self._user_info(session, about, claims["sub"]).get(self._settings.groups_claim)
        return Identity(
            issuer=self._settings.issuer,
            subject=claims["sub"],
            name=_name(claims),
            role=self._role(groups),
        )

    def _session(self, redirect_uri: str) -> Any:
        secret = self._settings.client_secret
        return OAuth2Session(
            self._settings.client_id,
            secret and secret.get_secret_value(),
            scope=self._settings.scope,
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            token_endpoint_auth_method=self._settings.client_authentication if secret else "none",
            default_timeout=WAIT_SECONDS,
        )

    def _describe(self) -> dict[str, Any]:
        """What the provider says of itself, checked."""
        now = self._clock()
        with self._lock:
            if self._about is not None and now - self._about[0] < KEPT_SECONDS:
                return self._about[1]
            issuer = self._settings.issuer
            about: dict[str, Any] = self._get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            if about.get("issuer") != issuer:
                raise NotProvedError(self.title, f"it calls itself {about.get('issuer')}, not {issuer}")
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                if not is_private(str(about.get(name))):
                    raise NotProvedError(self.title, f"its description has no {name} that is private")
            self._about = now, about
            return about

    def _key_set(self, *, again: bool = False) -> KeySet:
        about, now = self._describe(), self._clock()
        with self._lock:
            if self._keys is None or again or now - self._keys[0] >= KEPT_SECONDS:
                self._keys = now, KeySet.import_key_set(self._get(about["jwks_uri"]))
            return self._keys[1]

    def _get(self, url: str) -> Any:
        try:
            with self._session("") as session:
                answer = session.get(url, withhold_token=True)
                answer.raise_for_status()
                return answer.json()
        except (RequestException, ValueError) as error:
            raise self._unreachable(error) from error

    def _checked(self, token: Any, nonce: str) -> dict[str, Any]:
        """Claims of the ID token: signed by the provider, for us, for this sign-in, and not out of date."""
        raw = token.get("id_token")
        if not isinstance(raw, str):
            raise NotProvedError(self.title, "it sent no ID token")
        try:
            try:
                decoded = jwt.decode(raw, self._key_set(), ALGORITHMS)
            except InvalidKeyIdError:
                decoded = jwt.decode(raw, self._key_set(again=True), ALGORITHMS)
            claims = CodeIDToken(
                decoded.claims,
                decoded.header,
                {
                    "iss": {"essential": True, "value": self._settings.issuer},
                    "aud": {"essential": True, "value": self._settings.client_id},
                },
                {
                    "nonce": nonce,
                    "client_id": self._settings.client_id,
                    "access_token": token.get("access_token"),
                },
            )
            claims.validate(leeway=LEEWAY_SECONDS)
        except (JoseError, ValueError) as error:
            logger.warning("%s: the ID token is refused: %s", self.title, type(error).__name__)
            raise NotProvedError(self.title, f"its ID token is not good ({error})") from error
        if not isinstance(claims["sub"], str) or not claims["sub"]:
            raise NotProvedError(self.title, "its ID token names nobody")
        return dict(claims)

    def _user_info(self, session: Any, about: dict[str, Any], subject: str) -> dict[str, Any]:
        try:
            answer = session.get(about["userinfo_endpoint"])
            answer.raise_for_status()
            found = answer.json()
        except (RequestException, ValueError, OAuthError) as error:
            raise self._unreachable(error) from error
        if found.get("sub") != subject:
            raise NotProvedError(self.title, "it told of somebody else")
        return dict(found)

    def _role(self, groups: object) -> Role | None:
        named = [groups] if isinstance(groups, str) else groups if isinstance(groups, list) else []
        given = {self._roles[group] for group in named if isinstance(group, str) and group in self._roles}
        return max(given, key=list(Role).index, default=None)

    def _unreachable(self, error: Exception) -> RefusedError:
        logger.warning("%s cannot be reached: %s", self.title, type(error).__name__)
        return RefusedError(
            503, f"{self.title} cannot be reached now. Try again, or tell an admin.", {"Retry-After": "10"}
        )


def providers_of(settings: Settings) -> dict[str, Provider]:
    """The identity providers of a workspace, by their names in its settings.

    Raises
    ------
    IcefloeError
        If a role is none.
    """
    return {key: Provider(key, one) for key, one in settings.oidc.items()}


def _name(claims: dict[str, Any]) -> str:
    for claim in ("preferred_username", "name", "email", "sub"):
        value = claims.get(claim)
        if isinstance(value, str) and value.strip() and value.isprintable():
            return value.strip()[:100]  # room for what tells two of one name apart
    return "somebody"
