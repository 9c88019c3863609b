from concurrency.admin import ConcurrentModelAdmin
from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django_fsm import can_proceed, has_transition_perm
from import_export import resources
from import_export.admin import ImportExportModelAdmin
from simple_history.admin import SimpleHistoryAdmin

from bench.django_record_type.directory.admin import OrganisationAdmin
from bench.django_record_type.training.models import Training, TrainingAttachment


class TrainingResource(resources.ModelResource):
    class Meta:
        model = Training
        import_id_fields = ("subject", "held_on")
        fields = ("subject", "manner", "held_on", "department")
        skip_unchanged = True

    def before_save_instance(self, instance, row, **kwargs):
        instance.county = kwargs["user"].membership.organisation.county


class HoldForm(forms.Form):
    heads = forms.IntegerField(label=_("How many came"), min_value=1)


class TrainingInline(admin.TabularInline):
    model, extra, can_delete, show_change_link = Training, 0, False, True
    fk_name, fields = "department", ("subject", "held_on", "state")
    readonly_fields = fields

    def get_queryset(self, request):
        return super().get_queryset(request).visible_to(request.user)


OrganisationAdmin.inlines = [*OrganisationAdmin.inlines, TrainingInline]


class AttachmentInline(admin.TabularInline):
    model = TrainingAttachment
    extra = 1


@admin.register(Training)
class TrainingAdmin(ConcurrentModelAdmin, ImportExportModelAdmin, SimpleHistoryAdmin):
    resource_classes = [TrainingResource]
    list_display = ("subject", "manner", "held_on", "department", "state")
    list_filter = ("manner", "state", "department")
    search_fields = ("subject",)
    autocomplete_fields = ("department",)
    readonly_fields = ("state", "steps")
    inlines = [AttachmentInline]
    actions = ["hold_selected"]

    def get_queryset(self, request):
        return super().get_queryset(request).visible_to(request.user)

    def get_export_queryset(self, request):
        return super().get_export_queryset(request).visible_to(request.user)

    def save_model(self, request, obj, form, change):
        if not change:
            obj.county = request.user.membership.organisation.county
        super().save_model(request, obj, form, change)

    @admin.display(description=_("Steps"))
    def steps(self, obj):
        if obj.pk is None or not can_proceed(obj.hold):
            return ""
        return format_html(
            '<a class="button" href="{}">{}</a>', reverse("admin:training_hold", args=[obj.pk]), _("Enter as held")
        )

    def get_urls(self):
        return [
            path("<int:pk>/hold/", self.admin_site.admin_view(self.hold_view), name="training_hold"),
            *super().get_urls(),
        ]

    def hold_view(self, request, pk):
        training = get_object_or_404(self.get_queryset(request), pk=pk)
        if not has_transition_perm(training.hold, request.user):
            raise PermissionDenied
        form = HoldForm(request.POST or None)
        if form.is_valid():
            training.hold(form.cleaned_data["heads"])
            training.save()
            messages.success(request, _("Training held"))
            return redirect("admin:training_training_change", pk)
        context = {**self.admin_site.each_context(request), "form": form, "title": training}
        return render(request, "training/hold.html", context)

    @admin.action(description=_("Enter as held"))
    def hold_selected(self, request, queryset):
        done, skipped = 0, 0
        for training in queryset:
            if not can_proceed(training.hold) or not has_transition_perm(training.hold, request.user):
                skipped += 1
                continue
            training.hold(1)
            training.save()
            done += 1
        messages.info(request, _("%(done)d done, %(skipped)d skipped.") % {"done": done, "skipped": skipped})
