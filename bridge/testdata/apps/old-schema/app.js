// The app of http-api, synthesised by aws-cdk-lib 2.130 of February 2024.
require('./app-of')('aws-cdk-lib-2.130');
