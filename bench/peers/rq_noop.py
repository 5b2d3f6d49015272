"""What RQ's workers import."""


def noop(*_args: object, **_kwargs: object) -> None:
    """Nothing."""
