"""The project's addresses: the admin, the API, its description."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView
from rest_framework.routers import DefaultRouter

from bench.django_record_type.training.api import TrainingViewSet

router = DefaultRouter()
router.register("training", TrainingViewSet, "training")
urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/v1/", include(router.urls)),
    path("api/v1/_openapi", SpectacularAPIView.as_view()),
]
