"""OAuth 2.0 tokens by client credentials. Source: Salesforce Help, "OAuth 2.0 Client
Credentials Flow for Server-to-Server Integration"; error bodies as OAuth prescribes."""

import base64
import secrets
from datetime import timedelta
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connectors.simulators.salesforce.org import API_USER, Org

CLIENT = ("demo-client", "demo-secret-salesforce")
TOKEN_LIFE = timedelta(hours=2)  #: the default session timeout; the answer does not tell it


async def login(org: Org, request: Request) -> Response:
    form = {k: v[0] for k, v in parse_qs((await request.body()).decode()).items()}
    client = (form.get("client_id", ""), form.get("client_secret", ""))
    told = request.headers.get("Authorization", "")
    if told.startswith("Basic "):
        name, _, secret = base64.b64decode(told[6:]).decode().partition(":")
        client = (name, secret)
    if form.get("grant_type") != "client_credentials":
        return _refusal("unsupported_grant_type", "grant type not supported")
    if client[0] != CLIENT[0]:
        return _refusal("invalid_client_id", "client identifier invalid")
    if client != CLIENT:
        return _refusal("invalid_client", "invalid client credentials")
    number = org.switches["organization"]
    token = f"{number[:15]}!{secrets.token_urlsafe(40)}"
    org.tokens[token] = org.clock.now() + TOKEN_LIFE
    origin = f"{request.url.scheme}://{request.url.netloc}"
    return JSONResponse(
        {
            "access_token": token,
            "instance_url": origin,
            "id": f"{origin}/id/{number}/{API_USER}",
            "token_type": "Bearer",
            "issued_at": str(int(org.clock.now().timestamp() * 1000)),
            "signature": "bm90IHNpZ25lZA==",
            "scope": "api",
        }
    )


def holds_token(org: Org, request: Request) -> bool:
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return org.tokens.get(token, org.clock.now()) > org.clock.now()


def _refusal(code: str, words: str) -> Response:
    return JSONResponse({"error": code, "error_description": words}, 400)
