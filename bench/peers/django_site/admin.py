"""The list in the admin: eight columns, search, a filter, 25 rows."""

from __future__ import annotations

import os

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from bench.peers.django_site.models import Call, CallParty

STATES = ("dispatched", "reported", "closed")


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [(state, state) for state in STATES]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(state=self.value()) if self.value() else queryset


@admin.register(Call)
class CallAdmin(admin.ModelAdmin):
    list_display = ("number", "title", "township", "field", "state", "submitted_at", "dispatched_at", "changed_at")
    list_select_related = ("township",)
    list_filter = (StateFilter,)
    search_fields = ("number", "title", "description")
    list_per_page = 25
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        mine = CallParty.objects.filter(organisation_id=int(os.environ["BENCH_ORGANISATION"])).values("call_id")
        return super().get_queryset(request).filter(id__in=mine)
