"""English sentences, phrases and keyword lists put together from clauses."""

import re
from collections.abc import Callable, Sequence
from itertools import groupby
from random import Random

from gallery.synthetic.frames_en import ASK, FINITE, LABELS, LEADS, PLACE, TELL
from gallery.synthetic.vocabulary_en import COLOUR, GENDER, INNER_IS, INNER_OVER, NOBODY, VIEW
from gallery.synthetic.wording_en import Clause, Values, article, clauses, coloured
from gallery.synthetic.wordlists import pick

# How many captions have a slip of the fingers.
SLIP_SHARE = 0.02
_PRONOUN = {"woman": ("she", "her"), "man": ("he", "his")}


def _listed(items: Sequence[str], r: Random) -> str:
    if len(items) == 1:
        return items[0]
    last = " and " if r.random() < 0.85 else ", "
    if len(items) > 2 and r.random() < 0.2:
        last = ", and "
    between = ", " if len(items) > 2 or r.random() < 0.1 else " and "
    return between.join(items[:-1]) + last + items[-1]


def _short(phrase: str) -> str:
    for start in ("a ", "an "):
        if phrase.startswith(start) and not phrase.startswith("a pair"):
            return phrase[len(start) :]
    return phrase


def _ordered(found: list[Clause], r: Random) -> list[Clause]:
    if r.random() < 0.65:
        r.shuffle(found)
    return found


def _noun(v: Values, r: Random) -> str:
    return pick(r, GENDER[v["gender"]]) if "gender" in v else pick(r, NOBODY)


def _subject(v: Values, adjectives: Sequence[Clause], r: Random, *, bare: bool) -> str:
    """The noun with its adjectives: "a slim long-haired woman", "someone"."""
    noun = _noun(v, r)
    if noun.startswith(("some", "any")):
        if not adjectives:
            return noun
        noun = "person"
    if adjectives:
        comma = ", " if r.random() < 0.3 else " "
        noun = comma.join(clause.phrase for clause in adjectives) + " " + noun
    return noun if bare else article(noun)


def _modifiers(rest: Sequence[Clause], r: Random, *, bare: bool) -> list[str]:
    """What follows the noun; neighbours that got the same lead share it."""
    led: list[tuple[str, str]] = []
    shared = pick(r, LEADS["wear"])
    for clause in rest:
        phrase = _short(clause.phrase) if bare else clause.phrase
        if clause.own and r.random() < 0.04:
            led.append(("whose", clause.own))
            continue
        if clause.verb == "tag":
            led.append(("", phrase))
            continue
        lead = shared if clause.verb == "wear" else pick(r, LEADS[clause.verb])
        if clause.topic == "shoes" and shared in LEADS["don"]:
            lead = shared
        led.append((lead, phrase))
    texts: list[str] = []
    for lead, group in groupby(led, key=lambda pair: pair[0]):
        phrases = [phrase for _, phrase in group]
        if lead:
            texts.append(f"{lead} {_listed(phrases, r)}")
        else:
            texts.extend(phrases)
    return texts


def _joined(head: str, modifiers: Sequence[str], r: Random) -> str:
    text = head
    style = r.random()
    for number, modifier in enumerate(modifiers):
        if number == 0:
            text += (" " if r.random() < 0.9 else ", ") + modifier
        elif number == len(modifiers) - 1 and style < 0.55:
            text += (" and " if r.random() < 0.8 else ", and ") + modifier
        else:
            text += (", " if style < 0.8 else " ") + modifier
    return text


def _merge_inner(found: list[Clause], v: Values, r: Random) -> list[Clause]:
    """Sometimes says what shows under a garment right after the garment."""
    shade = v.get("inner_colour", "none")
    upper = next((c for c in found if c.topic == "upper" and c.verb == "wear"), None)
    if shade == "none" or upper is None or "upper" not in v or r.random() < 0.35:
        return found
    over = INNER_OVER if r.random() < 0.6 else INNER_IS
    phrase = f"{upper.phrase} {coloured(pick(r, over), pick(r, COLOUR[shade]))}"
    merged = Clause("upper", "wear", phrase)
    return [merged if c is upper else c for c in found if c.topic != "inner"]


