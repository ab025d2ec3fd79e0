"""Every make of the dummy street, asked by the real driver over real sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cctv import roster
from cctv.drivers import model_key
from cctv.drivers.http import env_name
from cctv.errors import CaptureError
from cctv.model import Login, Record, Secret
from cctv.reasons import Reason
from dev import dummy_logins
from dev.dummy_api import Street
from dev.dummy_models import MODELS
from tests.fakes.camera import opened_driver, scripted, shot

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cctv.frame import Frame
    from cctv.model import Camera

RIGHT = Login(dummy_logins.LOGIN.username, Secret(dummy_logins.LOGIN.password))
WRONG = Login(dummy_logins.LOGIN.username, Secret("wrong"))
NAMES = [model.name for model in MODELS]
OPEN = [model.name for model in MODELS if model.guard is dummy_logins.OPEN]
LOCKED = [name for name in NAMES if name not in OPEN]
IN_QUERY = ["Foscam", "Reolink"]


@pytest.fixture(scope="module", params=["MD5", "SHA-256"])
def street(request: pytest.FixtureRequest) -> Iterator[Street]:
    """A street with one camera of each model, for each digest."""
    with Street(algorithm=request.param) as street:
        yield street


@pytest.fixture
def well(street: Street) -> Street:
    """The same street, every camera well."""
    for camera in street.cameras:
        street.set_mode(camera, "ok")
    return street


def camera_of(street: Street, model: str) -> Camera:
    """The street's camera of `model`, read as an inventory's record is."""
    rows = [Record(**row) for row in street.records() if row["model"] == model]
    (camera,) = roster.read(rows, {}).cameras.values()
    return camera


async def ask(street: Street, model: str, logins: Mapping[str, Login]) -> Frame:
    """The picture of the camera of `model`, with these logins set."""
    async with opened_driver(logins) as driver:
        return await driver(camera_of(street, model)).frame()


async def refusal(street: Street, model: str, logins: Mapping[str, Login]) -> CaptureError:
    """Why there is none."""
    with pytest.raises(CaptureError) as caught:
        await ask(street, model, logins)
    return caught.value


@pytest.mark.parametrize("model", NAMES)
async def test_every_make_gives_a_frame(well: Street, model: str) -> None:
    """With one login for all, each make is asked at its path and logged in to in its way."""
    frame = await ask(well, model, {"CAMERA": RIGHT})
    assert (frame.width, frame.height) > (0, 0)


@pytest.mark.parametrize("model", OPEN)
async def test_open_makes_need_no_login(well: Street, model: str) -> None:
    """A camera that asks for no login gets none."""
    assert (await ask(well, model, {})).width


@pytest.mark.parametrize("model", LOCKED)
async def test_a_wrong_login_costs_one_attempt(well: Street, model: str) -> None:
    """A refusal is `auth` in each make's own way, after one wrong attempt; 401s ask first."""
    camera = camera_of(well, model)
    before = well.requests(camera.id)
    error = await refusal(well, model, {"CAMERA": WRONG})
    assert error.reason is Reason.AUTH
    assert "wrong" not in str(error)
    assert well.requests(camera.id) - before == (1 if model in IN_QUERY else 2)


@pytest.mark.parametrize("model", LOCKED)
async def test_no_login_costs_no_attempt(well: Street, model: str) -> None:
    """Without a login a locked camera is asked once, and is `auth`."""
    camera = camera_of(well, model)
    before = well.requests(camera.id)
    assert (await refusal(well, model, {})).reason is Reason.AUTH
    assert well.requests(camera.id) - before == 1


@pytest.mark.parametrize("model", LOCKED)
async def test_a_models_own_login_goes_first(well: Street, model: str) -> None:
    """`<MODEL>_USERNAME` is for its model, before `CAMERA_USERNAME`, and for no other."""
    own = env_name(model)
    assert (await ask(well, model, {"CAMERA": WRONG, own: RIGHT})).width
    assert (await refusal(well, model, {"CAMERA": RIGHT, own: WRONG})).reason is Reason.AUTH
    others = dict.fromkeys((env_name(each) for each in (*OPEN, "unknown make")), WRONG)
    assert (await ask(well, model, {"CAMERA": RIGHT, **others})).width


