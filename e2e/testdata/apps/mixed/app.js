// An app with functions in Go, Node.js and Python behind one HTTP API, whose
// environments hold values of this stack and another. Its cdk.out is kept: see
// synth.sh.
const cdk = require("aws-cdk-lib");
const dynamodb = require("aws-cdk-lib/aws-dynamodb");
const lambda = require("aws-cdk-lib/aws-lambda");
const sqs = require("aws-cdk-lib/aws-sqs");
const apigw = require("aws-cdk-lib/aws-apigatewayv2");
const { HttpLambdaIntegration } = require("aws-cdk-lib/aws-apigatewayv2-integrations");

class Data extends cdk.Stack {
  constructor(scope, id) {
    super(scope, id);
    this.table = new dynamodb.Table(this, "Orders", { partitionKey: { name: "id", type: dynamodb.AttributeType.STRING } });
    this.queue = new sqs.Queue(this, "Jobs");
  }
}

class Service extends cdk.Stack {
  constructor(scope, id, data) {
    super(scope, id);
    const common = {
      architecture: lambda.Architecture.X86_64,
      memorySize: 256,
      timeout: cdk.Duration.seconds(20),
      environment: {
        TABLE: data.table.tableName,
        QUEUE_URL: data.queue.queueUrl,
        TITLE: cdk.Fn.join("-", ["mixed", cdk.Aws.REGION]),
        QUOTES: `"double" 'single' $dollar \\back`,
        UNICODE: "grüße 🚀",
        EMPTY: "",
      },
    };
    const go = new lambda.Function(this, "Go", {
      ...common,
      runtime: lambda.Runtime.PROVIDED_AL2023,
      handler: "bootstrap",
      code: lambda.Code.fromAsset("functions/not-built"),
    });
    go.node.defaultChild.addMetadata("Bailey", { Entry: "./functions/go" });
    const impatient = new lambda.Function(this, "Impatient", {
      ...common,
      runtime: lambda.Runtime.PROVIDED_AL2023,
      handler: "bootstrap",
      code: lambda.Code.fromAsset("functions/not-built"),
      timeout: cdk.Duration.seconds(3),
    });
    impatient.node.defaultChild.addMetadata("Bailey", { Entry: "./functions/go" });
    const layer = new lambda.LayerVersion(this, "Greeting", { code: lambda.Code.fromAsset("layer") });
    const node = new lambda.Function(this, "Node", {
      ...common,
      runtime: lambda.Runtime.NODEJS_20_X,
      handler: "index.handler",
      code: lambda.Code.fromAsset("functions/node"),
      layers: [layer],
    });
    const python = new lambda.Function(this, "Python", {
      ...common,
      runtime: lambda.Runtime.PYTHON_3_11,
      handler: "app.handler",
      code: lambda.Code.fromAsset("functions/python"),
      layers: [layer],
      functionName: "mixed-python",
    });

    const api = new apigw.HttpApi(this, "Api", {
      corsPreflight: {
        allowOrigins: ["https://shop.example"],
        allowMethods: [apigw.CorsHttpMethod.GET, apigw.CorsHttpMethod.POST],
        allowHeaders: ["content-type"],
        maxAge: cdk.Duration.minutes(10),
      },
    });
    const route = (path, method, fn, version) =>
      api.addRoutes({
        path,
        methods: [method],
        integration: new HttpLambdaIntegration(`${method}${path}`, fn, { payloadFormatVersion: version }),
      });
    const { GET, POST, ANY } = apigw.HttpMethod;
    for (const [name, fn] of Object.entries({ go, node, python })) {
      route(`/${name}/{id}`, GET, fn);
      route(`/${name}`, POST, fn);
      route(`/${name}`, GET, fn, apigw.PayloadFormatVersion.VERSION_1_0);
      route(`/${name}/files/{proxy+}`, ANY, fn);
    }
    route("/users/{user-id}", GET, node);
    api.addRoutes({ path: "/any", methods: [ANY], integration: new HttpLambdaIntegration("any", python) });
    new apigw.HttpRoute(this, "Default", {
      httpApi: api,
      routeKey: apigw.HttpRouteKey.DEFAULT,
      integration: new HttpLambdaIntegration("default", go),
    });
  }
}

const app = new cdk.App({ analyticsReporting: false });
const data = new Data(app, "Data");
new Service(app, "Service", data);
