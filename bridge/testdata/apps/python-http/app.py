# An HTTP API over a Python function, in a Python app. SAM CLI #3627.
from aws_cdk import App, Stack
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_lambda as lambda_
from aws_cdk.aws_apigatewayv2_integrations import HttpLambdaIntegration

app = App()
stack = Stack(app, "Shop")
hello = lambda_.Function(stack, "Hello", runtime=lambda_.Runtime.PYTHON_3_11, handler="index.handler", code=lambda_.Code.from_asset("../functions/python"))
api = apigateway.HttpApi(stack, "Api")
api.add_routes(path="/hello/{name}", methods=[apigateway.HttpMethod.GET], integration=HttpLambdaIntegration("Hello", hello))
app.synth()
