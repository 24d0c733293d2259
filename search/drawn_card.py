"""How well the evidence and the confidence that search shows hold on drawn people.

A third of them is the background, a third is what calibration sees, and everything is measured on
the last third, whom neither has seen.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from gallery.synthetic.captions import caption, orders
from search import drawn_pairs
from search.drawn_pairs import Crowd, Encode
from search.evidence import SHOWN, Blend, Curve, area, blended
from training.drawn import LANGUAGES, fits, stated_facts
from training.ml.runtime import Bundle

SEED = 90_007
CROPS = 3600
QUERIES = 1000
PHRASES = 400
RATES = (1 / 100, 1 / 1000)


def measure(
    bundle: Bundle,
    work: Path,
    *,
    seed: int = SEED,
    crops: int = CROPS,
    queries: int = QUERIES,
    tell: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """The numbers of the card, shares from 0 to 1.

    Args:
        work: a folder where the drawn people are kept between calls.
        crops: in all, two of each person.
        queries: texts a language whose clauses are reordered, and texts that confidence is held to.

    Raises: ValueError, the version has no text tower.
    """
    image, text = bundle.image_tower(threads=2), bundle.text_tower(threads=2)
    if text is None:
        raise ValueError("an image-only version has no phrases")
    tell(f"drawing {crops} crops")
    background, known, held_out = drawn_pairs.kept_crowd(image, seed, crops, work).thirds()
    numbers: dict[str, Any] = {"boxes": len(held_out.vectors)}
    for language in LANGUAGES:
        tell(f"phrases and orders, {language}")
        rng = np.random.default_rng((seed, LANGUAGES.index(language)))
        numbers[language] = {
            **_bars(held_out, background.vectors, text.encode, language, rng),
            **_reordered(held_out, text.encode, language, queries, rng),
        }
    tell("confidence")
    numbers["confidence"] = _confidence(
        background.vectors, known, held_out, text.encode, queries, np.random.default_rng((seed, 9))
    )
    return numbers


def card(numbers: dict[str, Any]) -> str:
    """What `measure` gave, as lines."""
    lines = [f"Measured on {numbers['boxes']} drawn boxes that calibration never saw."]
    for language in LANGUAGES:
        found = numbers[language]
        lines += [
            f"{language}: bars tell true phrases from false ones with AUC {found['auc']:.3f} "
            f"(raw cosines {found['auc_raw']:.3f}), {found['phrase_pairs']:,} pairs; "
            f"{found['precision']:.3f} of those shown as full are true",
            f"{language}: R@1 {found['one_order']:.3f} in one order of clauses, "
            f"{found['another_order']:.3f} in another; the same first hit for "
            f"{found['first_hit_the_same']:.3f} (text alone {found['one_order_alone']:.3f}, "
            f"{found['another_order_alone']:.3f}, {found['first_hit_the_same_alone']:.3f})",
        ]
    for kind, found in numbers["confidence"].items():
        told = ", ".join(
            f"1 in {round(1 / rate):,}: {found['observed'][str(rate)] / rate:.2f} x "
            f"(finds {found['found'][str(rate)]:.2f})"
            for rate in RATES
            if str(rate) in found["observed"]
        )
        lines.append(f"{kind}: observed / promised false accepts {told}; {found['pairs']:,} pairs")
    return "\n".join(lines) + "\n"


def _bars(
    crowd: Crowd,
    background: np.ndarray,
    encode: Encode,
    language: str,
    rng: np.random.Generator,
) -> dict[str, float]:
    shares, cosines, true = drawn_pairs.phrase_shares(
        crowd, background, encode, language, PHRASES, rng
    )
    return {
        "phrase_pairs": len(true),
        "auc": area(shares, true),
        "auc_raw": area(cosines, true),
        "precision": float(true[shares >= SHOWN].mean()),
    }


def _reordered(
    crowd: Crowd, encode: Encode, language: str, count: int, rng: np.random.Generator
) -> dict[str, float]:
    """R@1 is the share of queries whose first hit has everything that they say."""
    pairs, facts = [], []
    while len(pairs) < count:
        row = int(rng.integers(len(crowd.vectors)))
        size = int(rng.integers(2, 6))
        told = caption(crowd.crops.people[row], rng, language, crowd.crops.visible[row], facts=size)
        two = orders(told.facts, rng, language, 2)
        if len(two) == 2:
            pairs.append(two)
            facts.append(told.facts)
    agree = fits(stated_facts(facts), crowd.crops.has)
    found: dict[str, float] = {}
    for suffix, vectors_of in (("", _described(encode)), ("_alone", encode)):
        firsts = [
            (vectors_of([two[order] for two in pairs]) @ crowd.vectors.T).argmax(axis=1)
            for order in (0, 1)
        ]
        rows = np.arange(len(pairs))
        found[f"one_order{suffix}"] = float(agree[rows, firsts[0]].mean())
        found[f"another_order{suffix}"] = float(agree[rows, firsts[1]].mean())
        found[f"first_hit_the_same{suffix}"] = float((firsts[0] == firsts[1]).mean())
    return found


def _described(encode: Encode) -> Encode:
    return lambda texts: drawn_pairs.described(texts, encode)


def _confidence(
    background: np.ndarray,
    known: Crowd,
    held_out: Crowd,
    encode: Encode,
    count: int,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """What calibration on one crowd promises, and what another crowd then does."""
    both = {
        "text": [
            drawn_pairs.text_scores(crowd, background, encode, count, rng)
            for crowd in (known, held_out)
        ],
        "picture": [drawn_pairs.picture_scores(crowd, background) for crowd in (known, held_out)],
    }
    return {kind: _kept(*calibrated, *seen) for kind, (calibrated, seen) in both.items()}


def _kept(
    known: np.ndarray, known_genuine: np.ndarray, seen: np.ndarray, seen_genuine: np.ndarray
) -> dict[str, Any]:
    """Rates observed at thresholds that were set on others; impostors (P, 3), genuine (G, 3)."""
    blend = Blend.fit(known, known_genuine)
    curve = Curve.of(blended(blend, known))
    impostors, genuine = blended(blend, seen), blended(blend, seen_genuine)
    told = [rate for rate in RATES if rate >= curve.least]
    return {
        "pairs": len(impostors),
        "observed": {str(r): float((impostors > curve.threshold(r)).mean()) for r in told},
        "found": {str(r): float((genuine > curve.threshold(r)).mean()) for r in told},
    }
