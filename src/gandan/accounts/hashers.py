from django.contrib.auth.hashers import Argon2PasswordHasher


class OfficeArgon2(Argon2PasswordHasher):
    """Argon2id at the OWASP minimum (19 MiB, two passes, one lane).

    Django's default takes 100 MiB and eight lanes; eight people signing in together would starve a
    two-core office machine.
    """

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1
