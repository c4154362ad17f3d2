# A Python function that is put together by local bundling, as PythonFunction
# does it in a container. SAM CLI #3129.
import pathlib
import shutil

import jsii
from aws_cdk import App, BundlingOptions, DockerImage, ILocalBundling, Stack
from aws_cdk import aws_lambda as lambda_


@jsii.implements(ILocalBundling)
class Copy:
    def try_bundle(self, output_dir, _options):
        shutil.copy("src/index.py", output_dir)
        package = pathlib.Path(output_dir, "greetings")
        package.mkdir()
        (package / "__init__.py").write_text('HELLO = "hello from a package"\n')
        return True


app = App()
stack = Stack(app, "Shop")
bundling = BundlingOptions(image=DockerImage.from_registry("none"), local=Copy())
code = lambda_.Code.from_asset("src", bundling=bundling)
lambda_.Function(stack, "Hello", runtime=lambda_.Runtime.PYTHON_3_11, handler="index.handler", code=code)
app.synth()
