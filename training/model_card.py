"""How well a version finds drawn people it never saw: the numbers of the model card.

The gallery is drawn from a seed that no training uses. A query states 2 to 5 facts that can be
seen in some crop, so that it can be satisfied; its first hit agrees when the person there has
everything that the query says.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gallery.synthetic.attributes import NONE, Fact, Person, draw_person
from gallery.synthetic.captions import caption, orders
from gallery.synthetic.crops import draw
from training.drawn import LANGUAGES, DrawnCrops, fits, load_or_draw, stated_facts
from training.ml.ranking import recall_at
from training.ml.runtime import Bundle, ImageTower, TextTower, Vectors, encode_crops
from training.ml.verification import equal_error_rate

SEED = 90_001
CROPS = 2_400
QUERIES = 1_000
FREE_QUERIES = Path(__file__).parent / "free_queries.json"
LANGUAGE_NAMES = {"en": "English", "zh": "Chinese"}


def measure(
    bundle: Bundle,
    work: Path,
    *,
    seed: int = SEED,
    crops: int = CROPS,
    queries: int = QUERIES,
    tell: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """All numbers of the card, shares from 0 to 1.

    Args:
        work: a folder where the drawn gallery is kept between calls.
        crops: in the gallery, two of each person.
        queries: of 2 to 5 facts, in each language.
        tell: called with what is done now.

    Raises: ValueError, the version has no text tower.
    """
    image, text = bundle.image_tower(threads=2), bundle.text_tower(threads=2)
    if text is None:
        raise ValueError("an image-only version answers no descriptions")
    tell(f"drawing {crops} crops of people that no training saw")
    drawn = load_or_draw(seed, crops, work, *image.framing.usual)
    free = json.loads(FREE_QUERIES.read_text("utf-8"))
    gallery = _with_fitting_people(drawn, free, seed, image)
    vectors = encode_crops(image, image.prepare_all(gallery.pixels))
    people = len({_look(person) for person in gallery.people})
    metrics: dict[str, Any] = {"boxes": len(gallery), "identities": people}
    for language in LANGUAGES:
        tell(f"asking {queries} queries in {LANGUAGE_NAMES[language]}")
        rng = np.random.default_rng((seed, 4, LANGUAGES.index(language)))
        metrics[language] = {
            **_attribute_queries(gallery, vectors, text, language, queries, rng),
            **_whole_descriptions(gallery, vectors, text, language, queries, rng),
            "reordered": _reordered(gallery, vectors, text, language, queries, rng),
            "free_words": _free_words(gallery, vectors, text, free[language]),
        }
    return metrics


def _attribute_queries(
    gallery: DrawnCrops,
    vectors: Vectors,
    text: TextTower,
    language: str,
    count: int,
    rng: np.random.Generator,
) -> dict[str, Any]:
    texts, facts = _queries(gallery, language, count, rng)
    scores = text.encode(texts) @ vectors.T
    agree = fits(stated_facts(facts), gallery.has)
    first = _first_agrees(scores, agree)
    rate, _ = equal_error_rate(scores[agree], scores[~agree])
    by_facts = {
        str(size): float(first[[len(stated) == size for stated in facts]].mean())
        for size in range(2, 6)
        if any(len(stated) == size for stated in facts)
    }
    return {
        "queries": len(texts),
        "first_hit_agrees": float(first.mean()),
        "first_hit_agrees_by_facts": by_facts,
        **{f"agrees_within_{k}": v for k, v in recall_at(scores, agree, (5, 10)).items()},
        "eer": rate,
    }


def _whole_descriptions(
    gallery: DrawnCrops,
    vectors: Vectors,
    text: TextTower,
    language: str,
    count: int,
    rng: np.random.Generator,
) -> dict[str, float]:
    """Recall of the very person, from a caption of everything that can be seen of them."""
    rows = rng.permutation(len(gallery))[:count]
    texts = [
        caption(gallery.people[row], rng, language, gallery.visible[row], facts=99).text
        for row in rows
    ]
    looks = [_look(person) for person in gallery.people]
    same = np.array([[looks[row] == look for look in looks] for row in rows])
    found = recall_at(text.encode(texts) @ vectors.T, same)
    return {f"r{k}": share for k, share in found.items()}


def _reordered(
    gallery: DrawnCrops,
    vectors: Vectors,
    text: TextTower,
    language: str,
    count: int,
    rng: np.random.Generator,
) -> dict[str, float]:
    """The same clauses in two orders: how often the first hit agrees, and how often it changes."""
    _, facts = _queries(gallery, language, count, rng)
    pairs = [(orders(stated, rng, language, 2), stated) for stated in facts]
    kept = [(texts, stated) for texts, stated in pairs if len(texts) == 2]
    agree = fits(stated_facts([stated for _, stated in kept]), gallery.has)
    first, second = (
        text.encode([texts[order] for texts, _ in kept]) @ vectors.T for order in (0, 1)
    )
    before, after = _first_agrees(first, agree), _first_agrees(second, agree)
    return {
        "queries": len(kept),
        "one_order": float(before.mean()),
        "another_order": float(after.mean()),
        "first_hit_the_same": float((first.argmax(axis=1) == second.argmax(axis=1)).mean()),
        "agreement_the_same": float((before == after).mean()),
    }


def _free_words(
    gallery: DrawnCrops, vectors: Vectors, text: TextTower, free: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    facts = [[(field, value) for field, value in query["facts"]] for query in free]
    scores = text.encode([query["text"] for query in free]) @ vectors.T
    agree = fits(stated_facts(facts), gallery.has)
    first = _first_agrees(scores, agree)
    return {
        "queries": len(free),
        "first_hit_agrees": float(first.mean()),
        "missed": [query["text"] for query, right in zip(free, first, strict=True) if not right],
    }


def _queries(
    gallery: DrawnCrops, language: str, count: int, rng: np.random.Generator
) -> tuple[list[str], list[Sequence[Fact]]]:
    texts: list[str] = []
    facts: list[Sequence[Fact]] = []
    while len(texts) < count:
        row = int(rng.integers(len(gallery)))
        size = int(rng.integers(2, 6))
        written = caption(gallery.people[row], rng, language, gallery.visible[row], facts=size)
        if 2 <= len(written.facts) <= 5:
            texts.append(written.text)
            facts.append(written.facts)
    return texts, facts


def _first_agrees(scores: npt.NDArray[np.floating], agree: npt.NDArray[np.bool_]) -> Any:
    return agree[np.arange(len(agree)), scores.argmax(axis=1)]


def _look(person: Person) -> tuple[str, ...]:
    return tuple(
        value for field, value in person.to_dict().items() if field not in ("pose", "view")
    )


def _with_fitting_people(
    drawn: DrawnCrops, free: dict[str, list[dict[str, Any]]], seed: int, image: ImageTower
) -> DrawnCrops:
    """The gallery with two crops of somebody for each free query, which are too rare by chance."""
    people, visible, pixels = list(drawn.people), list(drawn.visible), [np.asarray(drawn.pixels)]
    for number, query in enumerate(query for each in free.values() for query in each):
        rng = np.random.default_rng((seed, 5, number))
        person = someone_who([(field, value) for field, value in query["facts"]], rng)
        for _ in range(2):
            crop = draw(person, rng, *image.framing.usual)
            people.append(person)
            visible.append(crop.visible)
            pixels.append(crop.pixels[None])
    return DrawnCrops(np.concatenate(pixels), people, visible)


def someone_who(facts: Sequence[Fact], rng: np.random.Generator, tries: int = 20_000) -> Person:
    """A random person with these facts. Raises: ValueError, nobody can have all of them."""
    for _ in range(tries):
        person = replace(draw_person(rng), **dict(facts))
        if _possible(person):
            return person
    raise ValueError(f"nobody can be {facts}")


def _possible(person: Person) -> bool:
    paired = (
        (person.hair == "bald") == (person.hair_colour == NONE)
        and (person.hat == NONE) == (person.hat_colour == NONE)
        and (person.bag == NONE) == (person.bag_colour == NONE)
        and (person.lower == NONE) == (person.lower_colour == NONE) == (person.upper == "dress")
    )
    inside = person.inner_colour == NONE or person.upper in ("jacket", "coat", "vest")
    vest = person.upper != "vest" or person.inner_colour != NONE
    denim = person.lower != "jeans" or person.lower_colour in ("blue", "black", "grey", "white")
    hers = person.gender == "woman" or (person.upper != "dress" and person.lower != "skirt")
    return paired and inside and vest and denim and hers


def card(about: dict[str, Any]) -> str:
    """The model card as Markdown.

    Args:
        about: what model.json holds, with the numbers of `measure` as `metrics`.
    """
    metrics = about["metrics"]
    lines = [
        f"# {about['name']}",
        "",
        about.get("notes", ""),
        "",
        f"- Licence: {about['licence'] or 'not stated'}",
        f"- Space: `{about['space']}`, {about['dim']} dimensions",
        "",
        f"Measured on {metrics['boxes']} drawn boxes of {metrics['identities']} people, none of "
        "them seen in training. Each query can be satisfied by somebody in the gallery.",
        "",
        "| | " + " | ".join(LANGUAGE_NAMES[language] for language in LANGUAGES) + " |",
        "|---|" + "---|" * len(LANGUAGES),
    ]
    for title, path in _ROWS:
        values = [_at(metrics[language], path) for language in LANGUAGES]
        lines.append(f"| {title} | " + " | ".join(_shown(value) for value in values) + " |")
    return "\n".join(lines) + "\n"


_ROWS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Queries of 2 to 5 facts", ("queries",)),
    ("First hit agrees with everything said", ("first_hit_agrees",)),
    ("... of 2 facts", ("first_hit_agrees_by_facts", "2")),
    ("... of 3 facts", ("first_hit_agrees_by_facts", "3")),
    ("... of 4 facts", ("first_hit_agrees_by_facts", "4")),
    ("... of 5 facts", ("first_hit_agrees_by_facts", "5")),
    ("One of the first 5 agrees", ("agrees_within_5",)),
    ("One of the first 10 agrees", ("agrees_within_10",)),
    ("EER of query and box", ("eer",)),
    ("R@1 of the very person, whole description", ("r1",)),
    ("R@5", ("r5",)),
    ("R@10", ("r10",)),
    ("Free words by hand: first hit agrees", ("free_words", "first_hit_agrees")),
    ("Clauses in one order: first hit agrees", ("reordered", "one_order")),
    ("The same clauses in another order", ("reordered", "another_order")),
    ("Same first hit in both orders", ("reordered", "first_hit_the_same")),
)


def _at(values: Any, path: Sequence[str]) -> Any:
    for key in path:
        values = values[key]
    return values


def _shown(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.3f}"
