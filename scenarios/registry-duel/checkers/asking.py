"""How the checkers ask a service, and what each answer says of it."""

import http.client
import os
import random
import secrets
import sys
import traceback
import urllib.error
import urllib.parse
import urllib.request

UP, MUMBLE, DOWN, OURS = 0, 1, 2, 4
LONGEST = 200_000
SECONDS = 3
FLAG = os.environ.get("POLIGON_FLAG", "")
FLAG_ID = os.environ.get("POLIGON_FLAG_ID", "")
BASE = f"http://{os.environ['POLIGON_TARGET']}:{os.environ['POLIGON_PORT']}"
GIVEN = ("Ana", "Besnik", "Dragan", "Elira", "Goran", "Ilir", "Jovana", "Marko", "Teuta", "Vesna")
FAMILY = ("Basha", "Hoxha", "Ilic", "Kovac", "Leka", "Markovic", "Petrovska", "Stojanov", "Zupan")


class Refused(Exception):
    """The service answered with a status of the 400s."""


def end(code, why):
    print(why, file=sys.stderr)
    raise SystemExit(code)


def ask(method, path, **form):
    """Return the text of an answer with status 200."""
    data = urllib.parse.urlencode(form)
    url = BASE + path + (f"?{data}" if method == "GET" and form else "")
    request = urllib.request.Request(url, data.encode() if method == "POST" else None)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=SECONDS) as answer:
            return answer.read(LONGEST).decode(errors="replace")
    except urllib.error.HTTPError as error:
        if 400 <= error.code < 500:
            raise Refused(f"{method} {path}: {error.code}") from error
        end(MUMBLE, f"{method} {path}: {error.code}")
    except (http.client.HTTPException, ValueError) as error:
        end(MUMBLE, f"{method} {path}: {error!r}")
    except OSError as error:  # also what urllib makes of it, and a timeout
        end(DOWN, f"{method} {path}: {error}")


def words_of(text, count):
    """Return so many words; a service that says more or less does not do as it should."""
    words = text.split()
    if len(words) != count:
        end(MUMBLE, f"{count} words were to come: {text[:100]!r}")
    return words


def expect(wanted, text, what):
    if wanted not in text:
        end(MUMBLE, f"{what} does not have what it should: {text[:100]!r}")


def expect_refused(method, path, **form):
    try:
        ask(method, path, **form)
    except Refused:
        return
    end(MUMBLE, f"{method} {path} opens without the right code")


def somebody():
    return f"{random.choice(GIVEN)} {random.choice(FAMILY)}"


def something():
    return secrets.token_hex(12)


def run(**actions):
    """Do what the round asks for. Whatever is not foreseen is our fault, and no mumble."""
    try:
        actions[os.environ["POLIGON_ACTION"]]()
    except Refused as error:
        end(MUMBLE, str(error))
    except Exception:
        traceback.print_exc()
        raise SystemExit(OURS) from None
