"""Writes the JSON schema that gives editors completion: ``python -m config.schema``."""

import json
from pathlib import Path

from config.settings import Settings

PATH = Path(__file__).with_name("schema.json")


def text() -> str:
    return json.dumps(Settings.model_json_schema(), indent=2) + "\n"


if __name__ == "__main__":
    PATH.write_text(text())
