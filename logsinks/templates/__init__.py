"""Names of logs: made from a template that is proved to give no two attempts one name."""

from logsinks.templates.fields import FIELDS
from logsinks.templates.template import DEFAULT_TEMPLATE, Template

__all__ = ["DEFAULT_TEMPLATE", "FIELDS", "Template"]
