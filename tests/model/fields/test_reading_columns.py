"""Columns of texts are read as each of their texts is by itself."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.errors import FieldError
from crm.model.conventions import Conventions
from crm.model.fields import Check, Email, Line, Person, Phone

BY = Conventions(country="AT")
TEXTS = (
    "", " ", "Anna", " Anna  Berg ", "Anna\nBerg", "a\x00b", "\u202eanna", "x" * 70, "é", "|",
    "anna@example.com", "Anna.Berg+x@Sub.Example.co.uk", " anna@gmx.at", "a@b", "a..b@gmx.at", "a@gmx.invalidtld",
    "a@x.local", "a@b@gmx.at", "a@gmx.at\nb@gmx.at", "a@-gmx.at", "a@gmx..at", "ä@gmx.at", "a@müller.at",
    "a@xn--mller-kva.at",
    f"{'m' * 65}@gmx.at", "+436601234567", "0660 1234567", "+4366", "+999123456789", "+43660123456789012",
)  # fmt: skip


@pytest.mark.parametrize("check", [Line(60), Email(), Phone(), Person()], ids=lambda check: type(check).__name__)
@settings(max_examples=60)
@given(texts=st.lists(st.sampled_from(TEXTS), max_size=4))
def test_a_column_is_read_like_each_of_its_texts(check: Check, texts: list[str]) -> None:
    read = check.read_all(texts, BY)
    if read is not None:
        assert list(read) == [check.read(text, BY) for text in texts]
        assert [check.doubt(value, BY) for value in read] == [""] * len(texts)


@pytest.mark.parametrize(
    ("check", "texts"),
    [(Line(60), ["Anna", ""]), (Email(), ["a@gmx.at", ""]), (Phone(), ["+436607654321", ""])],
    ids=lambda value: type(value).__name__,
)
def test_a_plain_column_is_read_at_once(check: Check, texts: list[str]) -> None:
    assert check.read_all(texts, BY) == texts


@pytest.mark.parametrize("check", [Line(60), Email(), Phone()], ids=lambda check: type(check).__name__)
@pytest.mark.parametrize("text", TEXTS)
def test_a_doubtful_text_is_left_to_be_read_by_itself(check: Check, text: str) -> None:
    try:
        value = check.read(text, BY)
        is_sure = not check.doubt(value, BY)
    except FieldError:
        is_sure = False
    fine = {"Line": "Anna", "Email": "b@gmx.at", "Phone": "+436607654321"}[type(check).__name__]
    assert is_sure or check.read_all([fine, text], BY) is None
