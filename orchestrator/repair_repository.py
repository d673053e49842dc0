"""The SQL of repairs and resets: facts in, values out. Nothing here commits."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.ids import TeamId, UserId, new_id
from orchestrator.domain.repair import RESET, WORLD, Repair
from orchestrator.tables import RepairRow, ResetRow


class RepairRepository:
    """Repairs of hosts and resets that people asked for, within one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, team: TeamId, host: str, *, cause: str, at: datetime) -> None:
        """Note that a host is to be raised again."""
        self._session.add(RepairRow(id=new_id(), team_id=team, host=host, cause=cause, at=at))
        self._session.flush()

    def add_tried(self, team: TeamId, *, cause: str, at: datetime) -> None:
        """Note that a whole world was tried; with the cause RESET, that it begins anew."""
        self._session.add(
            RepairRow(id=new_id(), team_id=team, host=WORLD, cause=cause, at=at, done_at=at)
        )
        self._session.flush()

    def under_way(self, teams: Collection[TeamId]) -> tuple[Repair, ...]:
        """Return what is decided for these teams and not tried yet, oldest first."""
        return self._repairs(teams, RepairRow.done_at.is_(None))

    def tried(
        self, teams: Collection[TeamId], *, since: datetime
    ) -> Mapping[TeamId, Mapping[str, Sequence[datetime]]]:
        """Return team → host → when it was raised again after `since`.

        WORLD stands for the world as a whole. A reset begins anew: what was tried before it does
        not count.
        """
        found: dict[TeamId, dict[str, list[datetime]]] = {}
        repairs = self._repairs(teams, RepairRow.done_at > since)
        # Of the same moment, the reset came first: it lets a try begin.
        for repair in sorted(repairs, key=lambda r: (r.done_at or since, r.cause != RESET)):
            hosts = found.setdefault(repair.team, {})
            times = hosts.setdefault(repair.host, [])
            if repair.cause == RESET and repair.host == WORLD:
                hosts.clear()
            elif repair.cause == RESET:
                times.clear()
            elif repair.done_at is not None:
                times.append(repair.done_at)
        return found

    def done(self, repairs: Collection[Repair], *, at: datetime) -> None:
        """Note that these were tried."""
        ids = [repair.id for repair in repairs]
        self._session.execute(
            update(RepairRow)
            .where(RepairRow.id.in_(ids), RepairRow.done_at.is_(None))
            .values(done_at=at)
        )

    def add_reset(
        self, team: TeamId, host: str, *, number: int | None, by: UserId | None, at: datetime
    ) -> str:
        """Note a reset and return its id; a team's second of one number raises IntegrityError."""
        row = ResetRow(id=new_id(), team_id=team, host=host, number=number, user_id=by, at=at)
        self._session.add(row)
        self._session.flush()
        return row.id

    def own_resets(self, team: TeamId) -> Mapping[str, Sequence[str]]:
        """Return host → the team's resets of it, by id; an instructor's do not count."""
        own = self._session.execute(
            select(ResetRow.host, ResetRow.id)
            .where(ResetRow.team_id == team, ResetRow.number.is_not(None))
            .order_by(ResetRow.number)
        )
        found: dict[str, list[str]] = {}
        for host, reset in own:
            found.setdefault(host, []).append(reset)
        return found

    def _repairs(self, teams: Collection[TeamId], *which: object) -> tuple[Repair, ...]:
        rows = self._session.scalars(
            select(RepairRow)
            .where(RepairRow.team_id.in_(teams), *which)  # type: ignore[arg-type]
            .order_by(RepairRow.at, RepairRow.id)
        )
        return tuple(
            Repair(
                id=row.id,
                team=TeamId(row.team_id),
                host=row.host,
                cause=row.cause,
                at=row.at,
                done_at=row.done_at,
            )
            for row in rows
        )
