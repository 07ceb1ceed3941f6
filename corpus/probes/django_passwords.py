"""Django's list of common passwords is found: the validator resolves its own path."""

import django
from django.conf import settings
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError

settings.configure()
django.setup()
validator = CommonPasswordValidator()
print(len(validator.passwords), "passwords")
try:
    validator.validate("letmein")
except ValidationError as error:
    print(error.messages)
else:
    raise SystemExit("the password is accepted")
