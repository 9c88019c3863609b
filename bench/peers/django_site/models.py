"""The tables of the run as Django sees them."""

from __future__ import annotations

from django.db import models


class Organisation(models.Model):
    short_name = models.CharField(max_length=40)

    class Meta:
        managed = False
        db_table = "organisation"

    def __str__(self) -> str:
        return str(self.short_name)


class Call(models.Model):
    number = models.CharField(max_length=40)
    title = models.CharField(max_length=120)
    description = models.TextField()
    field = models.CharField(max_length=40)
    state = models.CharField(max_length=32)
    submitted_at = models.DateTimeField()
    dispatched_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    township = models.ForeignKey(Organisation, models.DO_NOTHING)

    class Meta:
        managed = False
        db_table = "call"


class CallParty(models.Model):
    call = models.OneToOneField(Call, models.DO_NOTHING, primary_key=True)
    organisation = models.ForeignKey(Organisation, models.DO_NOTHING)

    class Meta:
        managed = False
        db_table = "call_party"
