"""Validate retour/1 documents, given as files (or - for standard input), against the schema."""
import json
import pathlib
import sys

import jsonschema

schema_file = pathlib.Path(__file__).parents[2] / "docs/schema/retour-1.schema.json"
schema = json.loads(schema_file.read_text())
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker(["ipv4", "ipv6"]))


def deepest(error):
    """The branch that got furthest says what is wrong; "not valid under any of" does not."""
    return jsonschema.exceptions.best_match([error])


def mistakes(name):
    text = sys.stdin.read() if name == "-" else pathlib.Path(name).read_text()
    try:
        document = json.loads(text)
    except ValueError as error:
        yield f"{name}: not JSON: {error}"
        return
    for error in validator.iter_errors(document):
        best = deepest(error)
        yield f"{name}: {best.json_path}: {best.message}"


found = [mistake for name in sys.argv[1:] for mistake in mistakes(name)]
for mistake in found:
    print(mistake, file=sys.stderr)
sys.exit(1 if found or len(sys.argv) < 2 else 0)
