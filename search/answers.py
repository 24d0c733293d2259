"""Hits as the API tells them: the fields for the schema, and plain values written by hand.

A page has some hundred of these fields. Serializers that walk through them field by field took a
tenth of a whole search; a test holds fields and values together.
"""

from collections.abc import Iterable
from typing import Any

from django.urls import reverse
from rest_framework import serializers
from rest_framework.request import Request

from search import retrieval

_moment = serializers.DateTimeField()


class PhraseEvidence(serializers.Serializer):
    phrase = serializers.CharField()
    role = serializers.CharField(help_text="weigh, require or exclude.")
    shown = serializers.FloatField(help_text="From 0 to 1; from 0.8 on the phrase probably shows.")


class Hit(serializers.Serializer):
    rank = serializers.IntegerField()
    score = serializers.FloatField(help_text="Cosine similarity, -1 to 1.")
    box = serializers.IntegerField()
    image = serializers.CharField(help_text="Name of the file as imported.")
    bbox = serializers.ListField(
        child=serializers.IntegerField(),
        help_text="Left, top, right, bottom in pixels; right and bottom exclusive.",
    )
    dataset = serializers.CharField()
    camera = serializers.CharField(allow_null=True)
    taken_at = serializers.DateTimeField(allow_null=True)
    crop_url = serializers.CharField()
    frame_url = serializers.CharField()
    phrases = PhraseEvidence(many=True)
    false_accept_rate = serializers.FloatField(
        allow_null=True,
        help_text="Of boxes that do not fit, the share that scores as much; null where the "
        "version was never calibrated.",
    )
    confident = serializers.BooleanField(
        allow_null=True, help_text="Whether that is at most the `far` asked for."
    )


class FailedBoxes(serializers.Serializer):
    reason = serializers.CharField()
    boxes = serializers.IntegerField()
    examples = serializers.ListField(
        child=serializers.CharField(), help_text="Names of some of their pictures."
    )


class SearchPage(serializers.Serializer):
    version = serializers.CharField()
    mode = serializers.CharField()
    exact = serializers.BooleanField(help_text="Whether every box was compared.")
    searched = serializers.IntegerField(help_text="Boxes compared, within filters and grants.")
    waiting = serializers.IntegerField(
        help_text="Boxes within these that nobody tried to enroll yet."
    )
    failed = serializers.IntegerField(help_text="Boxes within these that could not be enrolled.")
    failures = FailedBoxes(
        many=True, help_text="Why; POST to /api/v1/search/retry enrolls them again."
    )
    expected_false_hits = serializers.FloatField(
        allow_null=True,
        help_text="`far` times the boxes searched; null without a calibration.",
    )
    measured_on = serializers.CharField(
        allow_null=True,
        help_text="What false-accept rates were measured on: a dataset, or `drawn:…` people, "
        "beside whom real ones may be taken for others many times as often. Null where none "
        "are told: without a calibration, for words and pictures at once, and for words that "
        "deny something.",
    )
    next = serializers.CharField(
        allow_null=True, help_text="`cursor` of the next page, if there is one."
    )
    hits = Hit(many=True)


def told(page: retrieval.Page, far: float, request: Request) -> dict[str, Any]:
    """A page as `SearchPage`; `far` is the rate up to which a hit is called confident."""
    sure = page.confidence
    return {
        "version": page.version,
        "mode": str(page.mode),
        "exact": page.is_exact,
        "searched": page.searched,
        "waiting": page.gaps.waiting,
        "failed": page.gaps.failed,
        "failures": [
            {"reason": each.reason, "boxes": each.boxes, "examples": list(each.examples)}
            for each in page.gaps.failures
        ],
        "expected_false_hits": page.expected(far) if sure else None,
        "measured_on": sure.source if sure else None,
        "next": page.cursor,
        "hits": told_hits(page.hits, far, request),
    }


def told_hits(hits: Iterable[retrieval.Hit], far: float, request: Request) -> list[dict[str, Any]]:
    """Each as `Hit`."""
    # Once: asking for the host takes longer than all the rest of a hit.
    site = request.build_absolute_uri("/").rstrip("/")
    return [_told_hit(hit, far, site) for hit in hits]


def _told_hit(hit: retrieval.Hit, far: float, site: str) -> dict[str, Any]:
    box, image, rate = hit.box, hit.box.image, hit.false_accepts
    return {
        "rank": hit.rank,
        "score": round(hit.score, 6),
        "box": box.pk,
        "image": image.name,
        "bbox": list(box.bounds),
        "dataset": image.dataset.name,
        "camera": image.camera.name if image.camera else None,
        "taken_at": image.taken_at and _moment.to_representation(image.taken_at),
        "crop_url": site + reverse("gallery:crop", args=[box.pk]),
        "frame_url": site + reverse("gallery:frame", args=[box.image_id]),
        "phrases": [
            {"phrase": bar.phrase.text, "role": str(bar.phrase.role), "shown": round(bar.share, 4)}
            for bar in hit.bars
        ],
        "false_accept_rate": rate,
        "confident": None if rate is None else rate <= far,
    }
