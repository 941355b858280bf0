"""Proposals as the proto writes them: to and from the domain, every bad field noted."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from hireflow.common.v1 import actor_pb2, money_pb2
from hireflow.proposals.v1 import proposal_pb2 as pb
from services.common.errors import ID_LIMIT, Problems
from services.proposals.domain import (
    Candidate,
    Filter,
    Match,
    Move,
    Moved,
    Note,
    Offer,
    Order,
    Own,
    Profile,
    Proposal,
    RateRange,
    RateUnit,
    ReviewState,
    etag_of,
)
from services.proposals.store.listing import OfJob

NAME_LIMIT = 100
TITLE_LIMIT = 200
TEXT_LIMIT = 20_000
ENTRY_LIMIT = 64
LIST_LIMIT = 50
MOVE_LIMIT = 100
RATE_LIMIT = 10_000_000_00
CURRENCIES = ("USD",)

COUNTRY = re.compile(r"[A-Z]{2}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_LAYOUT = frozenset("\n\r\t")
_STATES: dict[int, ReviewState] = {
    pb.ReviewState.Value(f"REVIEW_STATE_{state}"): state for state in ReviewState
}
_ORDERS: dict[int, Order] = {
    pb.PROPOSAL_ORDER_UNSPECIFIED: Order.NEWEST,
    **{pb.ProposalOrder.Value(f"PROPOSAL_ORDER_{order}"): order for order in Order},
}
_STATE_VALUES: "dict[str, pb.ReviewState.ValueType]" = {
    state: pb.ReviewState.Value(f"REVIEW_STATE_{state}") for state in ReviewState
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS: dict[int, RateUnit] = {pb.RateUnit.Value(f"RATE_UNIT_{unit}"): unit for unit in RateUnit}


def read_profile(message: pb.Profile, trainer_id: str, now: datetime, noted: Problems) -> Profile:
    """Read a profile, noting every bad field; output-only ones are ignored."""
    check_line("profile.first_name", message.first_name, NAME_LIMIT, noted)
    check_line("profile.last_name", message.last_name, NAME_LIMIT, noted)
    check_line("profile.title", message.title, TITLE_LIMIT, noted)
    country = COUNTRY.fullmatch(message.country)
    noted.require(country, "profile.country", "must be an ISO 3166-1 alpha-2 code")
    _check_list("profile.languages", message.languages, noted)
    for index, language in enumerate(message.languages[:LIST_LIMIT]):
        tag = len(language) <= ENTRY_LIMIT and _LANGUAGE.fullmatch(language)
        noted.require(tag, f"profile.languages[{index}]", "must be a BCP 47 language tag")
    _check_list("profile.skills", message.skills, noted)
    for index, skill in enumerate(message.skills[:LIST_LIMIT]):
        word = 0 < len(skill) <= ENTRY_LIMIT and skill == skill.strip().lower()
        must = f"must have 1 to {ENTRY_LIMIT} printable characters in lower case"
        noted.require(word and skill.isprintable(), f"profile.skills[{index}]", must)
    resume = message.resume_reference
    reference = len(resume) <= TITLE_LIMIT and resume.isprintable() and "://" not in resume
    noted.require(reference, "profile.resume_reference", "must be a reference, not an address")
    return Profile(
        trainer_id=trainer_id,
        first_name=message.first_name.strip(),
        last_name=message.last_name.strip(),
        country=message.country,
        title=message.title.strip(),
        languages=tuple(message.languages),
        skills=tuple(message.skills),
        resume_reference=resume,
        update_time=now,
    )


def read_offer(message: pb.SubmitProposalRequest, noted: Problems) -> Offer:
    """Read what a trainer offers, noting every bad field."""
    noted.require(message.message.strip(), "message", "must not be blank")
    check_text("message", message.message, noted)
    check_text("summary", message.summary, noted)
    rate = message.rate.amount.minor_units
    fair = 0 < rate <= RATE_LIMIT
    noted.require(fair, "rate.amount.minor_units", f"must be 1 to {RATE_LIMIT} minor units")
    currency = message.rate.amount.currency_code
    one_of = f"must be one of {', '.join(CURRENCIES)}"
    noted.require(currency in CURRENCIES, "rate.amount.currency_code", one_of)
    noted.require(message.rate.unit in _UNITS, "rate.unit", "must be a known unit")
    unit = _UNITS.get(message.rate.unit, RateUnit.FIXED)
    return Offer(message.message, message.summary, rate, currency, unit)


def read_filter(message: pb.ListProposalsRequest, noted: Problems) -> Filter:
    """Read which proposals a list shows, noting every bad condition."""
    states = _read_states(message.review_states, noted)
    score = message.minimum_interview_score
    noted.require(0 <= score <= 100, "minimum_interview_score", "must be 0 to 100")
    country = not message.country or COUNTRY.fullmatch(message.country)
    noted.require(country, "country", "must be an ISO 3166-1 alpha-2 code, or empty")
    rate = _read_range(message.rate, noted) if message.HasField("rate") else None
    if message.text:
        check_line("text", message.text, TITLE_LIMIT, noted)
    return Filter(states, score, message.country, rate, message.text.strip())


def filter_scope(wanted: Filter) -> tuple[object, ...]:
    """Give what of a filter a page token is bound to, in one order."""
    return (*sorted(wanted.states), replace(wanted, states=frozenset()))


def _read_range(message: pb.RateRange, noted: Problems) -> RateRange:
    lowest, highest = message.minimum_minor_units, message.maximum_minor_units
    noted.require(message.unit in _UNITS, "rate.unit", "must be a known unit")
    noted.require(lowest >= 0, "rate.minimum_minor_units", "must not be negative")
    ordered = not highest or lowest <= highest
    noted.require(ordered, "rate.maximum_minor_units", "must not be below the minimum")
    return RateRange(_UNITS.get(message.unit, RateUnit.FIXED), lowest, highest or None)


def _read_states(numbers: Collection[int], noted: Problems) -> frozenset[ReviewState]:
    short = len(numbers) <= LIST_LIMIT
    noted.require(short, "review_states", f"must have at most {LIST_LIMIT} entries")
    wanted = [*numbers][:LIST_LIMIT]
    for index, number in enumerate(wanted):
        noted.require(number in _STATES, f"review_states[{index}]", "must be a known state")
    return frozenset(_STATES[number] for number in wanted if number in _STATES)


def read_state(number: int, noted: Problems, field: str = "review_state") -> ReviewState:
    """Read the state that a member sets; HIRED is set by a hire alone."""
    state = _STATES.get(number, ReviewState.HIRED)
    settable = state is not ReviewState.HIRED
    noted.require(settable, field, "must be a known state other than HIRED")
    return state


def read_moves(messages: Sequence[pb.ReviewMove], noted: Problems) -> list[Move]:
    """Read the moves of many proposals, noting every bad one."""
    some = 0 < len(messages) <= MOVE_LIMIT
    noted.require(some, "moves", f"must have 1 to {MOVE_LIMIT} entries")
    moves, seen = [], set[str]()
    for index, message in enumerate(messages[:MOVE_LIMIT]):
        field = f"moves[{index}]"
        noted.require_id(f"{field}.proposal_id", message.proposal_id)
        once = message.proposal_id not in seen
        noted.require(once, f"{field}.proposal_id", "must not come twice")
        seen.add(message.proposal_id)
        short = len(message.etag) <= ID_LIMIT
        noted.require(short, f"{field}.etag", f"must have at most {ID_LIMIT} characters")
        state = read_state(message.review_state, noted, f"{field}.review_state")
        moves.append(Move(message.proposal_id, state, message.etag))
    return moves


def read_order(number: int, noted: Problems) -> Order:
    """Read the order of a list; unspecified means newest first."""
    noted.require(number in _ORDERS, "order", "must be a known order")
    return _ORDERS.get(number, Order.NEWEST)


def state_value(state: ReviewState) -> "pb.ReviewState.ValueType":
    """Write a review state."""
    return _STATE_VALUES[state]


def profile_message(profile: Profile) -> pb.Profile:
    """Write a profile, for its trainer."""
    return pb.Profile(
        trainer_id=profile.trainer_id,
        first_name=profile.first_name,
        last_name=profile.last_name,
        country=profile.country,
        title=profile.title,
        languages=profile.languages,
        skills=profile.skills,
        resume_reference=profile.resume_reference,
        update_time=timestamp(profile.update_time),
    )


def proposal_message(proposal: Proposal) -> pb.Proposal:
    """Write a proposal as its employer sees it."""
    message = _unchanging(proposal)
    message.review_state = state_value(proposal.review_state)
    message.withdrawn = proposal.withdrawn
    message.hire_id = proposal.hire_id
    message.etag = proposal.etag
    set_timestamp(message.update_time, proposal.update_time)
    return message


def written(proposal: Proposal) -> bytes:
    """Write what never changes of a proposal, to be kept in its row."""
    return _unchanging(proposal).SerializeToString()


def list_message(listed: OfJob) -> pb.ListProposalsResponse:
    """Write a page of live proposals as their employer sees them."""
    answer = pb.ListProposalsResponse(
        next_page_token=listed.page.next_token, counts=counts(listed.counts)
    )
    for each in listed.page.items:
        # Parsed in its place: a message that is put into another is copied.
        message = answer.proposals.add()
        message.ParseFromString(each.written or written(listed.unwritten[each.proposal_id]))
        message.review_state = _STATE_VALUES[each.review_state]
        message.hire_id = each.hire_id
        message.etag = etag_of(each.version)
        set_timestamp(message.update_time, each.update_time)
    return answer


def _unchanging(proposal: Proposal) -> pb.Proposal:
    return pb.Proposal(
        proposal_id=proposal.proposal_id,
        job_id=proposal.job_id,
        organisation_id=proposal.organisation_id,
        candidate=candidate_message(proposal.candidate),
        message=proposal.offer.message,
        summary=proposal.offer.summary,
        rate=_rate(proposal.offer),
        match=match_message(proposal.match),
        create_time=timestamp(proposal.create_time),
        screening_id=proposal.signals.screening_id,
        interview_score=proposal.signals.interview_score,
        mismatch_signals=proposal.signals.mismatches,
        has_resume=proposal.signals.has_resume,
    )


def match_message(match: Match) -> pb.Match:
    """Write how well a profile meets a job."""
    return pb.Match(score=match.score, met=match.met, missing=match.missing)


def counts(counted: Mapping[ReviewState, int]) -> list[pb.ReviewStateCount]:
    """Write how many proposals are in each state."""
    return [
        pb.ReviewStateCount(review_state=state_value(state), count=count)
        for state, count in counted.items()
    ]


def candidate_message(candidate: Candidate) -> pb.Candidate:
    """Write a masked trainer."""
    return pb.Candidate(
        trainer_id=candidate.trainer_id,
        display_name=candidate.display_name,
        country=candidate.country,
        title=candidate.title,
    )


def result_message(moved: Moved) -> pb.ReviewResult:
    """Write what became of a move."""
    return pb.ReviewResult(
        proposal_id=moved.proposal_id,
        proposal=None if moved.proposal is None else proposal_message(moved.proposal),
        error_reason=moved.reason,
        error_message=moved.message,
    )


def note_message(note: Note) -> pb.Note:
    """Write a note, for its organisation."""
    kind = actor_pb2.ActorKind.Value(f"ACTOR_KIND_{note.author_kind.upper()}")
    return pb.Note(
        note_id=note.note_id,
        proposal_id=note.proposal_id,
        author=actor_pb2.Actor(kind=kind, id=note.author_id),
        text=note.text,
        create_time=timestamp(note.create_time),
    )


def own_message(own: Own) -> pb.OwnProposal:
    """Write a proposal as its trainer sees it: no review, no hire, no match."""
    proposal = own.proposal
    return pb.OwnProposal(
        proposal_id=proposal.proposal_id,
        job_id=proposal.job_id,
        message=proposal.offer.message,
        summary=proposal.offer.summary,
        rate=_rate(proposal.offer),
        status=pb.ProposalStatus.Value(f"PROPOSAL_STATUS_{own.status}"),
        create_time=timestamp(proposal.create_time),
    )


def _rate(offer: Offer) -> pb.Rate:
    return pb.Rate(
        amount=money_pb2.Money(minor_units=offer.rate, currency_code=offer.currency),
        unit=pb.RateUnit.Value(f"RATE_UNIT_{offer.rate_unit}"),
    )


def timestamp(moment: datetime) -> Timestamp:
    """Write a moment."""
    message = Timestamp()
    set_timestamp(message, moment)
    return message


def set_timestamp(message: Timestamp, moment: datetime) -> None:
    """Write a moment into a message, in a fourth of the time that `FromDatetime` takes."""
    since = moment - _EPOCH
    message.seconds = since.days * 86_400 + since.seconds
    message.nanos = since.microseconds * 1000


def check_line(field: str, text: str, limit: int, noted: Problems) -> None:
    """Note a text that is not one line of 1 to `limit` characters."""
    sound = text.strip() and len(text) <= limit and text.isprintable()
    noted.require(sound, field, f"must have 1 to {limit} printable characters")


def check_text(field: str, text: str, noted: Problems) -> None:
    """Note a text that is too long or has control characters; it may be empty."""
    short = len(text) <= TEXT_LIMIT
    noted.require(short, field, f"must have at most {TEXT_LIMIT:,} characters")
    # PostgreSQL stores no NUL, and no screen shows the other control characters.
    clean = all(each >= " " or each in _LAYOUT for each in text)
    noted.require(clean, field, "must have no control characters but line breaks and tabs")


def _check_list(field: str, values: Collection[str], noted: Problems) -> None:
    short = len(values) <= LIST_LIMIT
    noted.require(short, field, f"must have at most {LIST_LIMIT} entries")
    once = len({value.lower() for value in values}) == len(values)
    noted.require(once, field, "must not name an entry twice")
