"""What the routes ask of the orchestrator."""

from __future__ import annotations

from typing import Annotated, Any, cast

from fastapi import Depends, Request

from sandbox.service.services import Services


def services_of(request: Request) -> Services:
    """The services that the app was built with."""
    state: Any = request.app.state
    return cast("Services", state.services)


Ask = Annotated[Services, Depends(services_of)]
