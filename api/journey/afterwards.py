"""What is left when everybody has gone home: the after-action report of what was played."""

from api.journey.people import Caller, Say, Trainee, expect

_DONE = ("answer", "solve", "points", "check", "inject", "message", "reply", "reset", "act")


def see_the_report(staff: Caller, exercise: str, ours: Trainee, theirs: Trainee, say: Say) -> None:
    """Write a line of the plan, and find in the report what was done, with its proof."""
    staff.post(
        f"/exercises/{exercise}/improvements",
        {"area": "The door stood open for a night", "action": "Read the log each morning"},
    )
    report = staff.get(f"/exercises/{exercise}/report", format="json")
    kinds = {moment["kind"] for moment in report["timeline"]}
    expect(kinds >= set(_DONE), f"all of {', '.join(_DONE)} in the timeline", kinds)
    points = [m for m in report["timeline"] if m["kind"] == "points"]
    unproven = [m for m in points if m["proof"]["position"] is None]
    expect(not unproven, "a fact behind each line of points", unproven)
    for team in report["record"]["teams"]:
        told = sum(m["points"] for m in points if m["team"] == team["team"])
        expect(abs(told - team["points"]) < 0.001, "the timeline to add up", (told, team))  # noqa: PLR2004  # a thousandth
    expect(report["record"]["final"], "a report that is final", report["record"])
    expect(report["improvement_plan"], "the line of the plan", report)
    page = staff.text(f"/exercises/{exercise}/report", format="html")
    for wanted in ("Areas for improvement", ours.shell.login, theirs.shell.login):
        expect(wanted in page, f"{wanted} in the report", page[:500])
    expect("<script" not in page, "a report that runs nothing")
    refused = ours.caller.status_of(f"/exercises/{exercise}/report")
    expect(refused == 403, "a trainee not to read the report", refused)  # noqa: PLR2004  # HTTP
    handout = ours.caller.text(f"/exercises/{exercise}/handout")
    expect("What was there to find" in handout, "a page to take home", handout[:500])
    say(f"the after-action report holds {len(report['timeline'])} moments, each score proven")
