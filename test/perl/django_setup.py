"""A Django with one app, for the Django scripts here."""
import os
import types

import django
from django.apps import AppConfig
from django.conf import settings


class OneAppConfig(AppConfig):
    path = '.'


def set_up(app):
    """Where libpq connects to by itself."""
    settings.configure(
        DATABASES={
            'default': {
                'ENGINE': 'django.db.backends.postgresql',
                'NAME': os.environ.get('PGDATABASE', 'postgres'),
            }
        },
        DEFAULT_AUTO_FIELD='django.db.models.AutoField',
        INSTALLED_APPS=[OneAppConfig(app, types.ModuleType(app))],
    )
    django.setup()
