"""Whether a file may be handed in for a task."""

from core.scenario.schema_tasks import Submit


def ending_of(submit: Submit, name: str) -> str:
    """Return which of the endings that are taken a name has, the longest that fits; or nothing."""
    fitting = [ending for ending in submit.files if name.lower().endswith(f".{ending}")]
    return max(fitting, key=len, default="")


def why_refused(submit: Submit, name: str, *, size: int) -> str:
    """Return why a file of that name and size is not taken, after its name; nothing if it is."""
    if not ending_of(submit, name):
        *others, last = submit.files
        wanted = f"{', '.join(others)} or {last}" if others else last
        return f"is of another type than {wanted}"
    if not size:
        return "is empty"
    if size > submit.max:
        return f"has {size} bytes, and {submit.max} at most are taken"
    return ""
