"""The one page of the sandbox: what a cardholder sees of their bank's 3-D Secure."""

import html

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

_PAGE = """<!doctype html>
<meta charset="utf-8"><title>3-D Secure, sandbox</title>
<h1>Your bank asks</h1>
<p>Do you authorise {identity}?</p>
<button onclick="answer('success')">Authorise</button>
<button onclick="answer('fail')">Refuse</button>
<script>
  async function answer(outcome) {{
    await fetch(location.pathname, {{method: "POST", body: JSON.stringify({{outcome}})}});
    location.href = {back};
  }}
</script>
"""


async def authentication_page(request: Request) -> Response:
    """Let a person at a browser pass or fail; the next action of type redirect leads here."""
    identity = html.escape(request.path_params["id"])
    back = f"new URLSearchParams(location.search).get('return_url') || '{request.base_url}'"
    return HTMLResponse(_PAGE.format(identity=identity, back=back))
