"""Moments in an operator's words: one meaning or a refusal, and said back in full."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cctv.when import moment, shown

CHICAGO = ZoneInfo("America/Chicago")
# a Friday, 11:30 in Chicago
NOW = datetime(2026, 11, 20, 17, 30, tzinfo=UTC)
# Saturdays, 20:00 in Chicago; the clocks change in the night
SPRING = datetime(2026, 3, 8, 2, 0, tzinfo=UTC)
AUTUMN = datetime(2026, 11, 1, 1, 0, tzinfo=UTC)

ZONES = [
    *("America/Chicago", "UTC", "Asia/Kolkata", "Pacific/Apia", "America/Havana"),
    *("Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Dubai", "Europe/London"),
]
zones = st.sampled_from(ZONES).map(ZoneInfo)
nows = st.datetimes(datetime(2000, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - Hypothesis puts the zone in

ACCEPTED = """
now                             2026-11-20 17:30
10:00                           2026-11-21 16:00
11:29                           2026-11-21 17:29
11:30                           2026-11-21 17:30
11:31                           2026-11-20 17:31
9:05                            2026-11-21 15:05
00:00                           2026-11-21 06:00
23:59                           2026-11-21 05:59
11:30:01                        2026-11-20 17:30:01
10am                            2026-11-21 16:00
10:30pm                         2026-11-21 04:30
10:30 PM                        2026-11-21 04:30
12am                            2026-11-21 06:00
12:30am                         2026-11-21 06:30
12pm                            2026-11-20 18:00
noon                            2026-11-20 18:00
Midnight                        2026-11-21 06:00
today 18:00                     2026-11-21 00:00
today 10:00                     2026-11-20 16:00
TODAY noon                      2026-11-20 18:00
tomorrow 10:00                  2026-11-21 16:00
tomorrow noon                   2026-11-21 18:00
tomorrow 6 pm                   2026-11-22 00:00
friday 18:00                    2026-11-21 00:00
fri 6pm                         2026-11-21 00:00
friday 11:30                    2026-11-27 17:30
Fri 10:00                       2026-11-27 16:00
Saturday 00:00                  2026-11-21 06:00
mon noon                        2026-11-23 18:00
tue 10:00                       2026-11-24 16:00
wednesday 10:00                 2026-11-25 16:00
THU 10:00                       2026-11-26 16:00
2026-11-21 10:00                2026-11-21 16:00
2026-11-21T10:00                2026-11-21 16:00
2026-11-21t10:00:30             2026-11-21 16:00:30
2026-11-21 10:00:30.25          2026-11-21 16:00:30.250000
2026-11-21 noon                 2026-11-21 18:00
2026-11-21 6pm                  2026-11-22 00:00
2026-07-01 10:00                2026-07-01 15:00
2026-11-21 10:00Z               2026-11-21 10:00
2026-11-21T10:00:00.000Z        2026-11-21 10:00
2026-11-21 10:00+02:00          2026-11-21 08:00
2026-11-21 10:00 -0600          2026-11-21 16:00
2026-11-21T10:00-05:30          2026-11-21 15:30
2026-11-21 10:00+14:00          2026-11-20 20:00
saturday 2026-11-21 10:00       2026-11-21 16:00
Sat 2026-11-21T10:00Z           2026-11-21 10:00
1999-12-31 23:00                2000-01-01 05:00
in 2 hours                      2026-11-20 19:30
in 1 hour                       2026-11-20 18:30
in 90 minutes                   2026-11-20 19:00
in 1 hour 30 minutes            2026-11-20 19:00
In 2h                           2026-11-20 19:30
+2h                             2026-11-20 19:30
+90m                            2026-11-20 19:00
+1h30m                          2026-11-20 19:00
+ 1 h 30 min                    2026-11-20 19:00
+3d                             2026-11-23 17:30
in 1 day 2 hours                2026-11-21 19:30
2h                              2026-11-20 19:30
3 days                          2026-11-23 17:30
+1827d                          2031-11-21 17:30
"""
CASES = [re.split(r" {2,}", line) for line in ACCEPTED.strip().splitlines()]

REFUSED = {
    "the date as 2026-11-21 and the time as 10:00": [
        *("10/11", "10/11 10:00", "11/21/2026 10:00", "21.11.2026 10:00", "2026/11/21 10:00"),
        *("21-11-2026 10:00", "nov 21 10:00", "21 November 2026 10:00", "friday 11/21 10:00"),
        *("10.30", "2026-1-2 10:00", "10 / 11", "2026-11-2110:00", "2026-11-21-10:00"),
        *("20261121 10-00", "10.30 am"),
    ],
    "lacks a time": [
        *("today", "tomorrow", "Friday", "fri", "2026-11-21", "sat 2026-11-21", "2026-11-21t"),
    ],
    "18:00 or 6pm": ["2", "18", "tomorrow 10", "fri 6", "2026-11-21 10", "2026-11-21 10-0600"],
    "00:00 to 23:59": [
        *("24:00", "25:00", "10:60", "10:00:60", "0am", "13pm", "0:30 pm", "22:00pm"),
        *("today 24:00", "2026-11-21 24:00"),
    ],
    "begins or where it ends": ["today midnight", "fri midnight", "2026-11-21 midnight"],
    "a day of the calendar": ["2026-02-30 10:00", "2026-13-01 10:00", "2027-02-29 10:00"],
    "an offset needs a date": ["10:00Z", "10:00-06:00", "today 10:00 +02:00", "10:00-11:00"],
    "+02:00 or -06:00": ["2026-11-21 10:00+15:00", "2026-11-21 10:00-0660"],
    "five years": [
        *("2031-11-22 10:00", "2062-11-21 10:00", "9999-12-31 23:59", "+1828d", "9999999d"),
        *("9999999h", "9999999 d 9999999 h 9999999 m", "0001-01-01 00:00+14:00"),
    ],
    "in 2 hours": [
        *("", " ", "later", "soon", "in", "+", "h", "in a minute", "2 weeks", "2000"),
        *("in 2 hours ago", "-2h", "2h1d", "2h2h", "+1.5h", "1h30", "in 2", "yesterday 10:00"),
        *("friday friday 10:00", "today tomorrow 10:00", "10:00 tomorrow", "at 10:00", "1800"),
        *(
            "next friday 10:00",
            "fridays 10:00",
            "frid 10:00",
            "todayT10:00",
            "10:0",
            "10:000",
            "10:00 a.m.",
            "100:00",
        ),
        *(
            "now now",
            "nownow",
            "noon pm",
            "\u0661\u0660:\u0660\u0660",
            "+2\uff48",
            "10:00\x00",
            "12345678d",
        ),
    ],
}
SLIPS = [(words, hint) for hint, many in REFUSED.items() for words in many]

LEAPT = "write 2026-03-08 01:30-06:00 for Sunday 8 March 2026, 01:30 CST (UTC-06:00), or "
LEAPT += "2026-03-08 03:30-05:00 for Sunday 8 March 2026, 03:30 CDT (UTC-05:00)"
TWICE = "write 2026-11-01 01:30-05:00 for Sunday 1 November 2026, 01:30 CDT (UTC-05:00), or "
TWICE += "2026-11-01 01:30-06:00 for Sunday 1 November 2026, 01:30 CST (UTC-06:00)"


@pytest.mark.parametrize(("words", "meant"), CASES, ids=[words for words, _ in CASES])
def test_words_that_mean_one_moment(words: str, meant: str) -> None:
    """On Friday 20 November 2026 at 11:30 in Chicago; the table holds UTC."""
    found = moment(words, NOW, CHICAGO)
    assert found == datetime.fromisoformat(f"{meant}+00:00")
    assert found.tzinfo is UTC
    assert moment(f"\t {words.upper().replace(' ', '   ')}\n", NOW, CHICAGO) == found


@pytest.mark.parametrize(("words", "hint"), SLIPS, ids=[repr(words) for words, _ in SLIPS])
def test_anything_else_is_refused_with_a_hint(words: str, hint: str) -> None:
    """The text goes on where "... is not" ends, and says what would be accepted."""
    with pytest.raises(ValueError, match=re.escape(hint)) as slip:
        moment(words, NOW, CHICAGO)
    assert re.match("(a|one|within) ", str(slip.value))


@pytest.mark.parametrize("words", ["Friday 2026-11-21 10:00", "sun 2026-11-21 10:00Z"])
def test_a_wrong_weekday_is_told_the_right_one(words: str) -> None:
    """One of the two is a slip, and nobody but the operator knows which."""
    with pytest.raises(ValueError, match=r"^a day of the calendar: 2026-11-21 is a Saturday$"):
        moment(words, NOW, CHICAGO)


@pytest.mark.parametrize(
    "words", ["2:30", "2:30am", "tomorrow 02:30", "sunday 02:30", "2026-03-08 02:30"]
)
def test_a_time_the_clocks_leap_over_is_refused(words: str) -> None:
    """Both meanings are named, each with the way to write it."""
    with pytest.raises(ValueError, match="the clocks go forward over it") as slip:
        moment(words, SPRING, CHICAGO)
    assert str(slip.value).startswith("one moment in America/Chicago: ")
    assert str(slip.value).endswith(LEAPT)


@pytest.mark.parametrize(
    "words", ["1:30", "1:30am", "tomorrow 01:30", "sunday 01:30", "sun 2026-11-01 01:30"]
)
def test_a_time_the_clocks_pass_twice_is_refused(words: str) -> None:
    """Both meanings are named, each with the way to write it."""
    with pytest.raises(ValueError, match="the clocks go back and pass it twice") as slip:
        moment(words, AUTUMN, CHICAGO)
    assert str(slip.value).startswith("one moment in America/Chicago: ")
    assert str(slip.value).endswith(TWICE)


@pytest.mark.parametrize(
    ("words", "now", "meant"),
    [
        ("2026-03-08 01:59:59", SPRING, "2026-03-08 07:59:59"),
        ("2026-03-08 03:00", SPRING, "2026-03-08 08:00"),
        ("2026-11-01 00:59:59", AUTUMN, "2026-11-01 05:59:59"),
        ("2026-11-01 02:00", AUTUMN, "2026-11-01 08:00"),
        # a length of time passes by the watch, a day by the calendar
        ("+1d", SPRING, "2026-03-09 02:00"),
        ("tomorrow 20:00", SPRING, "2026-03-09 01:00"),
        ("+1d", AUTUMN, "2026-11-02 01:00"),
        ("tomorrow 20:00", AUTUMN, "2026-11-02 02:00"),
        # 03:30 on the same Sundays: what is odd about the time is over
        ("2:30", datetime(2026, 3, 8, 8, 30, tzinfo=UTC), "2026-03-09 07:30"),
        ("sun 2:30", datetime(2026, 3, 8, 8, 30, tzinfo=UTC), "2026-03-15 07:30"),
        ("1:30", datetime(2026, 11, 1, 9, 30, tzinfo=UTC), "2026-11-02 07:30"),
        ("sun 1:30", datetime(2026, 11, 1, 9, 30, tzinfo=UTC), "2026-11-08 07:30"),
    ],
)
def test_days_on_which_the_clocks_change(words: str, now: datetime, meant: str) -> None:
    """What is beside the odd hour has one meaning."""
    assert moment(words, now, CHICAGO) == datetime.fromisoformat(f"{meant}+00:00")


def test_a_time_of_which_only_the_second_passing_is_ahead_is_refused() -> None:
    """At 01:45 of the first passing, `1:30` may be in 45 minutes or tomorrow."""
    with pytest.raises(ValueError, match="pass it twice"):
        moment("1:30", datetime(2026, 11, 1, 6, 45, tzinfo=UTC), CHICAGO)


def test_a_day_that_a_zone_left_out_is_refused() -> None:
    """Samoa went from 29 to 31 December 2011."""
    with pytest.raises(ValueError, match="forward over it; write 2011-12-29 10:00-10:00 for"):
        moment("2011-12-30 10:00", NOW, ZoneInfo("Pacific/Apia"))


def test_today_is_the_day_in_the_zone() -> None:
    """At 20:00 in Chicago it is tomorrow in UTC."""
    assert moment("today 21:00", AUTUMN, CHICAGO) == datetime(2026, 11, 1, 2, 0, tzinfo=UTC)
    assert moment("today 21:00", AUTUMN, ZoneInfo("UTC")) == datetime(2026, 11, 1, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "zone", "text"),
    [
        ("2026-11-21 16:00", "America/Chicago", "Saturday 21 November 2026, 10:00 CST (UTC-06:00)"),
        ("2026-07-01 03:05", "America/Chicago", "Tuesday 30 June 2026, 22:05 CDT (UTC-05:00)"),
        ("2026-11-21 16:00:09", "UTC", "Saturday 21 November 2026, 16:00:09 UTC (UTC+00:00)"),
        ("2026-11-21 16:00", "Asia/Kolkata", "Saturday 21 November 2026, 21:30 IST (UTC+05:30)"),
        ("2026-05-01 20:30", "Asia/Dubai", "Saturday 2 May 2026, 00:30 Asia/Dubai (UTC+04:00)"),
        ("0987-06-01 12:00", "UTC", "Friday 1 June 0987, 12:00 UTC (UTC+00:00)"),
        ("1880-01-01 12:00", "Europe/Rome", "Thursday 1 January 1880, 12:49:56 RMT (UTC+00:49:56)"),
    ],
)
def test_a_moment_is_said_back_in_full(at: str, zone: str, text: str) -> None:
    """A zone whose only letters are an offset is called by its name."""
    assert shown(datetime.fromisoformat(f"{at}+00:00"), ZoneInfo(zone)) == text


@settings(deadline=None)
@given(nows, zones)
def test_every_moment_is_said_back_in_full(at: datetime, zone: ZoneInfo) -> None:
    """Weekday, date, time, zone and offset: the moment can be found again from the words."""
    found = re.fullmatch(
        r"([A-Z][a-z]+day) ([0-9]+ [A-Z][a-z]+ [0-9]{4}), ([0-9]{2}:[0-9]{2}(?::[0-9]{2})?)"
        r" ([A-Za-z_/]+) \(UTC([+-][0-9]{2}:[0-9]{2})\)",
        shown(at, zone),
    )
    assert found is not None
    weekday, day, clock, name, offset = found.groups()
    seconds = clock if clock.count(":") > 1 else f"{clock}:00"
    read = datetime.strptime(f"{day} {seconds} {offset}", "%d %B %Y %H:%M:%S %z")
    assert read == at.replace(microsecond=0)
    assert f"{read:%A}" == weekday
    assert name in {at.astimezone(zone).tzname(), str(zone)}


@settings(deadline=None)
@given(nows, nows, zones, st.integers(-14 * 60, 14 * 60))
def test_the_iso_text_of_any_moment_means_that_moment(
    at: datetime, now: datetime, zone: ZoneInfo, offset: int
) -> None:
    """As this program, a log or any other program writes it; the zone is not applied."""
    there = at.astimezone(timezone(timedelta(minutes=offset)))
    if at - now > timedelta(days=1827):
        with pytest.raises(ValueError, match="five years"):
            moment(there.isoformat(), now, zone)
        return
    for text in (there.isoformat(), there.isoformat(" "), f"{there:%a} {there.isoformat()}"):
        assert moment(text, now, zone) == at
    assert moment(at.isoformat().replace("+00:00", "Z"), now, zone) == at


@settings(deadline=None)
@given(st.datetimes(datetime(2000, 1, 1), datetime(2035, 1, 1)), zones)  # noqa: DTZ001 - a local time
def test_a_local_time_is_that_time_or_both_meanings_are_offered(
    local: datetime, zone: ZoneInfo
) -> None:
    """What a refusal says to write is accepted, and is shown as it says."""
    local = local.replace(microsecond=0)
    now = local.replace(tzinfo=UTC)
    try:
        assert (
            moment(local.isoformat(" "), now, zone).astimezone(zone).replace(tzinfo=None) == local
        )
    except ValueError as slip:
        offers = re.findall(r"(\S+ \S+) for (\S+ \d+ \S+ \d+, .*? \(\S+\))", str(slip))
        readings = [moment(words, now, zone) for words, _ in offers]
        assert [text for _, text in offers] == [shown(each, zone) for each in readings]
        folds = {local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
        assert len(folds) == 2
        assert set(readings) == folds


@settings(deadline=None)
@given(nows, zones, st.times(), st.sampled_from(["", "mon", "wed", "sunday"]))
def test_a_bare_time_or_weekday_is_the_next_one(
    now: datetime, zone: ZoneInfo, at: object, weekday: str
) -> None:
    """After now, within a day or a week (and what a change of clocks adds), at that local time."""
    try:
        found = moment(f"{weekday} {at}", now, zone)
    except ValueError as slip:
        assert "one moment in" in str(slip)  # noqa: PT017 - a time at which the clocks change
        return
    local = found.astimezone(zone)
    assert now < found <= now + timedelta(days=7 if weekday else 1, hours=24)
    assert local.time() == at
    assert f"{local:%A}".lower().startswith(weekday)


PIECES = [
    *("now", "today", "tomorrow", "fri", "sunday", "2026-11-21", "9999-12-31", "0000-00-00"),
    *("10:00", "24:60", "6", "pm", "noon", "midnight", "in", "+", "-", "9999999", "d", "h"),
    *("hours", "30", "minutes", "T", "z", "-0600", "+99:99", ":", ".5", "0001-01-01", "/", " "),
]
almost = st.lists(st.sampled_from(PIECES), max_size=6)


@settings(deadline=None)
@given(st.text() | almost.map(" ".join) | almost.map("".join), nows, zones)
def test_any_text_is_a_moment_or_a_valueerror(words: str, now: datetime, zone: ZoneInfo) -> None:
    """What is accepted is aware, UTC, not beyond five years, and can be shown."""
    try:
        found = moment(words, now, zone)
    except ValueError as slip:
        assert re.match("(a|one|within) ", str(slip))  # noqa: PT017 - most texts are refused
        return
    assert found.tzinfo is UTC
    assert found - now <= timedelta(days=1827)
    assert shown(found, zone)
