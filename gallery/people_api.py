"""People for programs: who there is, merged and parted, and the splits they are in."""

from django.db.models import Count, QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from gallery import browse, people, splits
from gallery.browse import NO_SPLIT
from gallery.curation_api import (
    MOST_IDS,
    MOST_PIXELS,
    PAGING,
    CuratedApi,
    CuratorsApi,
    Ids,
    dataset_of,
    given_as,
    paged,
)
from gallery.errors import UnknownIdentity
from gallery.formats.records import MAX_KEY
from gallery.models import Dataset, Identity


class IdentityOutput(serializers.ModelSerializer):
    dataset = serializers.CharField(source="dataset.name")
    boxes = serializers.IntegerField(source="box_count")

    class Meta:
        ref_name = "Identity"
        model = Identity
        fields = ["id", "dataset", "key", "split", "boxes"]


def _people(rows: QuerySet[Identity]) -> QuerySet[Identity]:
    return rows.select_related("dataset").annotate(box_count=Count("boxes"))


def _person(request: Request, pk: int) -> Response:
    found = _people(browse.people(request.user)).filter(pk=pk).first()
    if found is None:
        raise UnknownIdentity(pk)
    return Response(IdentityOutput(found).data)


class IdentityListApi(APIView):
    """GET the people of the datasets that you may see, newest first."""

    class Input(serializers.Serializer):
        dataset = serializers.CharField(max_length=100, required=False)
        split = serializers.ChoiceField([*splits.NAMES, NO_SPLIT], required=False, default="")
        key = serializers.CharField(
            max_length=MAX_KEY, required=False, default="", help_text="A part of it."
        )

    @extend_schema(
        operation_id="identities", parameters=[Input, *PAGING], responses=IdentityOutput(many=True)
    )
    def get(self, request: Request) -> Response:
        wanted = given_as(self.Input, request.query_params)
        name = wanted.get("dataset")
        rows = browse.people(
            request.user,
            dataset=dataset_of(request, name) if name else None,
            split=wanted["split"],
            key=wanted["key"],
        )
        return paged(self, _people(rows), IdentityOutput, request)


class IdentityApi(CuratedApi):
    """GET one person; PATCH their key or their split."""

    class Input(serializers.Serializer):
        key = serializers.CharField(max_length=MAX_KEY, required=False)
        split = serializers.ChoiceField(["", *splits.NAMES], required=False)

        class Meta:
            ref_name = "IdentityEdit"

    @extend_schema(operation_id="identity", responses=IdentityOutput)
    def get(self, request: Request, identity_id: int) -> Response:
        return _person(request, identity_id)

    @extend_schema(operation_id="identity_edit", request=Input, responses=IdentityOutput)
    def patch(self, request: Request, identity_id: int) -> Response:
        given = given_as(self.Input, request.data)
        if "key" in given:
            people.rename(identity_id, given["key"], request.user)
        if "split" in given:
            people.set_split([identity_id], given["split"], request.user)
        return _person(request, identity_id)


class MergeApi(CuratorsApi):
    """POST to make other people one with this one; 409 where their splits differ."""

    class Input(serializers.Serializer):
        others = Ids(min_length=1, max_length=MOST_IDS)
        split = serializers.ChoiceField(
            ["", *splits.NAMES],
            required=False,
            help_text="Of the one; needed only where the others have different ones.",
        )

        class Meta:
            ref_name = "IdentityMerge"

    @extend_schema(operation_id="identity_merge", request=Input, responses=IdentityOutput)
    def post(self, request: Request, identity_id: int) -> Response:
        given = given_as(self.Input, request.data)
        people.merge(identity_id, given["others"], request.user, split=given.get("split"))
        return _person(request, identity_id)


class PartApi(CuratorsApi):
    """POST to take boxes out of a person; they become somebody new, in the same split."""

    class Input(serializers.Serializer):
        boxes = Ids(min_length=1, max_length=MOST_IDS)
        key = serializers.CharField(
            max_length=MAX_KEY, required=False, default="", allow_blank=True
        )

        class Meta:
            ref_name = "IdentityPart"

    @extend_schema(operation_id="identity_part", request=Input, responses={201: IdentityOutput})
    def post(self, request: Request, identity_id: int) -> Response:
        given = given_as(self.Input, request.data)
        parted = people.part(identity_id, given["boxes"], request.user, given["key"])
        answer = _person(request, parted.identity.pk)
        answer.status_code = status.HTTP_201_CREATED
        return answer


class SplitsApi(CuratedApi):
    """GET how many people each split has; POST to share out those who have none."""

    class Input(serializers.Serializer):
        train = serializers.FloatField(min_value=0, max_value=1e6, default=0)
        validation = serializers.FloatField(min_value=0, max_value=1e6, default=0)
        test = serializers.FloatField(min_value=0, max_value=1e6, default=0)
        seed = serializers.IntegerField(min_value=0, max_value=MOST_PIXELS, default=0)

        class Meta:
            ref_name = "SplitShares"

    class Output(serializers.Serializer):
        none = serializers.IntegerField()
        train = serializers.IntegerField()
        validation = serializers.IntegerField()
        test = serializers.IntegerField()

        class Meta:
            ref_name = "SplitCounts"

    @extend_schema(operation_id="splits", responses=Output)
    def get(self, request: Request, name: str) -> Response:
        return self._counts(dataset_of(request, name))

    @extend_schema(
        operation_id="splits_assign",
        request=Input,
        responses=Output,
        examples=[
            OpenApiExample(
                "Seven in ten are trained with",
                request_only=True,
                value={"train": 70, "validation": 10, "test": 20, "seed": 1},
            )
        ],
    )
    def post(self, request: Request, name: str) -> Response:
        given = dict(given_as(self.Input, request.data))
        seed = given.pop("seed")
        dataset = dataset_of(request, name)
        splits.assign(dataset, given, request.user, seed=seed)
        return self._counts(dataset)

    def _counts(self, dataset: Dataset) -> Response:
        counted = splits.counts(dataset)
        return Response({"none": counted.pop(""), **counted})
