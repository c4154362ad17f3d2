// The app of http-api, synthesised by aws-cdk-lib 2.160 of September 2024.
require('../old-schema/app-of')('aws-cdk-lib-2.160');
