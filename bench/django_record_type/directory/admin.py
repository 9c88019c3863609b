"""The directory in the admin: searched when it is chosen."""

from __future__ import annotations

from django.contrib import admin

from bench.django_record_type.directory.models import Organisation


@admin.register(Organisation)
class OrganisationAdmin(admin.ModelAdmin):
    search_fields = ("name",)
