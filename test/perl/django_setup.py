"""A Django with one app, for the Django scripts here."""
import sys
import types

import django
from django.apps import AppConfig
from django.conf import settings


class OneAppConfig(AppConfig):
    path = '.'


def set_up(app):
    """On the server that the script's arguments name: HOST PORT USER."""
    settings.configure(
        DATABASES={
            'default': {
                'ENGINE': 'django.db.backends.postgresql',
                'HOST': sys.argv[1],
                'PORT': sys.argv[2],
                'USER': sys.argv[3],
                'NAME': 'postgres',
            }
        },
        DEFAULT_AUTO_FIELD='django.db.models.AutoField',
        INSTALLED_APPS=[OneAppConfig(app, types.ModuleType(app))],
    )
    django.setup()
