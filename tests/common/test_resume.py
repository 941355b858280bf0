import pytest

from services.common.auth import Kind, Principal
from services.common.errors import InvalidInput
from services.common.resume import read_token, write_token

ANNA = Principal(Kind.EMPLOYER, "anna", "o-1")


def test_a_token_resumes_after_its_step() -> None:
    assert read_token(ANNA, "h-1", write_token(ANNA, "h-1", 7)) == 7
    assert read_token(ANNA, "h-1", "") == 0


@pytest.mark.parametrize("token", ["x", "bm9uc2Vuc2U", "é", "a" * 300, "W10", "MQ"])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_token(ANNA, "h-1", token)
    assert refused.value.violations[0].field == "resume_token"


def test_a_token_is_good_for_one_hire_and_one_caller() -> None:
    token = write_token(ANNA, "h-1", 7)
    for caller, hire_id in (
        (ANNA, "h-2"),
        (Principal(Kind.EMPLOYER, "ben", "o-1"), "h-1"),
        (Principal(Kind.OPERATOR, "anna"), "h-1"),
    ):
        with pytest.raises(InvalidInput):
            read_token(caller, hire_id, token)
