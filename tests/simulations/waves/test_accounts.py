"""Accounts: each key has its own plan and books, plans change while they are used, tokens end, keys are never told."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.waves.accounts import MOST_TOKENS, Account, Accounts, Plan
from simulations.waves.books import Refusal

KEYS = {"sk_one": Plan(), "sk_two": Plan(slots=2, requests_per_minute=60, name="clinic")}


def token_of(accounts: Accounts, account: Account, *, seconds: float = 10.0, now: float = 0.0, seed: int = 0) -> str:
    """Return a new token."""
    return accounts.issue_token(account, seconds=seconds, now=now, rng=random.Random(seed))


# --- whose key ---


def test_each_key_has_its_own_account() -> None:
    """Named as it was said, or by its number; nobody's key and no key have none."""
    accounts = Accounts(KEYS)
    assert [account.name for account in accounts.all] == ["account 1", "clinic"]
    one, two = (accounts.find(key, 0.0) for key in KEYS)
    assert [one, two] == accounts.all
    assert (accounts.find("sk_three", 0.0), accounts.find("", 0.0), accounts.find(None, 0.0)) == (None, None, None)
    assert accounts.first is one
    assert one is not None
    assert two is not None
    assert one.books.take_slot(0.0) == 1
    assert isinstance(one.books.take_slot(0.0), Refusal)
    assert [two.books.take_slot(0.0) for _ in range(2)] == [1, 2]


def test_with_a_default_everybody_is_let_in() -> None:
    """Known keys to their own accounts, the others to one that they share."""
    accounts = Accounts({"sk_one": Plan()}, default=Plan(slots=3))
    default = accounts.find(None, 0.0)
    assert default is accounts.find("whatever", 0.0) is accounts.first
    assert default is not None
    assert (default.name, default.plan.slots) == ("default", 3)
    assert accounts.find("sk_one", 0.0) is accounts.all[1]


def test_numbers_are_given_where_names_are_not() -> None:
    """No two accounts have one name, whatever was said."""
    accounts = Accounts({"a": Plan(name="account 2"), "b": Plan(), "c": Plan()})
    assert [account.name for account in accounts.all] == ["account 2", "account 1", "account 3"]


@pytest.mark.parametrize(
    ("key", "name", "message"),
    [
        ("sk_two", "other", "^key: has an account already$"),
        ("", "other", "^key: expected"),
        ("a b", "other", "^key: expected"),
        ("sk_ü", "other", "^key: expected"),
        ("sk_new", "clinic", "^name: there is an account clinic already$"),
        ("sk_new", "sk_new", "^name: expected"),
        ("sk_new", "a\nb", "^name: expected"),
    ],
)
def test_an_account_that_cannot_be_is_refused_without_its_key(key: str, name: str, message: str) -> None:
    """Nothing has changed then."""
    accounts = Accounts(KEYS)
    with pytest.raises(ValueError, match=message) as caught:
        accounts.add(key, Plan(name=name))
    assert "sk_" not in str(caught.value)
    assert len(accounts.all) == 2


def test_an_account_can_be_added_while_the_others_are_used() -> None:
    """Its key is good from then on."""
    accounts = Accounts(KEYS)
    new = accounts.add("sk_new", Plan(links=3))
    assert accounts.find("sk_new", 0.0) is new
    assert (new.name, new.plan) == ("account 2", Plan(links=3, name="account 2"))


def test_no_key_is_told_anywhere() -> None:
    """Neither in what is shown of accounts nor in their books."""
    accounts = Accounts(KEYS)
    token = token_of(accounts, accounts.first)
    with pytest.raises(KeyError) as caught:
        accounts.change("sk_unknown", Plan())
    told = [repr(accounts), repr(accounts.all), str(accounts.snapshot(0.0)), str(caught.value)]
    assert not any("sk_" in text or token in text for text in told)


# --- plans that change ---


@pytest.mark.parametrize("by", ["clinic", "sk_two"])
def test_a_plan_changes_while_it_is_used(by: str) -> None:
    """More is allowed at once; of less, what is in flight stays, and what is new waits until it fits again."""
    accounts = Accounts(KEYS)
    books = accounts.all[1].books
    uses = [books.take_slot(0.0) for _ in range(2)]
    assert accounts.change(by, Plan(slots=3, requests_per_minute=60)) is accounts.all[1]
    uses.append(books.take_slot(0.0))
    assert uses == [1, 2, 3]
    assert accounts.change(by, Plan(slots=1, links=2)).plan == Plan(slots=1, links=2, name="clinic")
    assert books.in_flight(0.0) == 3
    for use in (1, 2, 3):
        assert isinstance(books.take_slot(0.0), Refusal)
        books.free_slot(use, now=0.0)
    assert books.take_slot(0.0) == 4
    assert accounts.first.plan == Plan(name="account 1")


