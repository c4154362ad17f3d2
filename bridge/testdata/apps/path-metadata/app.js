// The app of nested, with the metadata in its templates that the cdk command
// asks for. SAM CLI #5728.
require('../nested/app.js');
