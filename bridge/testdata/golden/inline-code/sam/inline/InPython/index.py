def handler(event, context):
    return {"from": "python", "event": event}
