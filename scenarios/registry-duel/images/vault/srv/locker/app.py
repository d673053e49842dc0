"""The document locker: citizens leave documents in folders that only their PIN opens."""

import os
import re
import secrets

from web import serve

PORT = 4100
FOLDERS = "/var/lib/registry/locker"


def welcome(form):
    return 200, "Document locker of the state registry\n"


def folders(form):
    """List every document, so that people see that theirs has arrived."""
    lines = []
    for folder in sorted(os.listdir(FOLDERS)):
        for name in sorted(os.listdir(os.path.join(FOLDERS, folder))):
            if name != "pin":
                lines.append(f"{folder}/{name}\n")
    return 200, "".join(lines)


def deposit(form):
    """Leave a text in a new folder; return the folder and its PIN."""
    name, text = form.get("name", ""), form.get("text", "")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}", name) or name == "pin":
        return 400, "A document's name has letters, digits, dots and dashes.\n"
    folder, pin = secrets.token_hex(6), secrets.token_hex(8)
    os.mkdir(os.path.join(FOLDERS, folder))
    for file, content in (("pin", pin), (name, text)):
        with open(os.path.join(FOLDERS, folder, file), "w") as out:
            out.write(content)
    return 200, f"{folder} {pin}\n"


def document(form):
    """Return a document of a folder to whoever knows the folder's PIN."""
    folder, pin, name = form.get("folder", ""), form.get("pin", ""), form.get("name", "")
    if not re.fullmatch(r"[a-z0-9]{1,20}", folder) or not is_pin_of(folder, pin):
        return 403, "This folder has another PIN.\n"
    if name == "pin":
        return 404, "There is no such document.\n"
    try:
        with open(os.path.join(FOLDERS, folder, name)) as file:
            return 200, file.read()
    except OSError:
        return 404, "There is no such document.\n"


def is_pin_of(folder, pin):
    try:
        with open(os.path.join(FOLDERS, folder, "pin")) as file:
            return secrets.compare_digest(file.read().encode(), pin.encode())
    except OSError:
        return False


serve(
    PORT,
    {
        ("GET", "/"): welcome,
        ("GET", "/folders"): folders,
        ("POST", "/deposit"): deposit,
        ("GET", "/document"): document,
    },
)
