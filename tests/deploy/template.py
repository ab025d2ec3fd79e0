"""What the tests of deploy/cloudfront.yaml share: reading it, and judging its policies."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import Any, cast

import yaml  # type: ignore[import-untyped] # its types are a package of their own

from tests.deploy.programs import ROOT

TEMPLATE = ROOT / "deploy" / "cloudfront.yaml"
BUCKET = "arn:aws:s3:::cameras"
OURS = "arn:aws:cloudfront::123456789012:distribution/Distribution"
CLOUDFRONT = {"Service": "cloudfront.amazonaws.com"}
NAMES = {
    "AWS::AccountId": "123456789012",
    "AWS::NoValue": None,
    "AWS::Partition": "aws",
    "AWS::StackName": "cameras",
    "Bucket.Arn": BUCKET,
}


class _Loader(yaml.SafeLoader):  # type: ignore[misc] # an untyped library's class
    """Reads CloudFormation's tags as `{tag: value}`."""


def _tag(loader: _Loader, name: str, node: yaml.Node) -> dict[str, Any]:
    read = {
        yaml.ScalarNode: loader.construct_scalar,
        yaml.SequenceNode: lambda node: loader.construct_sequence(node, deep=True),
    }
    return {name: read[type(node)](node)}


_Loader.add_multi_constructor("!", _tag)


class Stack:
    """The template with its parameters put in; they are the defaults, but for those given."""

    def __init__(self, **parameters: str) -> None:
        text = TEMPLATE.read_text()
        self._template = yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader, and our own file
        defaults = {
            name: told.get("Default") for name, told in self._template["Parameters"].items()
        }
        self._names = {**NAMES, **defaults, **parameters}

    def pattern(self, parameter: str) -> str:
        """What a parameter's value must look like, all of it."""
        return str(self._template["Parameters"][parameter]["AllowedPattern"])

    def resource(self, name: str) -> dict[str, Any]:
        """A resource's properties, without what a condition leaves out."""
        return cast("dict[str, Any]", self._put_in(self._template["Resources"][name]["Properties"]))

    def statements(self, name: str) -> list[dict[str, Any]]:
        """The statements of a policy."""
        return cast("list[dict[str, Any]]", self.resource(name)["PolicyDocument"]["Statement"])

    def _put_in(self, value: Any) -> Any:  # noqa: ANN401 - a tree of whatever YAML holds
        if isinstance(value, list):
            return [item for item in map(self._put_in, value) if item is not None]
        if not isinstance(value, dict):
            return value
        match [*value.items()]:
            case [("Ref" | "GetAtt", name)]:
                return self._names.get(name, name)
            case [("Sub", text)]:
                return re.sub(r"\$\{(.+?)\}", lambda m: str(self._names.get(m[1], m[1])), text)
            case [("If", [condition, yes, no])]:
                return self._put_in(yes if self._holds(condition) else no)
        return {key: self._put_in(item) for key, item in value.items()}

    def _holds(self, condition: str) -> bool:
        match self._template["Conditions"][condition]:
            case {"Equals": [left, right]}:
                return bool(self._put_in(left) == right)
            case {"Not": [{"Equals": [left, right]}]}:
                return bool(self._put_in(left) != right)
        raise ValueError(condition)


def listed(value: str | list[str]) -> list[str]:
    """A policy's word, which may be one or several."""
    return [value] if isinstance(value, str) else value


def allowed(
    statements: list[dict[str, Any]],
    action: str,
    resource: str,
    context: dict[str, str] | None = None,
    who: object = None,
) -> bool:
    """Whether these statements let `who` do this: one allows it and none denies it."""
    request = {"aws:SecureTransport": "true", "AWS:SourceArn": OURS, **(context or {})}
    effects = {
        statement["Effect"]
        for statement in statements
        if statement.get("Principal") in ("*", who)
        and any(fnmatchcase(action, pattern) for pattern in listed(statement["Action"]))
        and _is_meant(statement, resource)
        and _conditions_hold(statement.get("Condition", {}), request)
    }
    return effects == {"Allow"}


def _is_meant(statement: dict[str, Any], resource: str) -> bool:
    if "NotResource" in statement:
        return not any(fnmatchcase(resource, p) for p in listed(statement["NotResource"]))
    return any(fnmatchcase(resource, pattern) for pattern in listed(statement["Resource"]))


def _conditions_hold(conditions: dict[str, dict[str, Any]], request: dict[str, str]) -> bool:
    for kind, wanted in conditions.items():
        assert kind in {"Bool", "StringEquals", "StringLike", "StringLikeIfExists"}
        for key, patterns in wanted.items():
            if key not in request:
                if kind.endswith("IfExists"):
                    continue
                return False
            if not any(fnmatchcase(request[key], pattern) for pattern in listed(patterns)):
                return False
    return True
