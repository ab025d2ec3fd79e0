"""How: one entry for each make of camera. A vendor is data; `http` is the one mechanism.

Where an entry names no source, its endpoint stands in the vendor's own documents.
"""

from __future__ import annotations

from dataclasses import replace

from cctv.drivers.still import Still, Telltale
from cctv.reasons import Reason
from cctv.roster import URL_MODEL

AXIS = Still(
    "axis", "/axis-cgi/jpg/image.cgi", (("camera", "{channel}"),), signature=r'realm="AXIS_'
)
"""VAPIX. One fixed set of parameters: each other one is a further encoder job on the device."""

ADVIDIA = Still(
    "advidia",
    "/ISAPI/Streaming/channels/{channel}01/picture",
    signature=r"(App|DNVRS|DVRDVS|Hikvision)-Webs|realm=\"(IP Camera\(|DS-)",
)
"""Hikvision's ISAPI, Advidia among its rebrands; 101 is the main stream of channel 1."""

SARIX = Still("sarix", "/jpeg", (("id", "2"),))
"""Pelco Sarix and Spectra Enhanced as the City has them: `id` is the stream, not the channel."""

WISENET = Still(
    "wisenet",
    "/stw-cgi/video.cgi",
    (
        ("msubmenu", "snapshot"),
        ("action", "view"),
        ("Profile", "1"),
        ("Channel", "{channel}"),
    ),
    first_channel=0,
    always_channel=True,
    signature=r'realm="iPolis',
)
"""Hanwha SUNAPI; answers with an error when profile 1 is not MJPEG. Channels count from 0."""

DAHUA = Still(
    "dahua",
    "/cgi-bin/snapshot.cgi",
    (("channel", "{channel}"),),
    signature=r'realm="Login to ',
)
"""Dahua, Amcrest, Lorex. Single-lens units want no channel (python-amcrest, snapshot.py)."""

FOSCAM = Still(
    "foscam",
    "/cgi-bin/CGIProxy.fcgi",
    (("cmd", "snapPicture2"), ("usr", "{username}"), ("pwd", "{password}")),
    auth="query",
    telltales=(
        Telltale(rb"<result>-[23]</result>", Reason.AUTH),
        Telltale(rb"<CGI_Result>", Reason.HTTP_ERROR),
    ),
)
"""H.264 models: the login is taken from the query only, errors are XML with HTTP 200."""

BOSCH = Still(
    "bosch",
    "/snap.jpg",
    (("JpegSize", "XL"), ("JpegCam", "{channel}")),
    signature=r"VCS-VideoJet|realm=\"Bosch",
)
"""Without a size the unit captures its full sensor, which takes 6 to 10 s."""

VIVOTEK = Still(
    "vivotek",
    "/cgi-bin/viewer/video.jpg",
    (("channel", "{channel}"),),
    first_channel=0,
    signature=r"(?i)vivotek",
)
"""Channels count from 0 (VS8102 manual)."""

MOBOTIX = Still("mobotix", "/cgi-bin/image.jpg", (("error", "empty"),), signature=r"(?i)mobotix")
"""`error=empty`: by default a fault comes as a drawn picture with HTTP 200."""

PANASONIC = Still("panasonic", "/SnapshotJPEG", (("Resolution", "640x480"),))
"""BB, BL and KX families."""

I_PRO = Still("i-pro", "/cgi-bin/camera", (("resolution", "1280"),))
"""Panasonic i-PRO, the older ones."""

SONY = Still("sony", "/oneshotimage.jpg")
"""SNC; the newer `/image` is a server push without lengths, this is a still."""

REOLINK = Still(
    "reolink",
    "/cgi-bin/api.cgi",
    (
        ("cmd", "Snap"),
        ("channel", "{channel}"),
        ("rs", "{random}"),
        ("user", "{username}"),
        ("password", "{password}"),
    ),
    auth="query",
    first_channel=0,
    always_channel=True,
    telltales=(
        Telltale(rb'"rspCode"\s*:\s*-(6|7|27)\b|please login|Login has been locked', Reason.AUTH),
        Telltale(rb'"rspCode"\s*:\s*-5\b', Reason.BUSY),
        Telltale(rb'"rspCode"', Reason.HTTP_ERROR),
    ),
)
"""`rs` must change each time to get past a cache; errors are JSON with HTTP 200 (reolink_aio)."""

UNIVIEW = Still("uniview", "/images/snapshot.jpg")
"""IP cameras; an unsupported path answers HTTP 599."""

URL = Still(URL_MODEL, "")
"""Any other camera: the record's address is the whole URL, with `{channel}` where it is wanted."""

UNKNOWN = replace(SARIX, name="unknown")
"""What the predecessor asked every model for that it did not know; Sarix's login stays its own."""

TABLE: dict[str, Still] = {
    "axis": AXIS,
    "advidia": ADVIDIA,
    "hikvision": ADVIDIA,
    "sarix": SARIX,
    "spectra enhanced": SARIX,
    "pelco": SARIX,
    "wisenet": WISENET,
    "hanwha": WISENET,
    "dahua": DAHUA,
    "amcrest": DAHUA,
    "lorex": DAHUA,
    "foscam": FOSCAM,
    "bosch": BOSCH,
    "vivotek": VIVOTEK,
    "mobotix": MOBOTIX,
    "panasonic": PANASONIC,
    "i-pro": I_PRO,
    "sony": SONY,
    "reolink": REOLINK,
    "uniview": UNIVIEW,
    URL_MODEL: URL,
}


def model_key(model: str) -> str:
    """How models are compared: lower case, blanks folded."""
    return " ".join(model.lower().split())
