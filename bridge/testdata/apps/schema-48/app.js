// The app of http-api, synthesised by aws-cdk-lib 2.220 of October 2025.
require('../old-schema/app-of')('aws-cdk-lib-2.220');