@pytest.mark.parametrize(
    ("model", "make"), [("Hikvision", "ADVIDIA"), ("Amcrest", "DAHUA"), ("Hanwha", "WISENET")]
)
async def test_a_rebrand_uses_its_makes_login(model: str, make: str) -> None:
    """A model that speaks like another make has that make's login where it has no own."""
    async with opened_driver({"CAMERA": WRONG, make: RIGHT}) as driver:
        (camera,) = roster.read([Record("7", model, "10.1.2.3")], {}).cameras.values()
        assert driver(camera).login == RIGHT
    async with opened_driver({env_name(model): RIGHT, make: WRONG}) as driver:
        assert driver(camera).login == RIGHT


async def test_an_unknown_model_gets_no_makes_login() -> None:
    """An unknown model is asked as a Sarix is, but Sarix's login is not shown to it."""
    (camera,) = roster.read([Record("7", "Acme 3000", "10.1.2.3")], {}).cameras.values()
    async with opened_driver({"SARIX": WRONG, "CAMERA": RIGHT}) as driver:
        source = driver(camera)
        assert driver.remark(camera).startswith("unknown model Acme 3000, asked with")
        assert source.login == RIGHT
        assert source.still.target(camera, RIGHT) == "/jpeg?id=2"
    async with opened_driver({"ACME_3000": RIGHT, "CAMERA": WRONG}) as driver:
        assert driver(camera).login == RIGHT


@pytest.mark.parametrize("model", NAMES)
async def test_every_dummy_model_is_known(well: Street, model: str) -> None:
    """The models of the street are all in the table, in capitals or not."""
    camera = camera_of(well, model)
    async with opened_driver() as driver:
        assert driver.remark(camera) == ""
        assert model_key(model) == model_key(f" {model.upper()} ")


MODES = {
    "401": (Reason.AUTH, "HTTP 401 Unauthorized"),
    "404": (Reason.NOT_FOUND, "HTTP 404 Not Found"),
    "503": (Reason.BUSY, "HTTP 503 Service Unavailable"),
    "html": (Reason.NOT_A_PICTURE, "answered an HTML page"),
    "truncated": (Reason.TORN, "JPEG cut off after"),
    "cut": (Reason.TORN, "JPEG cut off after"),
    "empty": (Reason.NOT_A_PICTURE, "answered nothing (0 bytes)"),
    "refuse": (Reason.TORN, "closed the connection before any picture"),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("model", ["Axis", "Sony", "Reolink", "Sarix"])
async def test_sick_cameras(well: Street, model: str, mode: str) -> None:
    """Each way of being sick has its reason and its words, however the make is logged in to."""
    well.set_mode(camera_of(well, model).id, mode)
    error = await refusal(well, model, {"CAMERA": RIGHT})
    reason, words = MODES[mode]
    assert error.reason is reason
    assert str(error).startswith(words)


async def test_a_hanging_camera(well: Street) -> None:
    """A camera of the street that hangs is `timeout`."""
    camera = camera_of(well, "Axis")
    well.set_mode(camera.id, "hang")
    with pytest.raises(CaptureError) as caught:
        await shot(camera.address, seconds=0.3)
    assert caught.value.reason is Reason.TIMEOUT


REFUSALS = {
    "reolink wrong login": ("reolink", b'[{"error":{"rspCode":-6}}]', Reason.AUTH),
    "reolink wrong password": ("reolink", b'[{"error":{"rspCode" : -7}}]', Reason.AUTH),
    "reolink locked": ("reolink", b"Login has been locked", Reason.AUTH),
    "reolink busy": ("reolink", b'[{"error":{"rspCode":-5}}]', Reason.BUSY),
    "reolink other": ("reolink", b'[{"error":{"rspCode":-66}}]', Reason.HTTP_ERROR),
    "foscam wrong login": (
        "foscam",
        b"<CGI_Result>\n<result>-2</result>\n</CGI_Result>",
        Reason.AUTH,
    ),
    "foscam other": (
        "foscam",
        b"<CGI_Result>\n<result>-4</result></CGI_Result>",
        Reason.HTTP_ERROR,
    ),
    "another make": ("axis", b"<CGI_Result><result>-2</result>", Reason.NOT_A_PICTURE),
}


@pytest.mark.parametrize(("model", "body", "reason"), REFUSALS.values(), ids=REFUSALS)
async def test_refusals_with_http_200(model: str, body: bytes, reason: Reason) -> None:
    """What a make says with HTTP 200 instead of a picture has its own reason."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
    async with scripted((head + body,)) as camera:
        with pytest.raises(CaptureError) as caught:
            await shot(camera.address, RIGHT, model=model)
        assert caught.value.reason is reason
