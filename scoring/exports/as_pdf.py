"""A document as PDF, set by WeasyPrint in a process of its own.

Setting a long report takes seconds of one processor and would hold up everything else in this
process; the other one has limits of memory and time, and fetches nothing.
"""

import logging
import resource
import subprocess
import sys
import threading

from scoring.errors import PdfNotMadeError

_SECONDS = 180
_MEMORY = 2 * 1024**3
_NO_LIBRARY = 3
_LARGEST_COMPLAINT = 300
# A class that takes its handouts home at once must not take the machine with it.
_TURNS = threading.Semaphore(2)


def as_pdf(html: str, *, site: str = "") -> bytes:
    """Return a document of ours as PDF/UA; `site` is what its links are relative to.

    Raises PdfNotMadeError.
    """
    try:
        with _TURNS:
            done = subprocess.run(
                [sys.executable, "-m", "scoring.exports.as_pdf", site],
                input=html.encode(),
                capture_output=True,
                timeout=_SECONDS,
                check=False,
            )
    except subprocess.TimeoutExpired as error:
        raise PdfNotMadeError(
            f"the PDF was not done after {_SECONDS} s", hint="Take the HTML and print it"
        ) from error
    if done.returncode == _NO_LIBRARY:
        raise PdfNotMadeError(
            "this installation has nothing that sets a PDF",
            hint="Install libpango-1.0-0, libpangoft2-1.0-0 and libharfbuzz-subset0, or take the"
            " HTML and print it",
        )
    if done.returncode != 0 or not done.stdout.startswith(b"%PDF"):
        complaint = done.stderr.decode(errors="replace")[-_LARGEST_COMPLAINT:]
        raise PdfNotMadeError(
            f"setting the PDF ended with {done.returncode}: {complaint}",
            hint="Take the HTML and print it",
        )
    return done.stdout


def main() -> int:
    """Be that process: HTML on stdin, PDF on stdout."""
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    logging.disable()  # it complains of every line of a style sheet that is for screens
    try:
        from weasyprint import HTML  # noqa: PLC0415  # it may not find its libraries
        from weasyprint.urls import URLFetcher  # noqa: PLC0415  # as above
    except (ImportError, OSError):
        return _NO_LIBRARY
    document = HTML(
        string=sys.stdin.buffer.read().decode(),
        base_url=sys.argv[1] or None,
        url_fetcher=URLFetcher(allowed_protocols=[]),
    )
    document.write_pdf(sys.stdout.buffer, pdf_variant="pdf/ua-1")
    return 0


if __name__ == "__main__":
    sys.exit(main())
