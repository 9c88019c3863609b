from concurrency.fields import IntegerVersionField
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition
from simple_history.models import HistoricalRecords

from bench.django_record_type.directory.models import Organisation


class TrainingQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self.filter(county=user.membership.organisation.county)


class Training(models.Model):
    class Manner(models.TextChoices):
        LECTURE = "lecture", _("Lecture")
        ON_SITE = "on_site", _("On site")

    class State(models.TextChoices):
        PLANNED = "planned", _("Waiting to be held")
        HELD = "held", _("Held")

    county = models.ForeignKey(Organisation, models.PROTECT, related_name="+", editable=False)
    subject = models.CharField(_("Subject"), max_length=120)
    manner = models.CharField(_("Manner"), max_length=32, choices=Manner)
    held_on = models.DateField(_("Held on"))
    department = models.ForeignKey(Organisation, models.PROTECT, verbose_name=_("Department"))
    state = FSMField(_("State"), default=State.PLANNED, choices=State.choices, protected=True)
    version = IntegerVersionField()
    history = HistoricalRecords()
    objects = TrainingQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("Training"), _("Trainings")
        constraints = [models.UniqueConstraint(fields=("county", "subject", "held_on"), name="training_key")]

    def __str__(self):
        return self.subject

    def of_department(self, user):
        return self.department_id == user.membership.organisation_id

    @transition(state, State.PLANNED, State.HELD, permission=of_department, custom={"admin": False})
    def hold(self, heads):
        if heads < 1:
            raise ValidationError({"heads": _("Somebody must have come.")})
        self._change_reason = f"{_('Training held')}: {heads}"


class TrainingAttachment(models.Model):
    training = models.ForeignKey(Training, models.CASCADE, related_name="attachments")
    file = models.FileField(_("File"), upload_to="training/")
