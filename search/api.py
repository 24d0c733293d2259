"""POST /api/v1/search: people by words, by an uploaded picture, or by a box."""

import datetime as dt
from typing import Any

import numpy as np
from django.conf import settings
from django.utils.dateparse import parse_date, parse_datetime
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from gallery import pictures
from pedsite.parsers import JsonParser
from search import admission, asking, coverage, language, questions, retrieval, scope
from search.answers import SearchPage, told
from search.errors import PictureTooLarge
from search.models import Mode
from search.questions import Like
from search.records import MAX_PURPOSE
from search.scope import Filters, Moment
from training import versions

MAX_LIMIT = 100
MAX_NAMES = 100
ROW_ID = {"min_value": 1, "max_value": 2**63 - 1}


@extend_schema_field({"type": "string", "example": "2026-03-14"})
class DayOrMoment(serializers.Field):
    """A day (2026-03-14) or a time (2026-03-14T09:30:00Z); without a zone, the site's."""

    default_error_messages = {"invalid": "Give a day (2026-03-14) or a time in ISO 8601."}

    def to_internal_value(self, data: Any) -> Moment | None:
        if data == "":
            return None  # an empty field of a form
        try:
            found = isinstance(data, str) and (parse_date(data) or parse_datetime(data))
        except ValueError:  # well formed, and no such day
            found = None
        if not found:
            self.fail("invalid")
        return found

    def to_representation(self, value: dt.date) -> str:
        return value.isoformat()


@extend_schema_field({"type": "string", "example": "22:00-06:00"})
class Hours(serializers.Field):
    """Hours of any day, both included; the first may be the later one."""

    default_error_messages = {"invalid": "Give hours such as 08:00-10:30."}

    def to_internal_value(self, data: Any) -> tuple[dt.time, dt.time] | None:
        if data == "":
            return None
        try:
            return language.hours(str(data))
        except ValueError:
            self.fail("invalid")

    def to_representation(self, value: tuple[dt.time, dt.time]) -> str:
        return "-".join(moment.isoformat("minutes") for moment in value)


