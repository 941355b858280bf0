"""Proposals as the proto writes them: to and from the domain, every bad field noted."""

import re
from collections.abc import Iterable
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from hireflow.common.v1 import money_pb2
from hireflow.proposals.v1 import proposal_pb2
from services.common.errors import Problems
from services.proposals.domain import Offer, Order, Profile, Proposal, RateUnit, ReviewState
from services.proposals.use_cases.offering import Own

NAME_LIMIT = 100
TEXT_LIMIT = 20_000
LIST_LIMIT = 50
RATE_LIMIT = 99_999_999
CURRENCIES = ("USD",)
_COUNTRY = re.compile(r"[A-Z]{2}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_STATES: dict[int, ReviewState] = {
    proposal_pb2.ReviewState.Value(f"REVIEW_STATE_{state}"): state for state in ReviewState
}
_ORDERS: dict[int, Order] = {
    0: Order.NEWEST,
    **{proposal_pb2.ProposalOrder.Value(f"PROPOSAL_ORDER_{order}"): order for order in Order},
}
_UNITS: dict[int, RateUnit] = {
    proposal_pb2.RateUnit.Value(f"RATE_UNIT_{unit}"): unit for unit in RateUnit
}


def read_profile(
    message: proposal_pb2.Profile, trainer_id: str, now: datetime, noted: Problems
) -> Profile:
    """Read a profile, noting every bad field; output-only ones are ignored."""
    for name in ("first_name", "last_name", "title"):
        value = getattr(message, name)
        held = len(value.strip()) > 0 and len(value) <= NAME_LIMIT
        noted.require(held, f"profile.{name}", f"must have 1 to {NAME_LIMIT} characters")
    noted.require(
        _COUNTRY.fullmatch(message.country), "profile.country", "must be an ISO 3166-1 alpha-2 code"
    )
    for name in ("languages", "skills"):
        held = len(getattr(message, name)) <= LIST_LIMIT
        noted.require(held, f"profile.{name}", f"at most {LIST_LIMIT} entries")
    known = all(_LANGUAGE.fullmatch(language) for language in message.languages)
    noted.require(known, "profile.languages", "must be BCP 47 language tags")
    lower = all(0 < len(s) <= NAME_LIMIT and s == s.lower() for s in message.skills)
    noted.require(lower, "profile.skills", "must be in lower case and not empty")
    reference = message.resume_reference
    held = len(reference) <= NAME_LIMIT and "://" not in reference
    noted.require(held, "profile.resume_reference", "must be a reference, not an address")
    return Profile(
        trainer_id=trainer_id,
        first_name=message.first_name.strip(),
        last_name=message.last_name.strip(),
        country=message.country,
        title=message.title.strip(),
        languages=tuple(message.languages),
        skills=tuple(message.skills),
        resume_reference=reference,
        update_time=now,
    )


def read_offer(message: proposal_pb2.SubmitProposalRequest, noted: Problems) -> Offer:
    """Read what a trainer offers, noting every bad field."""
    held = len(message.message.strip()) > 0 and len(message.message) <= TEXT_LIMIT
    noted.require(held, "message", f"must have 1 to {TEXT_LIMIT} characters")
    noted.require(len(message.summary) <= TEXT_LIMIT, "summary", f"at most {TEXT_LIMIT} characters")
    amount = message.rate.amount
    noted.require(
        0 < amount.minor_units <= RATE_LIMIT,
        "rate.amount.minor_units",
        f"must be 1 to {RATE_LIMIT}",
    )
    known = amount.currency_code in CURRENCIES
    noted.require(known, "rate.amount.currency_code", f"must be one of {', '.join(CURRENCIES)}")
    noted.require(message.rate.unit in _UNITS, "rate.unit", "must be a known unit")
    unit = _UNITS.get(message.rate.unit, RateUnit.FIXED)
    return Offer(message.message, message.summary, amount.minor_units, amount.currency_code, unit)


def read_states(values: Iterable[int], noted: Problems) -> frozenset[ReviewState]:
    """Read a filter of review states."""
    wanted = set(values)
    noted.require(wanted <= set(_STATES), "review_states", "has a state that is not known")
    return frozenset(_STATES[value] for value in wanted if value in _STATES)


def read_state(value: int, noted: Problems) -> ReviewState:
    """Read the state that a member sets; HIRED is set by a hire alone."""
    state = _STATES.get(value, ReviewState.HIRED)
    settable = state is not ReviewState.HIRED
    noted.require(settable, "review_state", "must be a state other than HIRED")
    return state


def read_order(value: int, noted: Problems) -> Order:
    """Read the order of a list."""
    noted.require(value in _ORDERS, "order", "is not a known order")
    return _ORDERS.get(value, Order.NEWEST)


def state_value(state: ReviewState) -> proposal_pb2.ReviewState.ValueType:
    """Write a review state."""
    return proposal_pb2.ReviewState.Value(f"REVIEW_STATE_{state}")


def profile_message(profile: Profile) -> proposal_pb2.Profile:
    """Write a profile, for its trainer."""
    return proposal_pb2.Profile(
        trainer_id=profile.trainer_id,
        first_name=profile.first_name,
        last_name=profile.last_name,
        country=profile.country,
        title=profile.title,
        languages=profile.languages,
        skills=profile.skills,
        resume_reference=profile.resume_reference,
        update_time=_timestamp(profile.update_time),
    )


def proposal_message(proposal: Proposal) -> proposal_pb2.Proposal:
    """Write a proposal as its employer sees it."""
    candidate = proposal.candidate
    return proposal_pb2.Proposal(
        proposal_id=proposal.proposal_id,
        job_id=proposal.job_id,
        organisation_id=proposal.organisation_id,
        candidate=proposal_pb2.Candidate(
            trainer_id=candidate.trainer_id,
            display_name=candidate.display_name,
            country=candidate.country,
            title=candidate.title,
        ),
        message=proposal.offer.message,
        summary=proposal.offer.summary,
        rate=_rate(proposal.offer),
        match=proposal_pb2.Match(
            score=proposal.match.score, met=proposal.match.met, missing=proposal.match.missing
        ),
        review_state=state_value(proposal.review_state),
        withdrawn=proposal.withdrawn,
        hire_id=proposal.hire_id,
        etag=proposal.etag,
        create_time=_timestamp(proposal.create_time),
        update_time=_timestamp(proposal.update_time),
    )


def own_message(own: Own) -> proposal_pb2.OwnProposal:
    """Write a proposal as its trainer sees it: no review, no hire, no match."""
    proposal = own.proposal
    return proposal_pb2.OwnProposal(
        proposal_id=proposal.proposal_id,
        job_id=proposal.job_id,
        message=proposal.offer.message,
        summary=proposal.offer.summary,
        rate=_rate(proposal.offer),
        status=proposal_pb2.ProposalStatus.Value(f"PROPOSAL_STATUS_{own.status}"),
        create_time=_timestamp(proposal.create_time),
    )


def _rate(offer: Offer) -> proposal_pb2.Rate:
    return proposal_pb2.Rate(
        amount=money_pb2.Money(minor_units=offer.rate, currency_code=offer.currency),
        unit=proposal_pb2.RateUnit.Value(f"RATE_UNIT_{offer.rate_unit}"),
    )


def _timestamp(moment: datetime) -> Timestamp:
    written = Timestamp()
    written.FromDatetime(moment)
    return written
