"""What cameras behind one host and port share: a turn, logins, and the way of reading."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from yarl import URL

from cctv.drivers.device import Device, Devices
from cctv.errors import CaptureError
from cctv.model import Login, Secret
from cctv.reasons import Reason
from tests.virtual import run

LOST = CaptureError(Reason.UNREACHABLE, "no route to host")


def device() -> Device:
    """A device in virtual time."""
    return Device(1800.0, asyncio.get_running_loop().time)


async def ask(one: Device, asked: list[float], seconds: float, failure: Exception | None) -> None:
    """A visit in its turn; `asked` gets the moment it began."""
    async with one.turn():
        asked.append(asyncio.get_running_loop().time())
        await asyncio.sleep(seconds)
        if failure:
            raise failure


def test_one_visit_at_a_time_in_the_order_of_coming() -> None:
    """A recorder with many channels is asked for one after the other."""

    async def work() -> None:
        one, asked = device(), list[float]()
        async with asyncio.TaskGroup() as group:
            for _ in range(4):
                group.create_task(ask(one, asked, 2.0, None))
        assert asked == [0.0, 2.0, 4.0, 6.0]

    run(work)


def test_those_who_wait_hear_that_the_device_is_lost() -> None:
    """They do not wait for the same deadline again; whoever comes later asks."""

    async def work() -> None:
        one, asked = device(), list[float]()
        first = asyncio.create_task(ask(one, asked, 5.0, LOST))
        await asyncio.sleep(1)
        waiting = [asyncio.create_task(ask(one, asked, 5.0, None)) for _ in range(3)]
        results = await asyncio.gather(first, *waiting, return_exceptions=True)
        assert asyncio.get_running_loop().time() == 5.0
        assert asked == [0.0]
        for result in results:
            assert isinstance(result, CaptureError)
            assert (result.reason, str(result)) == (Reason.UNREACHABLE, "no route to host")
        assert len(set(map(id, results))) >= 2
        await asyncio.sleep(0.1)
        await ask(one, asked, 1.0, None)
        assert asked == [0.0, 5.1]

    run(work)


@pytest.mark.parametrize(
    "failure",
    [
        *(CaptureError(each, "so") for each in Reason if each is not Reason.UNREACHABLE),
        ValueError("bug"),
    ],
    ids=str,
)
def test_other_failures_are_of_one_visit_only(failure: Exception) -> None:
    """One channel that hangs, or that nobody may see, says nothing about the next."""

    async def work() -> None:
        one, asked = device(), list[float]()
        first = asyncio.create_task(ask(one, asked, 5.0, failure))
        second = asyncio.create_task(ask(one, asked, 1.0, None))
        with pytest.raises(type(failure)):
            await first
        await second
        assert asked == [0.0, 5.0]

    run(work)


def test_a_device_lost_long_ago_is_asked_again() -> None:
    """What was heard before a visit came counts for nothing."""

    async def work() -> None:
        one, asked = device(), list[float]()
        with pytest.raises(CaptureError):
            await ask(one, asked, 5.0, LOST)
        await asyncio.sleep(295)
        first = asyncio.create_task(ask(one, asked, 1.0, None))
        second = asyncio.create_task(ask(one, asked, 1.0, None))
        await asyncio.gather(first, second)
        assert asked == [0.0, 300.0, 301.0]

    run(work)


@pytest.mark.parametrize("moment", [1.0, 3.0], ids=["while waiting", "in its turn"])
def test_a_cancel_hands_the_turn_on(moment: float) -> None:
    """Wherever a visit is broken off, the next one gets the device."""

    async def work() -> None:
        one, asked = device(), list[float]()
        tasks = [asyncio.create_task(ask(one, asked, 2.0, None)) for _ in range(3)]
        asyncio.get_running_loop().call_later(moment, tasks[1].cancel)
        await asyncio.wait(tasks)
        assert tasks[1].cancelled()
        assert asked == ([0.0, 2.0] if moment == 1.0 else [0.0, 2.0, 3.0])
        await ask(one, asked, 0.0, None)

    run(work)


@pytest.mark.parametrize(
    "same",
    ["http://cam.example/a", "https://CAM.example.:80/", "http://cam.example:80/?b"],
)
def test_a_device_has_one_name(same: str) -> None:
    """However its host and port are written: a login's history must not be split."""
    devices = Devices(1800.0, lambda: 0.0)
    assert devices.at(URL(same)) is devices.at(URL("http://cam.example/"))
    assert devices.at(URL("http://[::ffff:10.0.0.1]/")) is devices.at(URL("http://10.0.0.1/"))
    assert devices.at(URL("http://[::1]/")) is devices.at(URL("http://[0:0:0:0:0:0:0:1]/"))
    assert devices.at(URL("http://cam.example:81/")) is not devices.at(URL("http://cam.example/"))


