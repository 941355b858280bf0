"""What nobody is told before a hire: e-mail addresses, links, handles, phone numbers.

The forms are looked for in a plain view of the text, where disguises (other scripts' digits,
invisible characters, odd spaces and dashes) are undone. What they find is removed from the text as
it was written; all else stays, character for character.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

# Round brackets mean nothing to Markdown: square ones would make a link of the mark and of a
# bracket that follows it.
REMOVED = "(contact details removed)"

# Each form begins where a word does, has one way only to read what it repeats, and counts the
# rest: so each is linear, whatever somebody sends.
_START = r"(?<![\w.+-])"
_LABEL = r"[^\W_]+(?:-+[^\W_]+)*"
_HOST = rf"{_LABEL}(?:\.{_LABEL})*"
_OPEN, _CLOSE = r"\s{0,3}[(\[{<]\s{0,2}", r"\s{0,2}[)\]}>]\s{0,3}"

# The endings of hosts that people have. These stand after a dot for no other reason;
_CLEAR = (
    "com|net|org|edu|gov|mil|biz|io|ai|co|app|dev|xyz|eu|gg|ly|tv|mobi|icu|fyi|wtf|moe|gmbh|ltd|inc"
)
# these may begin a sentence whose space was forgotten, then with a capital ("the end.Media is");
_USUAL = (
    "info|online|website|shop|tech|club|blog|cloud|digital|design|studio|agency|life|world|space|"
    "social|news|vip|wiki|ninja|guru|rocks|lol|asia|pro|bio|ink|global|media|consulting|academy|"
    "expert|works|systems|software|photography|art|fun|"
    # and countries
    "ac|ad|ae|af|ag|al|am|ao|aq|ar|as|at|au|aw|ax|az|ba|bb|bd|be|bf|bg|bh|bi|bj|bl|bm|bn|bo|br|bs|"
    "bt|bw|by|bz|ca|cc|cd|cf|cg|ch|ci|ck|cl|cm|cn|cr|cu|cv|cw|cx|cy|cz|de|dj|dk|dm|do|dz|ec|ee|eg|"
    "er|es|et|fi|fj|fk|fm|fo|fr|ga|gb|gd|ge|gf|gh|gi|gl|gm|gn|gp|gq|gr|gs|gt|gu|gw|gy|hk|hm|hn|hr|"
    "ht|hu|id|ie|il|im|in|iq|ir|is|it|je|jm|jo|jp|ke|kg|kh|ki|km|kn|kp|kr|kw|ky|kz|la|lb|lc|li|lk|"
    "lr|ls|lt|lu|lv|ma|mc|md|me|mf|mg|mh|mk|ml|mm|mn|mo|mp|mq|mr|ms|mt|mu|mv|mw|mx|my|mz|na|nc|ne|"
    "nf|ng|ni|nl|no|np|nr|nu|nz|om|pa|pe|pf|pg|ph|pk|pl|pm|pn|pr|ps|pt|pw|py|qa|re|ro|rs|ru|rw|sa|"
    "sb|sc|sd|se|sg|sh|si|sk|sl|sm|sn|so|sr|ss|st|su|sv|sx|sy|sz|tc|td|tf|tg|th|tj|tk|tl|tm|tn|to|"
    "tr|tt|tw|tz|ua|ug|uk|us|uy|uz|va|vc|ve|vg|vi|vn|vu|wf|ws|ye|yt|za|zm|zw"
)
# and these are words, fields or files themselves ("look.at", "user.id", "main.rs").
_DOUBTFUL = (
    "name|email|link|page|site|store|top|one|work|run|live|today|team|chat|video|jobs|zone|tools|"
    "ac|ad|al|am|as|at|be|by|bz|cc|do|gs|hm|id|im|is|la|li|ls|ma|md|ml|mm|mo|ms|mu|my|ne|no|om|pa|"
    "pm|ps|py|re|rs|sc|sh|so|st|sv|tf|to|va|vi|ye"
)
_ENDING = rf"(?:{_CLEAR}|{_USUAL}|{_DOUBTFUL})\b"

# What follows a host or a scheme: brackets in pairs alone, so that Markdown around stays Markdown.
_REST = r"(?:[^\s<>()\[\]]|\([^\s<>()\[\]]*\)|\[[^\s<>()\[\]]*\])"
_PATH = rf"(?::\d{{1,5}})?(?:[/?#]{_REST}*)?(?<![.,;:!?])"
_SITE_ENDING = (
    rf"(?=[^\W\d_]{{2}})(?:(?:{_CLEAR})(?![\w-])|{_ENDING}(?=/\w)"
    rf"|(?-i:(?=[a-z]+\b|[A-Z]+\b))(?!(?:{_DOUBTFUL})\b)(?:{_USUAL})(?![\w(-])){_PATH}"
)
_NO_CODE = r"(?!(?:asp|ado|vb|ml)\.net\b|(?:self|this)\.)"

# "jane@gmail.com", "jane @ gmail . com", "jane [at] gmail dot com".
_SAID_AT, _SAID_DOT = "(?:at|arroba|arobase)", "(?:dot|punto|ponto|punkt)"
_AT = rf"(?:[ \t*]{{0,3}}@[\s*]{{0,3}}|{_OPEN}(?:@|{_SAID_AT}){_CLOSE})"
_DOT_IN_BRACKETS = rf"{_OPEN}(?:\.|{_SAID_DOT}){_CLOSE}"
_DOT = rf"(?:{_DOT_IN_BRACKETS}|[\s_]{{1,3}}{_SAID_DOT}[\s_]{{1,3}})"
_DOT_OR_POINT = rf"(?:{_DOT}|\s{{1,3}}\.\s{{0,3}}|\.\s{{1,3}}(?=(?:com|net|org|edu)\b))"
_SPACED_DOT = rf"(?:{_DOT_IN_BRACKETS}|\s{{1,3}}{_SAID_DOT}\s{{1,3}})"
_PERSON = rf"{_START}[\w.+-]++(?:{_SPACED_DOT}[\w.+-]++){{0,3}}"
_MAIL_COMPANY = "(?:gmail|googlemail|yahoo|hotmail|outlook|icloud|protonmail|proton|gmx|yandex)"
# "jane at gmail dot com" and "jane_at_gmail.com", but not "at one dot per label".
_NO_ARTICLE = r"(?!(?:an?|the|this|that|these|those|each|every|any|some|one|no|which|what|its)\b)"
_PERSON_SAID = (
    rf"{_START}[\w.+-]+?(?:{_SPACED_DOT}[\w.+-]+?){{0,3}}"
    rf"[\s_]{{1,3}}{_SAID_AT}[\s_]{{1,3}}{_NO_ARTICLE}"
)

# A name is a handle where a network is named beside it: "@everyone" is none.
_NETWORK = (
    r"\b(?:telegram|tg|whats\s?app|skype|discord|instagram|insta|ig|twitter|we\s?chat|snapchat|"
    r"facebook|fb|linked\s?in|viber|kakao(?:talk)?|zalo|qq|tiktok|mastodon|bluesky|github|gitlab|"
    r"reddit|gmail|hotmail)\b"
)
_ANY_NETWORK = rf"(?:{_NETWORK}|\b(?:signal|line|threads|messenger|x)\b)"
_BESIDE = r"(?:\s(?:on|in|at|via)\s|\s?\((?:on\s)?)"
_ACCOUNT = r"(?:\s(?:id|handle|nick|nickname|username|user\sname|account|name)\b)"
_HANDLE = (
    r"(?!(?:and|or|as|an?|the|yes|no|none|not|okay|fine|good|best|better|off|out|down|up|full|empty|"
    r"public|private|new|see|available|same|ask|also|always|only|still|now|very|blocked|here|below|"
    r"what|where|how|linked|attached|active)\b)[\w.#:+-]{2,64}\b"
)
# A word of a language has no digit, underscore, colon, number sign or point inside.
_ODD_HANDLE = r"(?![a-z]\.[a-z]\b)[a-z-]{1,32}[\d_#:.][\w.#:+-]{0,32}\b"

_FORMS = (
    # jane@gmail.com, git@github.com:jane/work, jane[at]gmail
    rf"{_PERSON}{_AT}(?:{_HOST}\.[^\W\d_][\w-]+(?:[:/?]{_REST}+)?|{_MAIL_COMPANY}\b)",
    # jane @ gmail . com, jane (at) gmail dot com
    rf"{_PERSON}{_AT}{_HOST}(?:{_DOT_OR_POINT}{_HOST}){{0,3}}{_DOT_OR_POINT}{_ENDING}",
    # jane at gmail dot com, jane at gmail.com, jane at gmail . com
    (
        rf"{_PERSON_SAID}(?:{_HOST}(?:{_DOT}{_HOST}){{0,3}}{_DOT}{_ENDING}"
        rf"|(?:{_LABEL}\.)+{_SITE_ENDING}|{_MAIL_COMPANY}\s{{0,3}}\.\s{{0,3}}{_ENDING})"
    ),
    # https://jane.example, www.jane.example, skype:jane
    rf"(?<!\w)(?:\w+://|www\.|(?:mailto|tel|sms|callto|skype|sips?|xmpp):){_REST}+(?<![.,;:!?])",
    # jane.nl, //jane.nl, linktr.ee/jane; [me](jane.sh)
    rf"(?<![\w-])(?<![\w-]\.)(?:(?<!:)//)?{_NO_CODE}(?:[\w-]+\.)+{_SITE_ENDING}",
    rf"\](?:\(|:)\s{{0,3}}<?((?://)?(?:[\w-]+\.)+{_ENDING}{_PATH})",
    # jane dot com, jane[.]nl
    rf"{_START}{_NO_ARTICLE}{_HOST}(?:{_DOT}{_HOST}){{0,3}}{_DOT}(?:{_CLEAR})\b",
    rf"{_START}{_HOST}{_DOT_IN_BRACKETS}{_ENDING}",
    # signal: @jane; @jane on LinkedIn, @jane (telegram)
    rf"{_ANY_NETWORK}{_ACCOUNT}?[\s*:,=(-]{{0,3}}@\w[\w.]*\b",
    rf"@(?!(?:everyone|here|all)\b)\w[\w.]+{_BESIDE}{_ANY_NETWORK}\)?",
    # jane#1234 on discord
    rf"(?<![\w.#:+-]){_ODD_HANDLE}{_BESIDE}{_NETWORK}\)?",
    # discord jane#1234, telegram: jane, telegram id jane
    (
        rf"{_NETWORK}(?:{_ACCOUNT}?[\s*:,=(-]{{1,3}}{_ODD_HANDLE}"
        rf"|{_ACCOUNT}?[\s*]{{0,3}}[:=][\s*]{{0,3}}{_HANDLE}"
        rf"|(?:{_ACCOUNT}\sis|\s(?:id|handle|username))\s{_HANDLE})"
    ),
    # my telegram is jane, on telegram as jane
    rf"\bmy\s{_NETWORK}{_ACCOUNT}?(?:'s|\sis|\s?[:=-])\s{_HANDLE}",
    rf"\bon\s{_NETWORK}\sas\s{_HANDLE}",
)

# "+49 (0)30 1234567", "555.010.9999 ext. 12", "five five five zero one zero ...".
_DIGIT = r"(?:\d|zero|oh|one|two|three|four|five|six|seven|eight|nine|double|triple)"
_GAP = r"(?:(?<=\b\d)[,;*~|]\s?(?=\d\b)|[\s().\-/:_]{0,3})"
_FIRST = rf"(?:\((?=\d{{1,6}}\)))?{_DIGIT}"
_EXTENSION = r"(?:\s{0,2}(?:ext|extension|x)[\s.:]{0,3}\d{1,5})?"
_CALL = (
    r"\b(?:tel(?:efon|efono|ephone)?|phone|mobile|fax|whatsapp|viber|(?:call|ring|text|sms)(?:\sme)?)"
    r"(?:[\s.]{1,2}(?:me|at|on|is|no|nr|number)\b){0,3}[\s.:#=]{0,3}"
)
_NUMBERS = (
    rf"{_FIRST}(?:{_GAP}{_DIGIT}){{8,}}{_EXTENSION}",
    rf"\+\s?{_FIRST}(?:{_GAP}{_DIGIT}){{6,}}{_EXTENSION}",
    rf"{_CALL}({_FIRST}(?:{_GAP}{_DIGIT}){{5,}}{_EXTENSION})",
)
# Dates, spans of years, times of day, and the numbers of a list's items end a phone number.
_OTHER_NUMBERS = (
    r"(?<!\d)(?:19|20)\d\d([-/.])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12]\d|3[01])(?!\d)",
    r"(?<!\d)(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d)",
    r"(?<!\d)\d{1,2}([-/.])\d{1,2}\1(?:19|20)\d\d(?!\d)",
    r"(?<![\d-])(?:19|20)\d\d\s?[-/]\s?(?:19|20)\d\d(?![\d-])",
    r"(?<![\d:])(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?(?![\d:])",
    r"(?m:^)[ \t]{0,9}\d{1,3}[.)]\s",
)


def _compiled(forms: tuple[str, ...]) -> list[re.Pattern[str]]:
    return [re.compile(form, re.IGNORECASE) for form in forms]


_SEARCHES, _NUMBER_SEARCHES = _compiled(_FORMS), _compiled(_NUMBERS)
_OTHER_SEARCHES = _compiled(_OTHER_NUMBERS)
_EMPHASIS = re.compile(r"(?<![\w@])_++|(?<!_)_++(?!\w)")  # as Markdown's "*"
_PLAIN = {"Cf": "", "Mn": "", "Me": "", "Zs": " ", "Pd": "-", "Ps": "(", "Pe": ")"}
_LIKE_POINTS_AND_DASHES = str.maketrans("\u00b7\u2022\u2219\u3002\u2212\u2044\u2215", "....-//")


def without_contact_details(text: str) -> str:
    """Put a mark in the place of every e-mail address, link, handle and phone number.

    Recognised by form alone. A long number may be taken for a phone number: that costs a question,
    while the other mistake gives away a person. Cleaning what is clean changes nothing.
    """
    view, places = _plain_view(text)
    cleaned, done = "", 0
    for start, end in sorted(_details(view)):
        if places[start] > done or not cleaned:
            cleaned += text[done : places[start]] + REMOVED
        done = max(done, places[end - 1] + 1, places[end])
    return cleaned + text[done:]


def _plain_view(text: str) -> tuple[str, list[int]]:
    """Give the text without disguises, and of each of its characters, and its end, the place."""
    plain = text if text.isascii() else [_plain(character) for character in text]
    places = [place for place, characters in enumerate(plain) for _ in characters]
    return "".join(plain), [*places, len(text)]


@lru_cache(maxsize=4096)
def _plain(character: str) -> str:
    digit = unicodedata.digit(character, None)
    if digit is not None:
        return str(digit)
    if character.isascii():
        return character
    usual = unicodedata.normalize("NFKC", character).translate(_LIKE_POINTS_AND_DASHES)
    return "".join(_PLAIN.get(unicodedata.category(each), each) for each in usual)


def _details(view: str) -> list[tuple[int, int]]:
    found = list(_found(view))
    # What leant on a detail may be one itself, now that it stands alone.
    rest = list(view)
    for start, end in found:
        rest[start:end] = "|" * (end - start)
    return found + list(_found("".join(rest))) if found else found


def _found(view: str) -> Iterator[tuple[int, int]]:
    view = _EMPHASIS.sub(lambda found: "*" * len(found.group()), view)
    for search in _SEARCHES:
        for found in search.finditer(view):
            yield found.span(found.lastindex or 0)
    for search in _OTHER_SEARCHES:
        view = search.sub(lambda found: ";" * len(found.group()), view)
    for search in _NUMBER_SEARCHES:
        for found in search.finditer(view):
            yield found.span(found.lastindex or 0)
