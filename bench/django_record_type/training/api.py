from django_fsm import can_proceed, has_transition_perm
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.response import Response

from bench.django_record_type.training.models import Training


class TrainingSerializer(serializers.ModelSerializer):
    class Meta:
        model = Training
        fields = ("id", "subject", "manner", "held_on", "department", "state", "version")
        read_only_fields = ("state",)
        extra_kwargs = {"version": {"required": False}}


class HoldSerializer(serializers.Serializer):
    heads = serializers.IntegerField(min_value=1)


class TrainingViewSet(viewsets.ModelViewSet):
    queryset = Training.objects.none()
    serializer_class = TrainingSerializer
    filterset_fields = ("manner", "state", "department")

    def get_queryset(self):
        return Training.objects.visible_to(self.request.user)

    def perform_create(self, serializer):
        serializer.save(county=self.request.user.membership.organisation.county)

    @extend_schema(request=HoldSerializer)
    @action(detail=True, methods=["post"])
    def hold(self, request, pk=None):
        training = self.get_object()
        if not has_transition_perm(training.hold, request.user):
            raise PermissionDenied
        if not can_proceed(training.hold):
            return Response(status=status.HTTP_409_CONFLICT)
        given = HoldSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        training.hold(given.validated_data["heads"])
        training.save()
        return Response(self.get_serializer(training).data)
