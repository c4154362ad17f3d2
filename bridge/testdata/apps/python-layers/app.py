# Layers in a Python app: one of the stack's own, one of another stack, and code
# in the template. SAM CLI #2853.
from aws_cdk import App, Duration, Stack
from aws_cdk import aws_lambda as lambda_

app = App()
words = lambda_.LayerVersion(Stack(app, "Shared"), "Words", code=lambda_.Code.from_asset("../layers/words"))
stack = Stack(app, "Shop")
lambda_.Function(
    stack,
    "Hello",
    runtime=lambda_.Runtime.PYTHON_3_11,
    handler="index.handler",
    code=lambda_.Code.from_asset("../functions/python"),
    layers=[words],
    timeout=Duration.seconds(30),
    memory_size=256,
)
lambda_.Function(
    stack,
    "Inline",
    runtime=lambda_.Runtime.PYTHON_3_11,
    handler="index.handler",
    code=lambda_.Code.from_inline("def handler(event, context):\n    return 'inline'\n"),
)
app.synth()