class SearchApi(APIView):
    """One page of hits, best first."""

    key_scope = "search"
    throttle_scope = "search"
    changes_nothing = True
    parser_classes = [JsonParser, MultiPartParser]

    class Input(serializers.Serializer):
        """At least one of `text`, `image` and `box`, weighed; the rest narrows or pages."""

        text = serializers.CharField(
            required=False,
            allow_blank=True,
            help_text="A person in words, at most 500 characters, with tokens as on the page: "
            "`camera:3 after:2026-11-01 a man in red -umbrella`.",
        )
        image = serializers.FileField(
            required=False,
            allow_empty_file=True,
            help_text="A picture of one person (multipart only).",
        )
        box = serializers.IntegerField(
            required=False, **ROW_ID, help_text="Who looks like this box? It is not among the hits."
        )
        text_weight = serializers.FloatField(min_value=0.1, max_value=10, default=1)
        image_weight = serializers.FloatField(min_value=0.1, max_value=10, default=1)
        box_weight = serializers.FloatField(min_value=0.1, max_value=10, default=1)
        datasets = serializers.ListField(
            child=serializers.CharField(), default=list, max_length=MAX_NAMES
        )
        cameras = serializers.ListField(
            child=serializers.CharField(), default=list, max_length=MAX_NAMES
        )
        after = DayOrMoment(default=None, allow_null=True, help_text="Inclusive.")
        before = DayOrMoment(
            default=None, allow_null=True, help_text="Inclusive; a day ends at 24h."
        )
        hours = Hours(default=None, allow_null=True, help_text="Of any day, inclusive.")
        identity = serializers.ChoiceField(choices=["", "known", "unknown"], default="")
        captions = serializers.ListField(
            child=serializers.CharField(),
            default=list,
            max_length=MAX_NAMES,
            help_text="Words that some caption of the box has.",
        )
        review = serializers.ChoiceField(choices=["", "approved", "unreviewed"], default="")
        far = serializers.FloatField(
            min_value=1e-6,
            max_value=0.5,
            default=1e-3,
            help_text="The false-accept rate up to which a hit is called confident.",
        )
        purpose = serializers.CharField(
            default="",
            allow_blank=True,
            max_length=MAX_PURPOSE,
            help_text="Why: a reason or a case number, for the audit log. Some sites refuse a "
            "search without (`purpose-needed`).",
        )
        limit = serializers.IntegerField(min_value=1, max_value=MAX_LIMIT, default=20)
        cursor = serializers.CharField(
            required=False, allow_blank=True, help_text="`next` of the page before."
        )
        version = serializers.CharField(
            required=False, help_text="A model version other than the one that serves."
        )
        mode = serializers.ChoiceField(
            choices=Mode.values,
            default=Mode.FAST.value,
            help_text="Among many boxes: `fast` finds at least .97 of the nearest, `thorough` "
            ".99, `exact` compares all. Among few all three are exact.",
        )

        class Meta:
            ref_name = "Search"

        def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
            # A misspelled filter would silently search more than was asked for.
            unknown = set(self.initial_data) - set(self.fields) - {"csrfmiddlewaretoken"}
            if unknown:
                raise serializers.ValidationError(
                    {name: ["There is no such field."] for name in sorted(unknown)}
                )
            if not any(name in attrs for name in ("text", "image", "box")):
                raise serializers.ValidationError("Give at least one of text, image and box.")
            return attrs

    @extend_schema(
        operation_id="search",
        request={"application/json": Input, "multipart/form-data": Input},
        responses=SearchPage,
        examples=[
            OpenApiExample(
                "In words",
                request_only=True,
                media_type="application/json",
                value={
                    "text": "a woman in a red coat with a black backpack",
                    "purpose": "case 2026-118",
                    "limit": 5,
                },
            ),
            OpenApiExample(
                "In Chinese, one day of one camera",
                request_only=True,
                media_type="application/json",
                value={
                    "text": "一个穿红色大衣、背黑色双肩包的女人",
                    "datasets": ["demo"],
                    "cameras": ["north gate"],
                    "after": "2026-03-14",
                    "before": "2026-03-14",
                },
            ),
            OpenApiExample(
                "Like box 17, but with a red hat and no umbrella, by night",
                request_only=True,
                media_type="application/json",
                value={
                    "box": 17,
                    "box_weight": 0.5,
                    "text": '+"red hat" -umbrella',
                    "hours": "22:00-06:00",
                },
            ),
            OpenApiExample(
                "Who looks like box 17",
                request_only=True,
                media_type="application/json",
                value={"box": 17},
            ),
            OpenApiExample(
                "Hits",
                response_only=True,
                value={
                    "version": "shipped-1",
                    "mode": "fast",
                    "exact": True,
                    "searched": 1024,
                    "waiting": 0,
                    "failed": 0,
                    "failures": [],
                    "expected_false_hits": 1.024,
                    "measured_on": "demo",
                    "next": None,
                    "hits": [
                        {
                            "rank": 1,
                            "score": 0.41,
                            "box": 17,
                            "image": "north/000017.jpg",
                            "bbox": [312, 80, 390, 301],
                            "dataset": "demo",
                            "camera": "north gate",
                            "taken_at": "2026-03-14T09:30:00Z",
                            "crop_url": "http://127.0.0.1:8000/pictures/boxes/17.jpg",
                            "frame_url": "http://127.0.0.1:8000/pictures/images/9.jpg",
                            "false_accept_rate": 0.00021,
                            "confident": True,
                            "phrases": [{"phrase": "red coat", "role": "weigh", "shown": 0.97}],
                        }
                    ],
                },
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        """Find people by a description, by a picture, or by another box."""
        given = self.Input(data=request.data)
        given.is_valid(raise_exception=True)
        page = ask(given.validated_data, request)
        return Response(told(page, given.validated_data["far"], request))


class RetryApi(APIView):
    """Boxes that a search could not compare, enrolled."""

    key_scope = {"POST": "operate"}

    class Input(serializers.Serializer):
        version = serializers.CharField(help_text="`version` of the answer that told of them.")
        datasets = serializers.ListField(
            child=serializers.CharField(),
            default=list,
            max_length=MAX_NAMES,
            help_text="All that the user may see, if none is named.",
        )

        class Meta:
            ref_name = "SearchRetry"

    class Output(serializers.Serializer):
        jobs = serializers.ListField(child=serializers.IntegerField())

        class Meta:
            ref_name = "SearchRetryJobs"

    @extend_schema(operation_id="search_retry", request=Input, responses={202: Output})
    def post(self, request: Request) -> Response:
        """Queue the enrollment of all that waits or failed; operators only."""
        given = self.Input(data=request.data)
        given.is_valid(raise_exception=True)
        inside = scope.resolve(Filters(datasets=given.validated_data["datasets"]), request.user)
        version = versions.get(given.validated_data["version"])
        jobs = coverage.retry(inside, version, request.user)
        return Response({"jobs": [job.pk for job in jobs]}, status=202)


def ask(wanted: dict[str, Any], request: Request) -> retrieval.Page:
    """The page that a validated `SearchApi.Input` wants.

    Raises: as `asking.ask`; PictureTooLarge; TooBusy, as many search as can be served.
    """
    with admission.slot():
        return asking.ask(
            wanted.get("text", ""),
            user=request.user,
            filters=Filters(
                datasets=wanted["datasets"],
                cameras=wanted["cameras"],
                after=wanted["after"],
                before=wanted["before"],
                hours=wanted["hours"],
                identity=wanted["identity"],
                captions=wanted["captions"],
                review=wanted["review"],
            ),
            likes=_likes(wanted, request),
            words_weight=wanted["text_weight"],
            version=wanted.get("version"),
            limit=wanted["limit"],
            cursor=wanted.get("cursor") or None,
            mode=wanted["mode"],
            purpose=wanted["purpose"],
        )


def _likes(wanted: dict[str, Any], request: Request) -> list[Like]:
    likes = []
    if "box" in wanted:
        box = questions.visible_box(wanted["box"], request.user)
        likes.append(Like(box=box, weight=wanted["box_weight"]))
    if "image" in wanted:
        if wanted["image"].size > settings.MAX_PICTURE_BYTES:
            raise PictureTooLarge(wanted["image"].size, settings.MAX_PICTURE_BYTES)
        picture = pictures.open_upright(wanted["image"].read())
        likes.append(Like(crop=np.asarray(picture), weight=wanted["image_weight"]))
    return likes
