"""The rows of the fault matrix, by the kinds of the street's modes."""

from __future__ import annotations

from cctv.reasons import Reason
from dev.dummy_models import MODELS
from dev.matrix_row import Row

R = Reason
_LOGIN, _ODD = 4, 8

_PLAIN = (
    Row("ok"),
    Row("ok_http10", faults=(23,)),
    Row("ok_keepalive"),
    Row("ok_slow", slow=True),
    Row("ok_2frames_per_s"),
)
_TRUNCATION = (
    Row("trunc_cl", R.TORN, faults=(1,)),
    Row("trunc_nocl", R.TORN, faults=(2,)),
    Row("trunc_consistent", R.TORN),
    Row("trunc_eoi", R.TORN, faults=(3,)),
    Row("trunc_eoi_progressive", R.TORN, faults=(3,)),
    Row("trunc_2", R.TORN),
    Row("zeros_mid", R.TORN, faults=(4,)),
    Row("zeros_tail", R.TORN, faults=(4,)),
    Row("zeros_tail_noeoi", R.TORN, faults=(4,)),
    Row("noise_mid", R.TORN),
    Row("grey_bottom", R.TORN),
    Row("rst_before", R.TORN, faults=(20,)),
    Row("rst_mid", R.TORN, faults=(20,)),
    Row("rst_after_eoi"),
    Row("close_now", R.TORN, faults=(20,)),
    Row("half_then_full"),
)
_LENGTHS = (
    Row("cl_long", faults=(5,)),
    Row("cl_long_close", faults=(5,)),
    Row("cl_short", faults=(6,)),
    Row("cl_short_hang", faults=(6,)),
    Row("extra_after", faults=(6,)),
    Row("cl_two_equal", faults=(24,)),
    Row("cl_two_different", faults=(24,)),
    Row("cl_neg", faults=(24,)),
    Row("cl_junk", faults=(24,)),
    Row("cl_zero_body"),
    Row("cl_and_chunked", faults=(24,)),
    Row("chunked_ok"),
    Row("chunk_noend"),
    Row("chunk_trunc", R.TORN),
    Row("chunk_bad", R.TORN),
    Row("chunk_garbage_trailer"),
)
_TAILS = (
    Row("trail_dhav", faults=(7,)),
    Row("trail_1mb", faults=(7,)),
    Row("trail_nul", faults=(7,)),
    Row("lead_crlf"),
    Row("lead_nul"),
    Row("two_pictures"),
    Row("extraneous", faults=(8,)),
    Row("no_dht"),
    Row("exif"),
    Row("app_junk"),
)
_TYPES = (
    Row("ct_missing", faults=(10,)),
    Row("ct_wrong", faults=(10,)),
    Row("ct_params", faults=(10,)),
    Row("ct_multipart_but_jpeg"),
    Row("png_as_jpeg", R.NOT_A_PICTURE, requests=_ODD),
    Row("html_login", R.NOT_A_PICTURE, requests=_ODD, faults=(9,)),
    Row("html_200", R.NOT_A_PICTURE, requests=_ODD, faults=(9,)),
    Row("xml_busy_200", R.BUSY, faults=(9, 12)),
    Row("json_reolink_login", R.AUTH, model="Reolink", rests=True, faults=(9,)),
    Row("json_reolink_busy", R.BUSY, model="Reolink", faults=(9,)),
    Row("foscam_error_xml", R.AUTH, model="Foscam", rests=True, faults=(9,)),
    Row("text_error", R.NOT_A_PICTURE, requests=_ODD),
    Row("empty_200", R.NOT_A_PICTURE, requests=_ODD, faults=(11,)),
    Row("empty_204", R.HTTP_ERROR, requests=_ODD, faults=(11,)),
    Row("status_206", R.HTTP_ERROR, requests=_ODD),
    Row("status_304", R.HTTP_ERROR, requests=_ODD),
    Row("status_404", R.NOT_FOUND, requests=_ODD, faults=(29,)),
    Row("status_410", R.NOT_FOUND, requests=_ODD),
    Row("status_500", R.HTTP_ERROR, requests=_ODD),
    Row("status_503_busy", R.BUSY, faults=(12,)),
    Row("busy_once", faults=(12,)),
    Row("status_599", R.HTTP_ERROR, requests=_ODD),
    Row("status_400_badxml", R.HTTP_ERROR, requests=_ODD),
    Row("status_200_then_close", R.TORN),
)
_STREAMS = (
    Row("mjpeg", faults=(14,)),
    Row("mjpeg_nolen", faults=(14,)),
    Row("mjpeg_wrong_boundary", faults=(14,)),
    Row("mjpeg_double_dash", faults=(14,)),
    Row("mjpeg_first_torn", faults=(14,)),
    Row("mjpeg_raw", faults=(14,)),
    Row("mjpeg_avi1", faults=(14,)),
)
_BOMBS = (
    Row("endless_zeros", R.NOT_A_PICTURE, requests=_ODD, faults=(15,)),
    Row("endless_ff", R.TOO_BIG, faults=(15,)),
    Row("endless_header", R.PROTOCOL, faults=(24,)),
    Row("huge", faults=(15,)),
    Row("huge_header_line", R.PROTOCOL, faults=(24,)),
    Row("many_headers", R.PROTOCOL, faults=(24,)),
    Row("gzip_bomb", R.NOT_A_PICTURE, requests=_ODD, faults=(16,)),
    Row("gzip_ok", R.NOT_A_PICTURE, requests=_ODD, faults=(16,)),
    Row("bomb_px", R.TOO_BIG, faults=(17,)),
    Row("bomb_px_claimed", R.TOO_BIG, faults=(17,)),
    Row("bomb_scans", R.TOO_BIG, faults=(17,)),
    Row("bomb_segments", R.TOO_BIG),
)
_TIME = (
    Row("hang_accept", R.TIMEOUT, slow=True, faults=(19,)),
    Row("hang_hdr", R.TIMEOUT, slow=True, faults=(19,)),
    Row("hang_mid", R.TIMEOUT, slow=True),
    Row("drip_hdr", R.TIMEOUT, slow=True, faults=(18,)),
    Row("drip_body", R.TIMEOUT, slow=True, faults=(18,)),
    Row("slow_3s", slow=True),
    Row("blackhole", R.UNREACHABLE, slow=True, faults=(21,)),
    Row("refused", R.UNREACHABLE),
    Row("halfopen", R.TIMEOUT, slow=True, faults=(21,)),
)
_WIRE = (
    Row("http09", faults=(24,)),
    Row("icy", faults=(24,)),
    Row("bad_header", faults=(24,)),
    Row("space_header", faults=(23,)),
    Row("lf_only", faults=(23,)),
    Row("no_reason", faults=(23,)),
    Row("nonascii_header"),
    Row("folded_header"),
    Row("lower_http", faults=(24,)),
    Row("junk_before_status", faults=(24,)),
    Row("garbage", R.PROTOCOL, faults=(24,)),
    Row("ssh_banner", R.PROTOCOL),
    Row("status_999", R.HTTP_ERROR, requests=_ODD),
    Row("continue_100"),
    Row("early_hints"),
)
_REDIRECTS = tuple(
    Row(mode, R.HTTP_ERROR, requests=_ODD, faults=(25,), note="never followed")
    for mode in (
        "redir_same",
        "redir_host",
        "redir_loop",
        "redir_file",
        "redir_meta",
        "redir_https",
    )
)
_LOGINS = (
    Row("basic_ok"),
    Row("query_login", model="Reolink"),
    Row("digest_ok", faults=(26,)),
    Row("digest_sha256", faults=(26,)),
    Row("digest_both", faults=(26,)),
    Row("digest_rfc2069", faults=(26,)),
    Row("digest_sess", faults=(26,)),
    Row("digest_authint_first", faults=(26,)),
    Row("digest_one_time", requests=_LOGIN, faults=(26,)),
    Row("digest_strict_nc", faults=(26,)),
    Row("digest_stale", requests=_LOGIN, faults=(26,)),
    Row("digest_basic_first", faults=(26,)),
    Row("digest_one_header", faults=(26,)),
    Row("digest_upper", faults=(26,)),
    Row("digest_unknown_algorithm_then_md5", faults=(26,)),
    Row("digest_domain_odd", faults=(26,)),
    Row("digest_unanswerable", R.AUTH, rests=True, faults=(26,)),
    Row("digest_query_checked", faults=(26,)),
)
_REFUSALS = (
    Row("wrong_password", R.AUTH, refusals=2, rests=True, faults=(27,)),
    Row("lock_403"),
    Row("flap_401", faults=(28,)),
    Row("dahua_busy_401", requests=_LOGIN),
    Row("no_challenge_401", R.AUTH, rests=True),
    Row("auth_closes"),
    Row("digest_401_endless_body", faults=(26,)),
)
_WRONG = (
    *(
        Row(mode, R.AUTH, variant="wrong", model=model, refusals=2, rests=True, faults=(27,))
        for mode, model in (
            ("basic_ok", "Sony"),
            ("query_login", "Foscam"),
            ("digest_ok", "Sony"),
            ("digest_sha256", "Sony"),
            ("digest_one_time", "Sony"),
            ("digest_stale", "Sony"),
            ("lock_403", "Sony"),
            ("digest_401_endless_body", "Sony"),
        )
    ),
    # it takes two closes to know that they are its way of refusing
    Row(
        "auth_closes",
        R.AUTH,
        variant="wrong",
        model="Sony",
        cycles=3,
        refusals=2,
        rests=True,
        faults=(27,),
    ),
)
_TLS = (
    Row("tls_self", variant="pin", tls="pin", faults=(32,)),
    Row("tls_self", variant="insecure", tls="insecure", faults=(32,)),
    Row("tls_expired", variant="insecure", tls="insecure", faults=(32,)),
    Row("tls_expired", R.TLS, variant="pin of another", tls="pin", faults=(32,)),
    Row("tls_wrong_name", variant="insecure", tls="insecure", faults=(32,)),
    Row("tls_wrong_name", R.TLS, variant="pin of another", tls="pin", faults=(32,)),
    Row("tls_old", R.TLS, variant="insecure", tls="insecure", faults=(32,)),
    Row("tls_old", variant="insecure legacy", tls="insecure legacy", faults=(32,)),
    Row("tls_weak_key", variant="insecure", tls="insecure", faults=(32,)),
    Row("tls_hang", R.UNREACHABLE, variant="pin", tls="pin", slow=True, faults=(32,)),
    Row("tls_plain", R.TLS, variant="pin", tls="pin"),
    Row("http_speaks_tls", R.TORN),
)
_CONTENT = (
    Row("frozen", R.FROZEN, cycles=3, faults=(30,)),
    Row("frozen_exif", R.FROZEN, cycles=3, faults=(30,)),
    Row("cache_2s"),
    Row("black", warning=R.BLANK, faults=(31,)),
    Row("green", warning=R.BLANK, faults=(31,)),
    Row("grey_flat", warning=R.BLANK, faults=(31,)),
    Row("pink", faults=(31,)),
    Row("night", faults=(31,)),
    Row("fog", faults=(31,)),
    Row("progressive"),
    Row("grey_scale"),
    Row("cmyk"),
    Row("portrait"),
    Row("tiny_1x1", warning=R.BLANK),
    Row("uhd"),
)


