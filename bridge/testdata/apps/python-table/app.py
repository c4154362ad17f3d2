# A table and a queue whose names a Python app's function is given. SAM CLI
# #1604, #3175, cdk #28824.
from aws_cdk import App, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_sqs as sqs

app = App()
stack = Stack(app, "Shop")
orders = dynamodb.Table(stack, "Orders", partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING))
work = sqs.Queue(stack, "Work")
hello = lambda_.Function(
    stack,
    "Hello",
    runtime=lambda_.Runtime.PYTHON_3_11,
    handler="index.handler",
    code=lambda_.Code.from_asset("../functions/python"),
    environment={"TABLE": orders.table_name, "TABLE_ARN": orders.table_arn, "QUEUE": work.queue_url},
)
orders.grant_read_write_data(hello)
hello.add_event_source(sources.SqsEventSource(work))
app.synth()
