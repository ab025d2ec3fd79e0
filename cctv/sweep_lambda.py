"""The sweep as an AWS Lambda function, `cctv.sweep_lambda.handler`; its environment sets it."""

from __future__ import annotations

from cctv.cli import OK, main

_EVERY = "60"
"""Seconds between two runs, by the schedule in `deploy/cloudfront.yaml`."""


def handler(_event: object, _context: object) -> str:
    """Sweep once.

    Raises:
        RuntimeError: it failed; what it printed is in the function's log.
    """
    status = main(["sweep", "--ahead", _EVERY])
    if status != OK:
        raise RuntimeError(f"the sweep ended with status {status}")
    return "swept"
