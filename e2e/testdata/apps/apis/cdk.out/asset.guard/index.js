// An authorizer of every kind: what the token says is what it answers. The
// nonce in its context tells two runs apart.
exports.handler = async (event) => {
  const headers = Object.fromEntries(Object.entries(event.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
  const token = event.authorizationToken ?? headers.authorization ?? event.queryStringParameters?.token;
  const context = { user: 'ann', number: 7, yes: true, nonce: String(Math.random()) };
  switch (token) {
    case 'fail':
      throw new Error('broken');
    case 'unauthorized':
      throw 'Unauthorized';
    case 'nonsense':
      return { hello: 'there' };
  }
  if (event.version === '2.0') return { isAuthorized: token === 'allow', context };
  return {
    principalId: 'ann',
    policyDocument: {
      Version: '2012-10-17',
      Statement: [{ Action: 'execute-api:Invoke', Effect: token === 'allow' ? 'Allow' : 'Deny', Resource: event.methodArn ?? event.routeArn }],
    },
    context,
  };
};
