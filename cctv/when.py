"""Moments in an operator's words, and said back in full.

The grammar is tiny, strict and our own on purpose: a lenient library would guess, and a guess
shows a picture that must not be seen.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
# five calendar years hold at most two leap days
_FARTHEST = timedelta(days=5 * 365 + 2)
_NOON, _MIDNIGHT = time(12), time(0)
_HALF_DAY = 12
_FARTHEST_HOURS, _HOUR = 14, 60

_WEEKDAY = "|".join(f"{name[:3]}(?:{name[3:]})?" for name in _WEEKDAYS).lower()
_DAY = re.compile(
    rf"(?:(?P<weekday>{_WEEKDAY}) )?(?P<date>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})(?:[ t]|$)"
    rf"|(?P<word>today|tomorrow|{_WEEKDAY})(?: |$)"
)
_CLOCK = re.compile(
    r"(?P<name>noon|midnight)|(?P<hour>[0-9]{1,2})"
    r"(?P<minutes>:(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{1,6}))?)?)?"
    r"(?: ?(?P<half>am|pm))?(?: ?(?P<offset>z|[+-][0-9]{2}:?[0-9]{2}))?"
)
_LENGTH = re.compile(
    r"(?:in ?|\+ ?)?(?=[0-9])"
    r"(?:(?P<days>[0-9]{1,7}) ?(?:d|days?))?(?: ?(?P<hours>[0-9]{1,7}) ?(?:h|hours?))?"
    r"(?: ?(?P<minutes>[0-9]{1,7}) ?(?:m|min|minutes?))?"
)
_MONTH = "|".join(name[:3] for name in _MONTHS).lower()
_OTHER_DATE = re.compile(rf"[0-9] ?[/-] ?[0-9]|[0-9]\.[0-9]+(?![0-9a-z])|\b(?:{_MONTH})")

_ACCEPTED = (
    "a moment such as now, 18:00, 6pm, noon, tomorrow 10:00, friday 6pm, 2026-11-21 10:00,"
    " 2026-11-21 10:00-06:00, in 2 hours or +1h30m"
)
_ONE_WAY = (
    "a moment that reads in one way only:"
    " write the date as 2026-11-21 and the time as 10:00, such as 2026-11-21 10:00"
)
_NO_SUCH_TIME = "a time of day: those are 00:00 to 23:59, and 12am to 11:59pm"
_TWO_MIDNIGHTS = (
    "one moment: midnight may be where the day begins or where it ends;"
    " write 00:00 with the day that begins"
)
_NO_DATE = "a moment: an offset needs a date, such as 2026-11-21 10:00-06:00"
_NO_SUCH_OFFSET = "a moment: no zone has that offset; offsets are written as +02:00 or -06:00"
_FAR = "within five years from now: is the date right?"


def moment(words: str, now: datetime, zone: ZoneInfo) -> datetime:
    """The moment (aware, UTC) that an operator's words mean; `now` is aware.

    Upper or lower case, with any number of blanks where one may stand: `now`; a time (`18:00`,
    `6pm`, `noon`, `midnight`) or a weekday with a time (`friday 18:00`, `fri 6pm`) is the next one
    after `now`; `today 18:00`, `tomorrow noon`; `2026-11-21 10:00`, with a `T`, with seconds, with
    the weekday before it; a length of time from `now` (`in 1 hour 30 minutes`, `+1h30m`, `2h`).
    Days are those of `zone`, but in a length `d` is 24 hours. A date with `Z` or an offset
    (`2026-11-21 10:00-06:00`) has no use for `zone`. A moment in the past is for the caller to
    judge.

    Raises:
        ValueError: it is none of these, it is more than five years ahead, or the clocks leap over
            it or pass it twice; the text goes on where "... is not" ends.
    """
    text = " ".join(words.lower().split())
    try:
        found = _found(text, now, zone).astimezone(UTC)
        # what comes out of here can be shown
        found.astimezone(zone)
    except OverflowError:
        raise ValueError(_FAR) from None
    if found - now > _FARTHEST:
        raise ValueError(_FAR)
    return found


def shown(moment: datetime, zone: ZoneInfo) -> str:
    """A moment said back in full, so that no misreading survives; to the second.

    Such as `Saturday 21 November 2026, 10:00 CST (UTC-06:00)`.
    """
    local = moment.astimezone(zone)
    day = f"{_WEEKDAYS[local.weekday()]} {local.day} {_MONTHS[local.month - 1]} {local.year:04}"
    name = local.tzname() or ""
    # zones without letters of their own are called after their offset, such as +04
    named = name if name.isalpha() else zone
    return f"{day}, {_clock(local)} {named} (UTC{_offset(local)})"


def _found(text: str, now: datetime, zone: ZoneInfo) -> datetime:
    if text == "now":
        return now
    if length := _LENGTH.fullmatch(text):
        counts = {unit: int(count or 0) for unit, count in length.groupdict().items()}
        return now + timedelta(**counts)
    day = _DAY.match(text)
    rest = text[day.end() :] if day else text
    if day and not rest:
        raise ValueError(f"a whole moment: it lacks a time; write {text} 18:00")
    clock = _CLOCK.fullmatch(rest)
    if clock is None:
        raise ValueError(_ONE_WAY if _OTHER_DATE.search(rest) else _ACCEPTED)
    if day and day["date"]:
        return _on_date(day, clock, zone)
    return _on_day(day["word"] if day else "", clock, now, zone)


def _on_date(day: re.Match[str], clock: re.Match[str], zone: ZoneInfo) -> datetime:
    try:
        on = date.fromisoformat(day["date"])
    except ValueError:
        raise ValueError("a day of the calendar: write the date as 2026-11-21") from None
    weekday = _WEEKDAYS[on.weekday()]
    if day["weekday"] and not weekday.lower().startswith(day["weekday"]):
        raise ValueError(f"a day of the calendar: {day['date']} is a {weekday}")
    at = _time(clock, of_a_day=True)
    if clock["offset"]:
        return datetime.combine(on, at, _fixed(clock["offset"]))
    return _only(on, at, zone)


def _on_day(word: str, clock: re.Match[str], now: datetime, zone: ZoneInfo) -> datetime:
    if clock["offset"]:
        raise ValueError(_NO_DATE)
    at = _time(clock, of_a_day=bool(word))
    today = now.astimezone(zone).date()
    if word == "today":
        return _only(today, at, zone)
    if word == "tomorrow":
        return _only(today + timedelta(days=1), at, zone)
    ahead = (_weekday(word) - today.weekday()) % 7 if word else 0
    day, step = today + timedelta(days=ahead), timedelta(days=7 if word else 1)
    while max(_readings(day, at, zone)) <= now:
        day += step
    return _only(day, at, zone)


def _weekday(word: str) -> int:
    return next(n for n, name in enumerate(_WEEKDAYS) if name.lower().startswith(word))


def _time(clock: re.Match[str], *, of_a_day: bool) -> time:
    if clock["name"]:
        if of_a_day and clock["name"] == "midnight":
            raise ValueError(_TWO_MIDNIGHTS)
        return _NOON if clock["name"] == "noon" else _MIDNIGHT
    if not clock["minutes"] and not clock["half"]:
        raise ValueError("a clear time: write it as 18:00 or 6pm")
    minute, second = int(clock["minute"] or 0), int(clock["second"] or 0)
    fraction = int((clock["fraction"] or "").ljust(6, "0"))
    try:
        return time(_hour(clock), minute, second, fraction)
    except ValueError:
        raise ValueError(_NO_SUCH_TIME) from None


def _hour(clock: re.Match[str]) -> int:
    hour = int(clock["hour"])
    if not clock["half"]:
        return hour
    if not 1 <= hour <= _HALF_DAY:
        raise ValueError(_NO_SUCH_TIME)
    return hour % _HALF_DAY + (_HALF_DAY if clock["half"] == "pm" else 0)


def _fixed(offset: str) -> timezone:
    if offset == "z":
        return UTC
    hours, minutes = int(offset[1:3]), int(offset[-2:])
    if hours > _FARTHEST_HOURS or minutes >= _HOUR:
        raise ValueError(_NO_SUCH_OFFSET)
    ahead = timedelta(hours=hours, minutes=minutes)
    return timezone(-ahead if offset.startswith("-") else ahead)


def _readings(day: date, at: time, zone: ZoneInfo) -> list[datetime]:
    """What a local time can mean, the earlier first: twice the same, but where clocks change."""
    local = datetime.combine(day, at, zone)
    return sorted(local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))


def _only(day: date, at: time, zone: ZoneInfo) -> datetime:
    earlier, later = _readings(day, at, zone)
    if earlier == later:
        return earlier
    # a time that was leapt over is read back as another one
    there = earlier.astimezone(zone).replace(tzinfo=None) == datetime.combine(day, at)
    why = "the clocks go back and pass it twice" if there else "the clocks go forward over it"
    ways = ", or ".join(f"{_exact(way, zone)} for {shown(way, zone)}" for way in (earlier, later))
    raise ValueError(f"one moment in {zone}: {why}; write {ways}")


def _exact(moment: datetime, zone: ZoneInfo) -> str:
    """A moment in words that mean it in every zone."""
    local = moment.astimezone(zone)
    return f"{local.date()} {_clock(local)}{_offset(local)}"


def _clock(local: datetime) -> str:
    return f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"


def _offset(local: datetime) -> str:
    """Such as -06:00."""
    return local.isoformat(timespec="minutes")[len("2026-11-21T10:00") :]