def _wording(v: Values, r: Random, brief: bool) -> list[Clause]:
    found = clauses(v, r, brief)
    both = v.get("upper_colour")
    alone = not {"upper", "upper_pattern", "lower", "inner_colour"} & v.keys()
    if both and both == v.get("lower_colour") and alone and r.random() < 0.6:
        colour = pick(r, COLOUR[both])
        everything = ("dressed all in {c}", "all in {c}", "dressed entirely in {c}")
        phrase = pick(r, everything).format(c=colour)
        found = [c for c in found if c.topic not in ("upper", "lower")]
        found.append(Clause("upper", "is", phrase))
    return _merge_inner(found, v, r)


def _phrase(v: Values, r: Random, *, bare: bool) -> str:
    """A noun phrase, sometimes with a place: "a woman in a red coat in the street"."""
    text = _named(v, r, bare=bare)
    return f"{text} {pick(r, PLACE)}" if r.random() < 0.05 else text


def _named(v: Values, r: Random, *, bare: bool) -> str:
    """A noun phrase: "a woman in a red coat with a backpack"."""
    found = _ordered(_wording(v, r, False), r)
    adjectives = [c for c in found if c.verb == "adjective"]
    rest = [c for c in found if c.verb != "adjective"]
    # Tags come last: "a woman in a coat, back view".
    rest.sort(key=lambda c: c.verb == "tag")
    return _joined(_subject(v, adjectives, r, bare=bare), _modifiers(rest, r, bare=bare), r)


def _fronted(v: Values, r: Random) -> str:
    """ "Wearing a red coat, the woman is walking": some of it before the subject."""
    found = _ordered(_clear(_wording(v, r, False), v, r), r)
    front = [c for c in found if c.verb not in ("adjective", "is")][:2]
    rest = [c for c in found if c not in front]
    if not front or not rest:
        return f"{_who(v, r)} {_predicates(found, v, r)}" if found else _phrase(v, r, bare=False)
    lead = _listed(_modifiers(front, r, bare=False), r)
    if lead.startswith(("who", "having")):
        return f"{_who(v, r)} {_predicates(found, v, r)}"
    noun = pick(r, GENDER[v["gender"]]) if "gender" in v else "person"
    return f"{lead}, {pick(r, ('the', 'this', 'the', 'a'))} {noun} {_predicates(rest, v, r)}"


def _predicates(found: Sequence[Clause], v: Values, r: Random) -> str:
    led: list[tuple[str, str]] = []
    shared = pick(r, FINITE["wear"])
    for clause in found:
        if clause.verb == "tag":
            led.append(("is seen in", clause.phrase))
            continue
        lead = shared if clause.verb == "wear" else pick(r, FINITE[clause.verb])
        if clause.topic == "shoes" and shared in FINITE["don"]:
            lead = shared
        if clause.phrase.startswith("with "):
            lead = "is seen"
        led.append((lead, clause.phrase))
    texts = []
    for lead, group in groupby(led, key=lambda pair: pair[0]):
        texts.append(f"{lead} {_listed([phrase for _, phrase in group], r)}")
    return _listed(texts, r)


def _who(v: Values, r: Random) -> str:
    """The subject of a sentence that says the gender, if it is known."""
    if "gender" not in v:
        return "the " + pick(r, ("person", "person", "pedestrian", "individual", "subject"))
    if r.random() < 0.35:
        return _PRONOUN[v["gender"]][0]
    return f"{pick(r, ('the', 'the', 'this', 'a'))} {pick(r, GENDER[v['gender']])}"


def _again(v: Values, r: Random) -> str:
    """The same person, named before, in a further sentence."""
    if "gender" in v and r.random() < 0.8:
        return _PRONOUN[v["gender"]][0]
    return "the person"


