def handler(event, context):
    return 'inline'