# --- tokens ---


@given(seconds=st.floats(0.1, 1e5), now=st.floats(0, 1e5), later=st.floats(0, 2e5))
def test_a_token_is_good_until_it_expires(seconds: float, now: float, later: float) -> None:
    """It stands for its own account, to the last moment; the keys go on."""
    accounts = Accounts(KEYS)
    account = accounts.all[1]
    token = token_of(accounts, account, seconds=seconds, now=now)
    assert accounts.find(token, now + later) is (account if now + later < now + seconds else None)
    assert accounts.find("sk_two", now + later) is account


def test_an_expired_token_is_nobody_s_where_every_key_is_let_in() -> None:
    """Else nobody could try out what a client does when its token ends."""
    accounts = Accounts({}, default=Plan())
    token = token_of(accounts, accounts.first)
    assert accounts.find(token, 9.9) is accounts.first
    for _ in range(3):  # also after it was forgotten
        assert accounts.find(token, 10.0) is None
        token_of(accounts, accounts.first, now=10.0, seed=1)


def test_tokens_come_from_the_generator_that_is_passed() -> None:
    """The same draws, the same tokens; of one generator each is another."""
    accounts, rng = Accounts(KEYS), random.Random(3)
    tokens = [accounts.issue_token(accounts.first, seconds=1.0, now=0.0, rng=rng) for _ in range(20)]
    assert len(set(tokens)) == 20
    assert tokens[0] == token_of(Accounts(KEYS), accounts.first, seed=3)


def test_an_account_s_oldest_token_goes_when_it_has_too_many() -> None:
    """Who asks for tokens all the time makes no memory grow, and ends nobody else's."""
    accounts, rng = Accounts(KEYS), random.Random(3)
    ours, theirs = accounts.all[:2]
    other = accounts.issue_token(theirs, seconds=1e4, now=0.0, rng=rng)
    tokens = [accounts.issue_token(ours, seconds=1e4, now=0.0, rng=rng) for _ in range(MOST_TOKENS + 1)]
    assert [accounts.find(token, 1.0) for token in (other, *tokens[:2], tokens[-1])] == [theirs, None, ours, ours]


# --- the books of all ---


def test_the_books_of_a_lone_account_stand_alone() -> None:
    """As they always did."""
    accounts = Accounts({"sk_one": Plan()})
    assert accounts.snapshot(1.0) == accounts.first.books.snapshot(1.0)


def test_the_books_of_several_accounts_are_summed_and_told_one_by_one() -> None:
    """But the most at a time is the largest of any account: the accounts had theirs at different times."""
    accounts = Accounts(KEYS)
    one, two = (account.books for account in accounts.all)
    use = one.take_slot(0.0)
    assert isinstance(use, int)
    one.begin_request("two words")
    one.free_slot(use, now=0.3)
    for _ in range(3):
        two.take_slot(1.0)
        two.open_link()
    page = accounts.snapshot(2.0)
    assert (page["slots"], page["links"], page["in_flight"], page["sockets"]) == (3, 15, 2, 3)
    assert (page["max_in_flight"], page["max_open"]) == (2, 3)
    assert (page["refused_concurrency"], page["words_asked"], page["slot_seconds"]) == (1, 2, 2.3)
    each = page.pop("accounts")
    assert list(each) == ["account 1", "clinic"]
    assert each["clinic"] == {"requests_per_minute": 60, **two.snapshot(2.0)}
    assert list(page) == list(one.snapshot(2.0))


def test_a_stranger_s_key_is_in_nobody_s_books_but_the_only_ones() -> None:
    """Of several accounts it is in the total; opening an account is told to who listens."""
    alone, several, told = Accounts({"sk_one": Plan()}), Accounts(KEYS), []
    for accounts in (alone, several):
        accounts.refuse_stranger()
    assert alone.snapshot(0.0)["refused_auth"] == alone.first.books.refused_auth == 1
    page = several.snapshot(0.0)
    assert page["refused_auth"] == 1
    assert [books["refused_auth"] for books in page["accounts"].values()] == [0, 0]
    several.opened = lambda: told.append("opened")
    several.add("sk_three", Plan())
    assert told == ["opened"]