def _clear(found: list[Clause], v: Values, r: Random) -> list[Clause]:
    """Tags turned into clauses that a verb can take."""
    return [Clause("view", "is", pick(r, VIEW[v["view"]])) if c.verb == "tag" else c for c in found]


def _sentence(v: Values, r: Random) -> str:
    found = _ordered(_clear(_wording(v, r, False), v, r), r)
    if not found:
        return _phrase(v, r, bare=False)
    return f"{_who(v, r)} {_predicates(found, v, r)}"


def _told_of_one(v: Values, r: Random) -> str:
    """ "A woman in a red coat is carrying a bag": part before the verb, part after it."""
    found = _ordered(_clear(_wording(v, r, False), v, r), r)
    adjectives = [c for c in found if c.verb == "adjective"]
    rest = [c for c in found if c.verb != "adjective"]
    if len(rest) < 2:
        return f"{_who(v, r)} {_predicates(found, v, r)}" if found else _phrase(v, r, bare=False)
    cut = 1 if r.random() < 0.6 else 1 + int(r.random() * (len(rest) - 1))
    head = _subject(v, adjectives, r, bare=False)
    if r.random() < 0.35 and head.startswith(("a ", "an ")):
        head = "the " + head.split(" ", 1)[1]
    return (
        f"{_joined(head, _modifiers(rest[:cut], r, bare=False), r)} {_predicates(rest[cut:], v, r)}"
    )


def _own_sentences(found: Sequence[Clause], v: Values, r: Random) -> str:
    """ "her coat is red, her shoes are white"."""
    own = _PRONOUN[v["gender"]][1] if "gender" in v and r.random() < 0.75 else "the"
    return _listed([f"{own} {clause.own}" for clause in found], r)


def _sentences(v: Values, r: Random) -> str:
    """Two sentences, or three, about the same person."""
    found = _ordered(_clear(_wording(v, r, False), v, r), r)
    if len(found) < 2:
        return _sentence(v, r)
    cut = 1 + int(r.random() * (len(found) - 1))
    parts = [f"{_who(v, r)} {_predicates(found[:cut], v, r)}"]
    rest = found[cut:]
    owned = [c for c in rest if c.own] if r.random() < 0.4 else []
    rest = [c for c in rest if c not in owned]
    if rest:
        parts.append(f"{_again(v, r)} {_predicates(rest, v, r)}")
    if owned:
        parts.append(_own_sentences(owned, v, r))
    return ". ".join(part[0].upper() + part[1:] for part in parts)


def _asked(v: Values, r: Random) -> str:
    template = pick(r, ASK if r.random() < 0.6 else TELL)
    named = _phrase(v, r, bare="{a}" not in template)
    return template.format(a=named, the="the " + named, bare=named)


def _keywords(v: Values, r: Random) -> str:
    found = _ordered(_wording(v, r, True), r)
    items = [_short(clause.phrase) for clause in found]
    if "gender" in v:
        place = 0 if r.random() < 0.5 else int(r.random() * (len(items) + 1))
        items.insert(place, pick(r, GENDER[v["gender"]]))
    elif r.random() < 0.12:
        items.insert(0, "person")
    between = pick(r, (", ", ", ", ", ", ", ", " ", " ", " ", "; ", " and ", ",", " + ", " / "))
    return between.join(items)


def _labelled(v: Values, r: Random) -> str:
    """A form filled in: "gender: woman; top: red coat"."""
    items = [
        f"{pick(r, LABELS[c.topic])}: {_short(c.phrase)}" for c in _ordered(clauses(v, r, True), r)
    ]
    if "gender" in v:
        items.insert(0, f"{pick(r, ('gender', 'sex', 'who'))}: {pick(r, GENDER[v['gender']])}")
    return pick(r, ("; ", ", ", " | ", "; ")).join(items)


