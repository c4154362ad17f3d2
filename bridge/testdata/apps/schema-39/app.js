// The app of http-api, synthesised by aws-cdk-lib 2.180 of February 2025.
require('../old-schema/app-of')('aws-cdk-lib-2.180');
