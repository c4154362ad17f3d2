# Two stages in a Python app, with a nested stack in each. SAM CLI #3900, #3306.
from aws_cdk import App, NestedStack, Stack, Stage
from aws_cdk import aws_lambda as lambda_

app = App()
for name in ["Beta", "Live"]:
    stack = Stack(Stage(app, name), "Shop")
    lambda_.Function(
        NestedStack(stack, "Inner"),
        "Hello",
        runtime=lambda_.Runtime.PYTHON_3_11,
        handler="index.handler",
        code=lambda_.Code.from_asset("../functions/python"),
        environment={"STAGE": name},
    )
app.synth()
