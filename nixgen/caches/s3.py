"""Buckets of S3 and of servers like it: URLs that carry their permission with them (AWS Signature Version 4, query)."""

from __future__ import annotations

import configparser
import hashlib
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlsplit

from nixgen.errors import InputError

#: How long a URL is good for, in seconds.
_VALID = 12 * 3600


@dataclass(frozen=True, kw_only=True)
class Keys:
    """Whoever asks: an access key, its secret, and the token of a session."""

    access: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)

    @classmethod
    def find(cls, profile: str | None, environ: Mapping[str, str] | None = None) -> Keys | None:
        """Return the keys of a profile, or those of the environment, else of the default profile; None for nobody's.

        The variables and the file are those of AWS's own tools.

        Raises:
            InputError: there is no such profile.
        """
        variables = os.environ if environ is None else environ
        if profile is None and "AWS_ACCESS_KEY_ID" in variables:
            return cls(
                access=variables["AWS_ACCESS_KEY_ID"],
                secret=variables.get("AWS_SECRET_ACCESS_KEY", ""),
                token=variables.get("AWS_SESSION_TOKEN", ""),
            )
        place = Path(variables.get("AWS_SHARED_CREDENTIALS_FILE") or Path("~/.aws/credentials").expanduser())
        name = profile or variables.get("AWS_PROFILE") or "default"
        read = configparser.RawConfigParser()
        try:
            read.read(place, encoding="utf-8")
            found = read[name]
            return cls(
                access=found["aws_access_key_id"],
                secret=found["aws_secret_access_key"],
                token=found.get("aws_session_token", ""),
            )
        except (KeyError, OSError, ValueError, configparser.Error) as error:
            if profile is None:
                return None
            raise InputError(
                f"there are no keys of the profile {profile}",
                where=str(place),
                todo="write them there, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            ) from error


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """A bucket as Nix names it: ``s3://NAME?endpoint=…&region=…&scheme=…&profile=…``.

    Attributes:
        root: scheme and host, and the bucket's path there.
        region: where it is.
        keys: who asks; None for whoever comes.
    """

    root: str
    region: str
    keys: Keys | None

    @classmethod
    def parse(cls, url: str, environ: Mapping[str, str] | None = None) -> Bucket:
        """Read a URL.

        Raises:
            InputError: it names no bucket, or a profile that is not there.
        """
        parts = urlsplit(url)
        said = dict(parse_qsl(parts.query))
        if not parts.netloc or parts.path.strip("/"):
            raise InputError("this names no bucket", where=url, todo="write s3://BUCKET?endpoint=HOST&region=REGION")
        region = said.get("region") or (os.environ if environ is None else environ).get("AWS_REGION") or "us-east-1"
        endpoint, scheme = said.get("endpoint", ""), said.get("scheme", "https")
        if "://" in endpoint:
            scheme, _, endpoint = endpoint.partition("://")
        if endpoint:
            root = f"{scheme}://{endpoint.rstrip('/')}/{parts.netloc}"
        else:
            root = f"{scheme}://{parts.netloc}.s3.{region}.amazonaws.com"
        return cls(root=root, region=region, keys=Keys.find(said.get("profile"), environ))

    def url(self, method: str, key: str, now: datetime | None = None, valid: int = _VALID) -> str:
        """Return the URL of an object that permits one method.

        Args:
            method: of HTTP.
            key: the object's name.
            now: when; None for now.
            valid: for how long, in seconds.
        """
        url = f"{self.root}/{quote(key)}"
        if self.keys is None:
            return url
        moment = (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
        scope = f"{moment[:8]}/{self.region}/s3/aws4_request"
        query = {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Credential": f"{self.keys.access}/{scope}",
            "X-Amz-Date": moment,
            "X-Amz-Expires": str(valid),
            "X-Amz-SignedHeaders": "host",
        }
        if self.keys.token:
            query["X-Amz-Security-Token"] = self.keys.token
        told = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in sorted(query.items()))
        parts = urlsplit(url)
        asked = "\n".join([method, parts.path, told, f"host:{parts.netloc}\n", "host", "UNSIGNED-PAYLOAD"])
        text = "\n".join(["AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(asked.encode()).hexdigest()])
        key_now = f"AWS4{self.keys.secret}".encode()
        for part in scope.split("/"):
            key_now = hmac.digest(key_now, part.encode(), "sha256")
        return f"{url}?{told}&X-Amz-Signature={hmac.digest(key_now, text.encode(), 'sha256').hex()}"
