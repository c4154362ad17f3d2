// Does what the event asks for: see ../go/main.go, which does the same.
exports.handler = async (event, context) => {
  if (event && event.requestContext) return answer(event);
  switch (event && event.action) {
    case "environment":
      return Object.fromEntries(["TABLE", "QUEUE_URL", "TITLE", "QUOTES", "UNICODE", "EMPTY", ...lambdaVariables].map((name) => [name, process.env[name]]));
    case "context":
      return { memory: Number(context.memoryLimitInMB), version: context.functionVersion, id: context.awsRequestId.length, left: context.getRemainingTimeInMillis() > 0 };
    case "fail":
      throw new RangeError("no such order: 7");
    case "exit":
      process.exit(3);
    case "sleep":
      await new Promise((done) => setTimeout(done, 60000));
    case "big":
      return "x".repeat(event.size);
    case "layer":
      return require("greeting").text;
  }
  return { echo: event };
};

const lambdaVariables = ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_REGION", "AWS_DEFAULT_REGION", "_HANDLER"];

function answer(event) {
  const http = event.requestContext.http || { method: event.httpMethod, path: event.path };
  return {
    statusCode: 201,
    headers: { "content-type": "application/json", "x-from": "node" },
    cookies: event.version === "2.0" ? ["a=1; HttpOnly", "b=2"] : undefined,
    body: JSON.stringify({
      version: event.version,
      route: event.routeKey || event.resource,
      method: http.method,
      path: http.path,
      parameters: event.pathParameters || {},
      query: event.queryStringParameters || {},
      body: event.body ? Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8").toString() : "",
    }),
  };
}