# "on the back" of somebody whose gender is told may be "on her back".
_BODY = re.compile(r"\b(on|in|over|with|down) the (back|head|feet|shoulders?|hands?|chest)\b")
_CONTRACTED = (
    ("She is ", "She's "),
    ("she is ", "she's "),
    ("He is ", "He's "),
    (" he is ", " he's "),
)
_WORD = re.compile(r"[A-Za-z]{5,}")


def _mistyped(text: str, r: Random) -> str:
    """One slip of the fingers in one longer word."""
    found = list(_WORD.finditer(text))
    if not found:
        return text
    match = found[int(r.random() * len(found))]
    at = match.start() + 1 + int(r.random() * (len(match[0]) - 3))
    slip = r.random()
    if slip < 0.4:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    if slip < 0.75:
        return text[:at] + text[at + 1 :]
    return text[:at] + text[at] + text[at:]


def _finished(text: str, r: Random) -> str:
    """Case, full stop, comma habits and rare slips of a person who types."""
    roll = r.random()
    if roll < 0.42:
        text = text[0].upper() + text[1:]
    elif roll < 0.43:
        text = text.upper()
    elif roll < 0.75:
        text = text.lower()
    if r.random() < 0.15:
        for long, short in _CONTRACTED:
            text = text.replace(long, short)
    if text[-1] not in "?.!" and r.random() < 0.3:
        text += "."
    if r.random() < 0.08:
        text = text.replace(", ", " ")
    if r.random() < SLIP_SHARE:
        text = _mistyped(text, r)
    return text


# Forms and the shares of captions up to which they go.
_FORMS: tuple[tuple[float, Callable[[Values, Random], str]], ...] = (
    (0.48, _sentence),
    (0.54, _fronted),
    (0.61, _told_of_one),
    (0.69, _sentences),
    (0.81, _asked),
    (0.97, _keywords),
)


def write(v: Values, r: Random) -> str:
    """One wording of the values in one of the forms that people use."""
    text = _formed(v, r)
    if "gender" in v and r.random() < 0.6:
        text = _BODY.sub(rf"\1 {_PRONOUN[v['gender']][1]} \2", text)
    return _finished(text, r)


def describe(v: Values, r: Random) -> str:
    """A statement of the values, as on a data sheet: nothing asked, nothing mistyped."""
    roll = r.random()
    if len(v) < 2 or roll < 0.4:
        text = _named(v, r, bare=False)
    elif roll < 0.65:
        text = _sentence(v, r)
    elif roll < 0.8:
        text = _told_of_one(v, r)
    else:
        text = _sentences(v, r)
    if "gender" in v and r.random() < 0.6:
        text = _BODY.sub(rf"\1 {_PRONOUN[v['gender']][1]} \2", text)
    return f"{text[0].upper()}{text[1:]}."


def _formed(v: Values, r: Random) -> str:
    if not v:
        return _phrase(v, r, bare=False)
    if len(v) == 1 and "gender" in v:
        return _asked(v, r) if r.random() < 0.4 else _phrase(v, r, bare=r.random() < 0.5)
    form = r.random()
    if form < 0.35:
        return _phrase(v, r, bare=r.random() < 0.35)
    for share, write_form in _FORMS:
        if form < share:
            return write_form(v, r)
    return _labelled(v, r)


def movable(v: Values, r: Random) -> tuple[str, list[str], str, str]:
    """A start, pieces that may stand in any order, what goes between them, and an end."""
    if r.random() < 0.4:
        items = [_short(c.phrase) for c in clauses(v, r, True)]
        if "gender" in v:
            items.append(pick(r, GENDER[v["gender"]]))
        return "", items, ", ", ""
    found = clauses(v, r)
    subject = _subject(v, [c for c in found if c.verb == "adjective"], r, bare=False)
    rest = [c for c in found if c.verb != "adjective"]
    pieces = [_modifiers([c], r, bare=False)[0] for c in rest]
    return subject + " " if pieces else subject, pieces, ", ", ""
