// The app of nested, with the metadata in its templates that the cdk command
// asks for.
require('../nested/app.js');