def _other(make: str, mode: str, refused: Reason) -> Row:
    name = f"{mode}:{make.lower().replace(' ', '_')}"
    record = "Axis" if make in {"Sarix", "Spectra Enhanced"} else "Sarix"
    if make in {"Foscam", "Reolink"}:
        note = "no password in a query to a device that may be another make"
        return Row(name, refused, model=record, requests=_ODD, note=note)
    return Row(name, model=record, cycles=4, requests=_ODD, note="found within 4 cycles")


_DEVICES = (
    Row("nvr", faults=(13,)),
    Row("server_header"),
    *(
        _other(model.name, mode, refused)
        for mode, refused in (
            ("wrong_model", R.NOT_FOUND),
            ("wrong_model_html", R.NOT_A_PICTURE),
        )
        for model in MODELS
        if model.name != "url"
    ),
)

ROWS: tuple[Row, ...] = (
    *_PLAIN,
    *_TRUNCATION,
    *_LENGTHS,
    *_TAILS,
    *_TYPES,
    *_STREAMS,
    *_BOMBS,
    *_TIME,
    *_WIRE,
    *_REDIRECTS,
    *_LOGINS,
    *_REFUSALS,
    *_WRONG,
    *_TLS,
    *_CONTENT,
    *_DEVICES,
)
