# Answers with what it was asked and what its environment says.
import os


def handler(event, context):
    return {"event": event, "table": os.environ.get("TABLE")}
