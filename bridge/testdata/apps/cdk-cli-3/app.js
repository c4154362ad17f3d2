// The app of http-api, synthesised by aws-cdk 3.0.0, which reads cloud
// assemblies of schemas up to 43, and so by aws-cdk-lib 2.180.
require('../old-schema/app-of')('aws-cdk-lib-2.180');
