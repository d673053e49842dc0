"""Calls without TLS, whose authorities httpx would otherwise read anew for every one of them."""

from functools import partial

import httpx

request = partial(httpx.request, verify=False)
get = partial(httpx.get, verify=False)
post = partial(httpx.post, verify=False)