@pytest.mark.parametrize("host", ["xn--a", "xn--", "xn--a-ecp.ru"])
def test_a_name_that_only_looks_international(host: str) -> None:
    """It breaks the library that decodes it; nothing here does."""
    devices = Devices(1800.0, lambda: 0.0)
    assert devices.at(URL(f"http://{host}/")) is devices.at(URL(f"http://{host}/"))


def test_a_login_has_one_history_at_a_device() -> None:
    """All channels of a recorder share it; a new password is another login."""
    one = Device(1800.0, lambda: 0.0)
    key = one.key(Login("viewer", Secret("canary")))
    assert one.key(Login("viewer", Secret("canary"))) is key
    assert one.key(Login("viewer", Secret("other"))) is not key
    assert Device(1800.0, lambda: 0.0).key(Login("viewer", Secret("canary"))) is not key
    assert "canary" not in repr(one)


def test_the_long_pause_of_a_login_is_the_devices_own() -> None:
    """`retry_after` and the clock reach the key: after two refusals it rests that long."""
    time = [0.0]
    one = Device(600.0, lambda: time[0])
    key = one.key(Login("viewer", Secret("canary")))
    for _ in range(2):
        key.spend()
        key.refused(401)
    with pytest.raises(CaptureError):
        key.check()
    time[0] = 600.0
    key.check()


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("http://10.0.0.1/a?channel=1", "http://10.0.0.1:80/b", True),
        ("http://Recorder.local/", "http://recorder.LOCAL/", True),
        ("http://viewer:pw@10.0.0.1/", "http://10.0.0.1/", True),
        ("http://[fe80::1]/", "http://[fe80:0::1]/", True),
        ("http://10.0.0.1/", "https://10.0.0.1/", False),
        ("http://10.0.0.1/", "http://10.0.0.1:8080/", False),
        ("http://10.0.0.1/", "http://10.0.0.2/", False),
    ],
)
def test_a_device_is_a_host_and_a_port(first: str, second: str, *, same: bool) -> None:
    """However it is written, and whatever is asked there."""
    devices = Devices(1800.0, lambda: 0.0)
    found = devices.at(URL(first))
    assert (devices.at(URL(second)) is found) is same
    assert devices.at(URL(first)) is found


def test_what_was_not_asked_for_the_longest_time_is_forgotten() -> None:
    """Addresses that change every day do not fill the memory."""
    devices = Devices(1800.0, lambda: 0.0)
    kept, lost = devices.at(URL("http://kept")), devices.at(URL("http://lost"))
    devices.at(URL("http://kept"))
    for port in range(1, 19_999):
        devices.at(URL.build(scheme="http", host="10.0.0.1", port=port))
    assert devices.at(URL("http://kept")) is kept
    devices.at(URL("http://one-more"))
    assert devices.at(URL("http://kept")) is kept
    assert devices.at(URL("http://lost")) is not lost


def test_a_turn_lost_while_it_is_waited_for_is_no_loss_of_its_own() -> None:
    """What those who wait are told does not reach those who come after it was found."""

    async def work() -> None:
        one, asked = device(), list[float]()
        first = asyncio.create_task(ask(one, asked, 5.0, LOST))
        second = asyncio.create_task(ask(one, asked, 5.0, None))
        # comes as soon as the first has failed, before the second has heard of it
        with suppress(CaptureError):
            await first
        await asyncio.sleep(0)
        third = asyncio.create_task(ask(one, asked, 1.0, None))
        with pytest.raises(CaptureError):
            await second
        await third
        assert asked == [0.0, 5.0]

    run(work)
