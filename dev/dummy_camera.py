"""One dummy camera: what it is, how it behaves just now, and what it says to a request."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flask import Response, abort

from dev.dummy_logins import Lock, Login
from dev.dummy_models import address_of, model_of
from dev.dummy_modes import MODES, Mode
from dev.pictures import picture

if TYPE_CHECKING:
    from flask import Request

QUICKEST = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Spell:
    """A stretch of behaving one way: the mode's word, the mode, and when it began."""

    word: str
    mode: Mode
    since: datetime


class Camera:
    """One camera of a street; `spell` and `requests` are all that changes."""

    def __init__(self, number: int, login: Login, algorithm: str) -> None:
        self.id = str(number)
        self.address = address_of(number)
        self.model = model_of(number)
        self.requests = 0
        self.enter("ok")
        self._lock = Lock(login, self.model.realm, algorithm)
        self._chance = random.Random(number)

    def enter(self, word: str) -> None:
        """Behave so from now on."""
        self.spell = Spell(word, MODES[word], datetime.now(UTC))

    def delay(self, slow: float) -> float:
        """The seconds until the next answer: the mode's own, else up to `slow`."""
        if (wait := self.spell.mode.wait) is not None:
            return wait
        return self._chance.uniform(min(QUICKEST, slow), slow)

    def answer(self, ask: Request) -> Response:
        """What this camera says to a request, once it says something."""
        if not self.model.serves(ask.path, ask.args):
            abort(404)
        spell = self.spell
        return self._refusal(ask, spell) or spell.mode.shows(self._picture(spell))

    def row(self) -> dict[str, str | int]:
        """The camera as the control endpoint shows it."""
        return {
            "id": self.id,
            "address": self.address,
            "model": self.model.name,
            "mode": self.spell.word,
            "requests": self.requests,
        }

    def _refusal(self, ask: Request, spell: Spell) -> Response | None:
        if spell.word != "401":
            return self.model.guard.check(self._lock, ask)
        refusal = self.model.guard.refuse(self._lock)
        refusal.status_code = 401  # also of the makes that refuse with a 200
        return refusal

    def _picture(self, spell: Spell) -> bytes:
        moment = spell.since if spell.word == "frozen" else datetime.now(UTC)
        return picture(self.id, self.model.name, moment)
