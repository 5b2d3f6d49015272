"""Makes `docs/configuration.md` from the settings: `python -m sandbox.config.reference > docs/configuration.md`.

A test compares the two.
"""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sandbox.config.known_keys import fields
from sandbox.config.settings import Settings, SinkSettings
from sandbox.config.sources import variable_of
from sandbox.config.values import show_duration

_HEAD = """\
# Configuration

<!-- Made by `python -m sandbox.config.reference`; change the settings in sandbox/config/settings.py, not this page. -->

Everything has a default, so that `azolla-local up` needs no configuration at all. To change something, in rising order
of strength:

1. a file `azolla.toml`: in the working folder or in the nearest folder above that has one, else
   `$XDG_CONFIG_HOME/azolla-local/azolla.toml`; `AZOLLA_LOCAL_CONFIG` names another one;
2. environment variables: `AZOLLA_LOCAL_`, the section, the key, in capitals;
3. flags of `azolla-local up`.

`azolla-local config show --origin` prints what counts and where it comes from, `azolla-local config check` every mistake
with its line, `azolla-local config path` the file. An unknown key is a mistake, not a remark. Changes take effect with
`azolla-local up --restart`.

Durations are numbers of seconds or text: `500ms`, `10s`, `2m`, `1h`, `7d`. In environment variables, folders are
separated like those in `PATH`, lists with commas, and tables are written `KEY=VALUE,KEY=VALUE`, sinks
`NAME=URL,NAME=URL`. `domains` can only be set in the file.

```toml
[orchestrator]
grpc_port = 0          # any free port
http_port = 0

[shepherd]
max_concurrency = 16

[tasks]
folders = ["tasks"]

[logs]
template = "{date}/{task_name}/{time}-{task_id}"

[[logs.sinks]]
name = "console"
url = "stdout:"

[domains.billing]
```

These variables choose instead of setting a value: `AZOLLA_LOCAL_ENV` the environment, `AZOLLA_LOCAL_CONFIG` the file,
`AZOLLA_LOCAL_URL` and `AZOLLA_LOCAL_GRPC` the address that clients talk to.
"""


def render() -> str:
    """The whole page."""
    parts = [_HEAD]
    section = ""
    for path, field in fields():
        if path[0] != section:
            section = str(path[0])
            parts.append(f"\n## `[{section}]`\n\n{_about(section)}\n\n| key | default | meaning |\n|---|---|---|\n")
        parts.append(f"| `{path[1]}` | {_default(field)} | {_meaning(field)} `{variable_of(path)}` |\n")
    parts.append("\n### `[[logs.sinks]]`\n\n| key | meaning |\n|---|---|\n")
    parts += [f"| `{name}` | {_meaning(field)} |\n" for name, field in SinkSettings.model_fields.items()]
    parts.append(f"\n## `[domains.NAME]`\n\n{_meaning(Settings.model_fields['domains'])}\n")
    return "".join(parts)


def _about(section: str) -> str:
    model = Settings.model_fields[section].annotation
    return (model.__doc__ or "") if isinstance(model, type) and issubclass(model, BaseModel) else ""


def _meaning(field: FieldInfo) -> str:
    return (field.description or "").replace("|", "\\|")


def _default(field: FieldInfo) -> str:
    default: Any = field.get_default(call_default_factory=True, validated_data={})
    if isinstance(default, timedelta):
        default = show_duration(default)
    return "" if default in (None, [], {}) else f"`{json.dumps(default)}`"


if __name__ == "__main__":
    sys.stdout.write(render())
