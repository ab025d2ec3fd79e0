"""One camera of a quarter under watch: how it is, and what its cycles came to."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from cctv.model import Published, Record, Rested, Unavailable
from cctv.schedule import phase, utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from cctv.model import Outcome, Shelved
    from cctv.reasons import Reason
    from dev.matrix_row import Row
    from dev.street import Request, Served, Street

# the parameters of the makes that take it so
_IN_QUERY = re.compile(r"[?&](pwd|password)=")
# of the interval: a recorder's eight channels then ask for their pictures all at once
_EARLY = 0.02
# times what a row wants: a busy machine may cost a cycle or more
_LONG = 2
# turns within which the longest pause of a row is over, twice
_BACK = 6


@dataclass(frozen=True, slots=True)
class Turn:
    """What a cycle came to, and how its address and its camera stood at that moment.

    `requests`, those of them with a login, and wrong passwords are counted since the street opened.
    """

    outcome: Outcome
    public: Shelved | None = field(repr=False)
    served: Served = field(repr=False)
    requests: int
    logins: int
    refusals: int

    @property
    def reason(self) -> Reason | None:
        """Why it came to no picture; None where it did."""
        match self.outcome:
            case Unavailable(error=error):
                return error.reason
            case Rested(reason=reason):
                return reason
        return None


@dataclass(slots=True, eq=False)
class Post:
    """Camera `number` of `street`, `id` in the fleet; without a `row` it stays well.

    `ill` are the turns that began and ended while it was ill.
    """

    street: Street
    number: str
    id: str
    row: Row | None = None
    turns: list[Turn] = field(default_factory=list)
    ill: list[Turn] = field(default_factory=list)
    _healthy: int = 0
    _ill_from: datetime | None = None
    _well_from: datetime | None = None

    @property
    def again(self) -> list[Turn]:
        """The turns that began when it was well again."""
        return self._since(self._well_from)

    @property
    def before(self) -> Turn:
        """The last turn that was over when it fell ill."""
        return self.turns[self._healthy - 1]

    @property
    def ended_ill(self) -> list[Turn]:
        """The turns that ended while it was ill, whenever they began."""
        return self.turns[self._healthy : self.turns.index(self.ill[-1]) + 1]

    def record(self, told: Mapping[str, str]) -> Record:
        """Its record, where the street tells this of it."""
        if self.row is None:
            return Record(**{**told, "id": self.id})
        tls, address = self.row.tls, self.street.address(self.number)
        if "pin" in tls:
            tls = tls.replace("pin", f"pin:{self.street.certificate(self.number)}")
        return Record(id=self.id, model=self.row.model, address=address, tls=tls)

    def note(self, outcome: Outcome, public: Shelved | None) -> None:
        """Remember a turn."""
        camera = self.street.cameras[self.number]
        # a connection that was met before it asked stands there too, without a target
        asked = [request for request in camera.requests() if request.target]
        logins = sum(map(_has_login, asked))
        turn = Turn(outcome, public, camera.served, len(asked), logins, camera.attempts)
        self.turns.append(turn)

    def well(self) -> bool:
        """Whether its last turn came to a picture."""
        return bool(self.turns) and isinstance(self.turns[-1].outcome, Published)

    def settled(self) -> bool:
        """Whether its illness has led where its row says, or long enough to somewhere else."""
        if self.row is None or self._verdict_in(self._since(self._ill_from)):
            return True
        return len(self._since(self._ill_from)) >= _LONG * self.row.cycles

    @property
    def verdict(self) -> Turn:
        """The turn to be judged: the first that is due and as its row says, else the last."""
        return self._verdict_in(self.ill) or self.ill[-1]

    def _verdict_in(self, ill: list[Turn]) -> Turn | None:
        if self.row is None:
            return None
        due, reason = ill[self.row.cycles - 1 :], self.row.reason
        return next((turn for turn in due if turn.reason == reason), None)

    def back(self) -> bool:
        """Whether it is live again, or was well for long enough; it may be left alone."""
        again = self.again
        rests = self.row is not None and self.row.rests
        return bool(again) and (rests or self.well() or len(again) >= _BACK)

    def sicken(self) -> None:
        """Let it behave as its row says."""
        self._healthy = len(self.turns)
        if self.row is not None:
            self.street.set_mode(self.number, self.row.mode)

    def heal(self) -> None:
        """Let it be well."""
        if self.row is not None:
            self.street.set_mode(self.number, "ok")

    def begin_illness(self) -> None:
        """Turns that begin from now on meet it ill."""
        self._ill_from = utc_now()

    def end_illness(self) -> None:
        """Turns that are not over by now may meet it well."""
        self.ill = self._since(self._ill_from)

    def begin_health(self) -> None:
        """Turns that begin from now on meet it well."""
        self._well_from = utc_now()

    def _since(self, moment: datetime | None) -> list[Turn]:
        if moment is None:
            return []
        return [turn for turn in self.turns if turn.outcome.cycle.due >= moment]


def posts_of(plain: Street, tls: Street, rows: Sequence[Row], *, spread: bool) -> list[Post]:
    """A post for each row, and for each camera of the plain street that is left then.

    Unless they are `spread`, all are early on the grid of time.
    """
    numbers = {street: iter(street.cameras) for street in (plain, tls)}
    posts = []
    for row in rows:
        street = tls if row.https else plain
        posts.append(Post(street, next(numbers[street]), _id(row.name, spread=spread), row))
    left = list(numbers[plain])
    names = (_id(f"neighbour {number}", spread=spread) for number in left)
    return posts + [Post(plain, number, name) for number, name in zip(left, names, strict=True)]


def _has_login(request: Request) -> bool:
    return "authorization" in request.headers or _IN_QUERY.search(request.target) is not None


def _id(name: str, *, spread: bool) -> str:
    """A camera's id for this name, where it is to be on the grid."""
    word = name.replace(":", "-").replace(" ", "-")
    ids = (f"{word}-{number}" for number in count())
    return next(each for each in ids if spread or phase(each) < _EARLY)
