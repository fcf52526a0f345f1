"""Credentials are not logged."""

import logging

import pytest

from mlflow_sso.serve.logs import MaskingFormatter, WithoutCredentials, masked_target

TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJlbWFpbCI6ImEifQ.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("target", "logged"),
    [
        ("/callback?code=abc&state=xyz&iss=https", "/callback?code=***&state=***&iss=***"),
        ("/callback?error_description=call+us", "/callback?error_description=***"),
        ("/x?%63ode=abc&run_id=5", "/x?%63ode=***&run_id=5"),
        ("/x?a=1;code=abc", "/x?a=1;code=***"),
        ("/login?next=%2Fcallback%3Fcode%3Dabc", "/login?next=***"),
        ("/login?next=%252Fcallback%253Fcode%253Dabc", "/login?next=***"),
        ("/logout?id_token_hint=abc&ui=1", "/logout?id_token_hint=***&ui=1"),
        ("/x?access_token=abc&Token=abc&refresh-token=abc", "/x?access_token=***&Token=***&refresh-token=***"),
        (f"/x/{TOKEN}", "/x/***"),
        ("/x?q=mlf_0123456789abcdef", "/x?q=***"),
        ("/api/2.0/mlflow/runs/get?run_id=5", "/api/2.0/mlflow/runs/get?run_id=5"),
        ("/x?", "/x?"),
    ],
)
def test_access_lines_mask_sensitive_values(target: str, logged: str) -> None:
    arguments = ("10.0.0.1:1", "GET", target, "1.1", 302)
    record = logging.LogRecord("uvicorn.access", logging.INFO, "", 0, '%s - "%s %s HTTP/%s" %d', arguments, None)

    kept = WithoutCredentials().filter(record)

    assert kept
    assert masked_target(target) == logged
    assert record.args == ("10.0.0.1:1", "GET", logged, "1.1", 302)


def test_other_lines_mask_tokens() -> None:
    record = logging.LogRecord("uvicorn", logging.DEBUG, "", 0, "Token: %s", ({"access_token": TOKEN},), None)

    line = MaskingFormatter("%(message)s").format(record)

    assert line == "Token: {'access_token': '***'}"
