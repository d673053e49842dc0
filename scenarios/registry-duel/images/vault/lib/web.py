"""What the three services have in common: forms in, plain text out, a line in the log for each."""

import sys
import time
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

LONGEST = 20_000


def serve(port, pages):
    """Serve for ever; `pages` has a function for each method and path: form -> status, text."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 5

        def do_GET(self):
            self.answer(urlsplit(self.path).query)

        def do_POST(self):
            length = min(int(self.headers.get("Content-Length") or 0), LONGEST)
            self.answer(self.rfile.read(length).decode(errors="replace"))

        def answer(self, form):
            page = pages.get((self.command, urlsplit(self.path).path))
            status, text = 404, "There is no such page.\n"
            if page is not None:
                try:
                    status, text = page(dict(parse_qsl(form, keep_blank_values=True)))
                except Exception:
                    traceback.print_exc()
                    status, text = 500, "Something went wrong.\n"
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_request(self, code="-", size="-"):
            if self.client_address[0] == "127.0.0.1":
                return
            now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            line = f'{now} {self.client_address[0]} "{self.command} {self.path}" {int(code)}\n'
            sys.stderr.write(line)

        def log_message(self, *_):
            pass

    ThreadingHTTPServer(("", port), Handler).serve_forever()
