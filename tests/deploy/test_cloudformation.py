"""deploy/cloudfront.yaml: it is sound, its functions are deploy/edge, and its rights are narrow."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.deploy.programs import ROOT, run, surroundings
from tests.deploy.template import BUCKET, CLOUDFRONT, OURS, TEMPLATE, Stack, allowed, listed

STACK = Stack()


def test_cfn_lint_reports_nothing(tmp_path: Path) -> None:
    """No error, no warning, nothing for information."""
    linter = Path(sys.executable).parent / "cfn-lint"
    done = run([linter, "--include-checks", "I", "--", TEMPLATE], surroundings(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("resource", "file"), [("FreshFunction", "fresh.js"), ("RequestFunction", "request.js")]
)
def test_the_functions_are_the_files(resource: str, file: str) -> None:
    """What runs at the edge is what is tested, letter by letter, and published at once."""
    function = STACK.resource(resource)
    assert function["FunctionCode"] == (ROOT / "deploy" / "edge" / file).read_text()
    assert function["FunctionConfig"]["Runtime"] == "cloudfront-js-2.0"
    assert function["AutoPublish"] is True


def test_both_functions_are_in_place() -> None:
    """One is no use without the other: a 304 could not be judged."""
    behaviour = STACK.resource("Distribution")["DistributionConfig"]["DefaultCacheBehavior"]
    told = {each["EventType"]: each["FunctionARN"] for each in behaviour["FunctionAssociations"]}
    assert told == {
        "viewer-request": "RequestFunction.FunctionARN",
        "viewer-response": "FreshFunction.FunctionARN",
    }


def test_every_path_goes_through_the_functions() -> None:
    """There is one behaviour and one origin, so nothing is served past the functions."""
    config = STACK.resource("Distribution")["DistributionConfig"]
    assert "CacheBehaviors" not in config
    assert [origin["OriginAccessControlId"] for origin in config["Origins"]] == ["OriginAccess.Id"]
    assert config["DefaultCacheBehavior"]["AllowedMethods"] == ["GET", "HEAD"]
    assert config["DefaultCacheBehavior"]["ViewerProtocolPolicy"] == "redirect-to-https"
    assert config["DefaultCacheBehavior"]["Compress"] is False


def test_expires_decides_how_long_an_edge_keeps_an_object() -> None:
    """The minimum TTL is 0, the maximum at least the interval, and only the path is the key."""
    policy = STACK.resource("CachePolicy")["CachePolicyConfig"]
    assert (policy["MinTTL"], policy["DefaultTTL"]) == (0, 10)
    assert (
        policy["MaxTTL"]
        >= STACK.resource("SweepFunction")["Environment"]["Variables"]["CCTV_INTERVAL"]
    )
    key = policy["ParametersInCacheKeyAndForwardedToOrigin"]
    assert [
        value for part in key.values() if isinstance(part, dict) for value in part.values()
    ] == ["none"] * 3


@pytest.mark.parametrize("prefix", ["image/", "trial/image/"])
def test_an_error_shows_the_card(prefix: str) -> None:
    """Whatever the store answers instead of an object, the viewer sees the card, and no 200."""
    config = Stack(Prefix=prefix).resource("Distribution")["DistributionConfig"]
    told = {each["ErrorCode"]: each for each in config["CustomErrorResponses"]}
    assert set(told) == {403, 404, 500, 502, 503, 504}
    for code, answer in told.items():
        assert answer["ResponsePagePath"] == f"/{prefix}unavailable.jpg"
        expected = (404, 10) if code < 500 else (503, 1)
        assert (answer["ResponseCode"], answer["ErrorCachingMinTTL"]) == expected


@pytest.mark.parametrize("prefix", ["image/", "trial/image/"])
def test_cloudfront_reads_the_public_prefix_only(prefix: str) -> None:
    """An object under the prefix, over TLS, for our distribution; nothing else in the bucket."""
    policy = Stack(Prefix=prefix).statements("BucketPolicy")

    def reads(key: str, **context: str) -> bool:
        told = {name.replace("_", ":"): value for name, value in context.items()}
        return allowed(policy, "s3:GetObject", f"{BUCKET}/{key}", told, CLOUDFRONT)

    assert reads(f"{prefix}12.jpg")
    assert not reads("private/holds/1.json")
    assert not reads(f"private/{prefix}12.jpg")
    assert not reads("12.jpg")
    assert not reads(f"{prefix}12.jpg", AWS_SourceArn=OURS + "X")
    assert not reads(f"{prefix}12.jpg", aws_SecureTransport="false")
    readers = [s for s in policy if s["Effect"] == "Allow" and s["Action"] == "s3:GetObject"]
    assert [reader["Resource"] for reader in readers] == [f"{BUCKET}/{prefix}*"]


def test_private_stays_private_when_the_right_to_read_is_widened() -> None:
    """The statement that denies holds on its own, for every distribution."""
    wide = {
        "Effect": "Allow",
        "Principal": CLOUDFRONT,
        "Action": "s3:GetObject",
        "Resource": f"{BUCKET}/*",
    }
    policy = [*STACK.statements("BucketPolicy"), wide]
    assert allowed(policy, "s3:GetObject", f"{BUCKET}/image/12.jpg", who=CLOUDFRONT)
    other = {"AWS:SourceArn": OURS + "X"}
    for context in ({}, other):
        key = f"{BUCKET}/private/holds/1.json"
        assert not allowed(policy, "s3:GetObject", key, context, CLOUDFRONT)


def test_cloudfront_lists_nothing_for_viewers() -> None:
    """A GET of `/` names no prefix, for queries are not passed on, and lists no private keys."""
    policy = STACK.statements("BucketPolicy")
    assert not allowed(policy, "s3:ListBucket", BUCKET, who=CLOUDFRONT)
    for prefix in ("", "private/", "imag"):
        context = {"s3:prefix": prefix}
        assert not allowed(policy, "s3:ListBucket", BUCKET, context, CLOUDFRONT)


@pytest.mark.parametrize("prefix", ["", "private/", "private/image/", "image", "/image/", "im*ge/"])
def test_a_prefix_that_would_open_the_bucket_is_refused(prefix: str) -> None:
    """The public prefix is a folder, and not the private one."""
    pattern = STACK.pattern("Prefix")
    assert re.fullmatch(pattern, "image/")
    assert re.fullmatch(pattern, "trial/image/")
    assert not re.fullmatch(pattern, prefix)


def test_the_bucket_is_closed() -> None:
    """Four blocks, no ACLs, encrypted, no versions, and half uploads go after a day."""
    bucket = STACK.resource("Bucket")
    blocks = bucket["PublicAccessBlockConfiguration"]
    assert len(blocks) == 4
    assert all(value is True for value in blocks.values())
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert "AES256" in str(bucket["BucketEncryption"])
    assert "VersioningConfiguration" not in bucket
    [rule] = bucket["LifecycleConfiguration"]["Rules"]
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}


@pytest.mark.parametrize(
    "policy", ["DaemonPolicy", "SweepPolicy", "OperatorPolicy", "BucketPolicy"]
)
def test_no_right_has_a_wildcard_in_its_action(policy: str) -> None:
    """Each right is named; only the refusal of plain HTTP means everything."""
    everything = Stack(DaemonMayDelete="yes", DaemonMayInvalidate="yes").statements(policy)
    actions = {a for s in everything if s["Effect"] == "Allow" for a in listed(s["Action"])}
    assert actions
    assert not any("*" in action for action in actions)


PUBLIC, HOLD, DAEMON = "image/12.jpg", "private/holds/1.json", "private/daemons/a.json"


@pytest.mark.parametrize(
    ("policy", "puts", "gets"),
    [
        ("DaemonPolicy", {PUBLIC, HOLD, DAEMON}, {PUBLIC, HOLD, DAEMON}),
        ("SweepPolicy", {PUBLIC}, {PUBLIC, HOLD, DAEMON}),
        ("OperatorPolicy", {PUBLIC, HOLD}, {PUBLIC, HOLD, DAEMON}),
    ],
)
def test_who_may_write_and_read(policy: str, puts: set[str], gets: set[str]) -> None:
    """Each of the three has what it needs of these, and nothing of another folder.

    None deletes, but for the operator who files away a hold that is long over.
    """
    rights = STACK.statements(policy)
    keys = {PUBLIC, HOLD, DAEMON, "other/12.jpg"}
    for action, right in (
        ("s3:PutObject", puts),
        ("s3:GetObject", gets),
        ("s3:DeleteObject", {HOLD} if policy == "OperatorPolicy" else set()),
    ):
        assert {key for key in keys if allowed(rights, action, f"{BUCKET}/{key}")} == right


@pytest.mark.parametrize("policy", ["DaemonPolicy", "SweepPolicy", "OperatorPolicy"])
def test_who_may_list(policy: str) -> None:
    """The two folders, and no other; a GET names no prefix and must learn that a key is missing."""
    rights = STACK.statements(policy)
    for prefix in ("image/", "private/holds/"):
        assert allowed(rights, "s3:ListBucket", BUCKET, {"s3:prefix": prefix})
    assert not allowed(rights, "s3:ListBucket", BUCKET, {"s3:prefix": "other/"})
    assert allowed(rights, "s3:ListBucket", BUCKET)


def test_what_the_daemon_may_only_when_told() -> None:
    """Deleting public objects and invalidating; never deleting private ones."""
    rights = Stack(DaemonMayDelete="yes", DaemonMayInvalidate="yes").statements("DaemonPolicy")
    assert allowed(rights, "s3:DeleteObject", f"{BUCKET}/{PUBLIC}")
    assert not allowed(rights, "s3:DeleteObject", f"{BUCKET}/{HOLD}")
    assert allowed(rights, "cloudfront:CreateInvalidation", OURS)
    default = STACK.statements("DaemonPolicy")
    assert not allowed(default, "cloudfront:CreateInvalidation", OURS)
    assert allowed(STACK.statements("OperatorPolicy"), "cloudfront:CreateInvalidation", OURS)


def test_the_sweep_is_never_run_twice_at_once() -> None:
    """Every minute, with its own policy and two minutes' time."""
    sweep = STACK.resource("SweepFunction")
    assert (sweep["Timeout"], sweep["ReservedConcurrentExecutions"]) == (120, 1)
    assert sweep["ImageConfig"]["Command"] == ["cctv.sweep_lambda.handler"]
    assert set(sweep["Environment"]["Variables"]) == {
        "BUCKET",
        "CCTV_PREFIX",
        "CCTV_INTERVAL",
        "CCTV_FRESHNESS",
        "CCTV_NEVER_PUBLISH",
        "CCTV_FALLBACK_IMAGE",
    }
    assert STACK.resource("SweepSchedule")["ScheduleExpression"] == "rate(1 minute)"
    assert STACK.resource("SweepRole")["ManagedPolicyArns"][0] == "SweepPolicy"
